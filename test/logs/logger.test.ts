import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type KitContext, type RequestState, ROOT, storage } from '../../instrumentation/context.ts';
import type { AccessLine } from '../../instrumentation/logs/logs.ts';
import { captureStreams, IDS, requestContext, startLogs } from './harness.ts';

const running: { stop(): void }[] = [];

afterEach(() => {
  for (const logs of running.splice(0)) logs.stop();
});

function start(...args: Parameters<typeof startLogs>) {
  const started = startLogs(...args);
  running.push(started.logs);
  return started;
}

/** What a call writes, line by line. */
function lines(fn: () => void): any[] {
  const { stdout, stderr } = captureStreams(fn);
  assert.equal(stderr, '');
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** What a call writes to stdout now and at the end of this turn of the event loop. */
async function written(fn: () => void): Promise<string> {
  const { write } = process.stdout;
  let text = '';
  // The test runner's own messages, which are no text, go on.
  process.stdout.write = function (this: unknown, chunk: unknown, ...rest: any[]) {
    if (typeof chunk !== 'string') return Reflect.apply(write, this, [chunk, ...rest]);
    text += chunk;
    return true;
  } as typeof write;
  try {
    fn();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  } finally {
    process.stdout.write = write;
  }
  return text;
}

describe('the logger', () => {
  test('a line of the contract, shipped as it was written', () => {
    const { logs, items, levels } = start();
    const log = logs.logger.child({ component: 'billing' });
    const [{ time, ...line }] = lines(() =>
      storage.run(requestContext(), () => log.info({ operation: 'invoice', duration_ms: 12 }, 'sent')),
    );
    assert.deepEqual(line, {
      level: 'info',
      ...IDS,
      service: 'shop',
      component: 'billing',
      operation: 'invoice',
      duration_ms: 12,
      msg: 'sent',
    });
    assert.equal(new Date(time).toISOString(), time);
    assert.deepEqual(JSON.parse(items[0].line), { time, ...line });
    assert.equal(new Date(items[0].time).toISOString(), time);
    assert.deepEqual([items[0].level, items[0].messageKey, levels], [30, 'msg', ['info']]);
  });

  const CALLS: [name: string, args: any[], expected: object][] = [
    ['a text', ['hello'], { msg: 'hello' }],
    ['a text with arguments', ['%s is %d', 'x', 3], { msg: 'x is 3' }],
    ['an object alone', [{ a: 1 }], { a: 1, msg: '' }],
    ['an object with a message of its own', [{ a: 1, msg: 'own' }], { a: 1, msg: 'own' }],
    ['an object and arguments', [{ a: 1 }, '%s', 'x'], { a: 1, msg: 'x' }],
    ['null', [null, 'x'], { msg: 'x' }],
    ['undefined', [undefined, 'x'], { msg: 'x' }],
    ['nothing', [], { msg: '' }],
    ['a number', [7], { msg: '7' }],
    [
      'members that the line has of itself',
      [{ level: 'l', time: 't', service: 's' }, 'x'],
      { 'field.level': 'l', 'field.time': 't', 'field.service': 's', msg: 'x' },
    ],
    [
      'secrets',
      [{ password: 'p', headers: { cookie: 'c' } }, 'token=t'],
      { password: '[redacted]', headers: { cookie: '[redacted]' }, msg: 'token=[redacted]' },
    ],
  ];
  for (const [name, args, expected] of CALLS) {
    test(`called with ${name}`, () => {
      const { logs } = start();
      const [{ time, ...line }] = lines(() => (logs.logger.info as any)(...args));
      assert.deepEqual(line, { level: 'info', service: 'shop', ...expected });
    });
  }

  test('an error: type, message, stack, code, category and causes', () => {
    const { logs } = start({}, { categorize: (error) => (error instanceof RangeError ? 'invalid_input' : '') });
    class PaymentError extends Error {}
    const cause = Object.assign(new PaymentError('declined'), { code: 'E_CARD' });
    const error = new RangeError('no order', { cause });
    const [alone, under, odd] = lines(() => {
      logs.logger.error(error);
      logs.logger.error({ err: error, order: 17 }, 'failed');
      logs.logger.error({ err: 'a text' }, 'thrown');
    });
    for (const { err } of [alone, under]) {
      assert.deepEqual([err.type, err.message, err.category], ['RangeError', 'no order', 'invalid_input']);
      assert.match(err.stack, /logger\.test\.ts/);
      assert.deepEqual([err.cause.type, err.cause.message, err.cause.code], ['PaymentError', 'declined', 'E_CARD']);
    }
    assert.deepEqual([alone.msg, under.msg, under.order, odd.err], ['no order', 'failed', 17, 'a text']);
  });

  test('causes that go in a circle end; a hostile error is a line', () => {
    const { logs } = start();
    const circular: Error & { cause?: unknown } = new Error('a');
    circular.cause = circular;
    const hostile = new Error('x');
    Object.defineProperty(hostile, 'message', {
      get() {
        throw new Error('no');
      },
    });
    const found = lines(() => {
      logs.logger.error(circular);
      logs.logger.error({ err: hostile }, 'hostile');
    });
    assert.equal(JSON.stringify(found[0]).split('"cause"').length - 1, 5);
    assert.equal(found[1].err.message, '[unreadable]');
  });

  test('O11Y_LOG_LEVEL decides what is written, shipped and counted', () => {
    const { logs, items, levels } = start({ O11Y_LOG_LEVEL: 'warn' });
    const { logger } = logs;
    const found = lines(() => {
      for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) logger[level]('x');
    });
    assert.deepEqual(
      found.map(({ level }) => level),
      ['warn', 'error', 'fatal'],
    );
    assert.deepEqual(
      [items.map(({ level }) => level), levels],
      [
        [40, 50, 60],
        ['warn', 'error', 'fatal'],
      ],
    );
    assert.deepEqual([logger.level, logger.isLevelEnabled('info'), logger.isLevelEnabled('warn')], ['warn', false, true]);
  });

  test('a child of a child has the fields of both, the nearer ones win', () => {
    const { logs } = start();
    const [line] = lines(() => logs.logger.child({ component: 'a', x: 1 }).child({ component: 'b', token: 't' }).info('x'));
    assert.deepEqual([line.component, line.x, line.token], ['b', 1, '[redacted]']);
  });

  test('ids given by the app stand, no key twice', () => {
    const { logs } = start();
    const { stdout } = captureStreams(() => storage.run(requestContext(), () => logs.logger.info({ trace_id: 'mine' }, 'x')));
    assert.equal(stdout.split('"trace_id":').length, 2);
    assert.equal(JSON.parse(stdout).trace_id, 'mine');
  });

  test('nothing that is logged throws into the app', () => {
    const { logs } = start();
    const hostile = new Proxy({}, { ownKeys: () => assert.fail('ownKeys') });
    const text = { toString: () => assert.fail('toString') };
    captureStreams(() => {
      logs.logger.info(hostile as any, 'x');
      logs.logger.info({ msg: text }, undefined);
      (logs.logger.info as any)({}, text);
    });
  });

  test('OTEL_LOGS_EXPORTER=console: each record is printed as it would be exported', () => {
    const { logs, items, levels } = start({ OTEL_LOGS_EXPORTER: 'console' });
    const [line, record] = lines(() => storage.run(requestContext(), () => logs.logger.warn({ a: 1, token: 't' }, 'x')));
    assert.deepEqual(record, {
      timestamp: line.time,
      severityNumber: 13,
      severityText: 'warn',
      body: 'x',
      traceId: IDS.trace_id,
      spanId: IDS.span_id,
      traceFlags: 1,
      attributes: { correlation_id: IDS.correlation_id, service: 'shop', a: 1, token: '[redacted]' },
    });
    assert.deepEqual([items.length, levels], [0, ['warn']]);
  });

  test('a stdout that is closed or breaks ends nothing', () => {
    const { logs } = start();
    const listeners = process.stdout.listenerCount('error');
    const { write } = process.stdout;
    process.stdout.write = () => {
      throw new Error('EPIPE');
    };
    try {
      logs.logger.info('x');
    } finally {
      process.stdout.write = write;
    }
    assert.equal(process.stdout.listenerCount('error'), listeners);
  });
});

describe('pretty', () => {
  test('a line to read: level, time, component, message, fields; the ids stay out', async () => {
    const { logs } = start({ O11Y_LOG_FORMAT: 'pretty' });
    const { stdout } = captureStreams(() =>
      storage.run(requestContext(), () => logs.logger.child({ component: 'billing' }).info({ order: 17 }, 'sent')),
    );
    assert.match(stdout, /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: billing: sent\n {4}order: 17\n$/);
  });

  test('warnings and access lines name the address of their trace in the viewer', async () => {
    const { logs } = start({ O11Y_LOG_FORMAT: 'pretty' });
    const text = await written(() => {
      storage.run(requestContext(), () => logs.logger.warn('slow'));
      logs.access(access());
    });
    const address = `http://localhost:4318/t/${IDS.trace_id}`;
    assert.deepEqual(
      text
        .trimEnd()
        .split('\n')
        .filter((line) => line.includes(address)).length,
      2,
      text,
    );
    assert.match(text, /INFO: GET \/orders\/17\?token=\[redacted\] 200/);
  });

  test('an error is shown with its stack', () => {
    const { logs } = start({ O11Y_LOG_FORMAT: 'pretty' });
    const { stdout } = captureStreams(() => logs.logger.error(new TypeError('broken')));
    assert.match(stdout, /ERROR: broken\n {4}err: \{\n(.*\n)* +"stack":\n +TypeError: broken\n +at /);
  });

  test('control characters of a message cannot move the cursor', () => {
    const { logs } = start({ O11Y_LOG_FORMAT: 'pretty' });
    const { stdout } = captureStreams(() => logs.logger.info({ field: '\u001b[31m' }, 'a\u001b[2Jb\u0007'));
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f]/);
  });
});

function access(more: Partial<AccessLine> = {}): AccessLine {
  return {
    method: 'GET',
    route: '/orders/:id',
    path: '/orders/17?token=abc',
    status: 200,
    durationMs: 1.23456,
    client: '::1',
    userAgent: 'curl/8 "quoted"',
    context: requestContext({ logged: false }),
    ...more,
  };
}

describe('access lines', () => {
  test('a line of the contract', async () => {
    const { logs, items } = start();
    const text = await written(() => logs.access(access()));
    const { time, ...line } = JSON.parse(text);
    assert.deepEqual(line, {
      level: 'info',
      ...IDS,
      service: 'shop',
      component: 'http',
      'http.method': 'GET',
      'http.route': '/orders/:id',
      'http.status': 200,
      duration_ms: 1.235,
      client: '::1',
      user_agent: 'curl/8 "quoted"',
      msg: 'GET /orders/17?token=[redacted] 200',
    });
    assert.equal(items[0].line, text);
    assert.equal(new Date(time).toISOString(), time);
  });

  test('lines of one turn are one write, before the next line of the logger', async () => {
    const { logs } = start();
    const writes: string[] = [];
    const { write } = process.stdout;
    process.stdout.write = ((chunk: string) => writes.push(chunk) > 0) as typeof write;
    try {
      for (let i = 0; i < 3; i++) logs.access(access());
      assert.equal(writes.length, 0);
      logs.logger.info('after');
    } finally {
      process.stdout.write = write;
    }
    assert.deepEqual(
      writes.map((text) => text.split('\n').length - 1),
      [4],
    );
    assert.match(writes[0], /"msg":"after"\}\n$/);
  });

  const logged: KitContext = requestContext({ logged: true } as Partial<RequestState>);
  const WHEN: [name: string, env: Record<string, string>, line: Partial<AccessLine>, level: string | undefined][] = [
    ['auto', {}, {}, 'info'],
    ['auto, and the app has logged the request', {}, { context: logged }, undefined],
    ['on, and the app has logged the request', { O11Y_ACCESS_LOG: 'on' }, { context: logged }, 'info'],
    ['off', { O11Y_ACCESS_LOG: 'off' }, {}, undefined],
    ['a client error', {}, { status: 404, route: '' }, 'info'],
    ['a server error', {}, { status: 503 }, 'error'],
    ['an aborted request', {}, { status: 0 }, 'info'],
    ['level warn', { O11Y_LOG_LEVEL: 'warn' }, {}, undefined],
    ['level warn, a server error', { O11Y_LOG_LEVEL: 'warn' }, { status: 500 }, 'error'],
    ['without a request', {}, { context: ROOT }, 'info'],
  ];
  for (const [name, env, line, level] of WHEN) {
    test(`${name}: ${level ?? 'no line'}`, async () => {
      const { logs, items, levels } = start(env);
      const text = await written(() => logs.access(access(line)));
      assert.equal(text === '' ? undefined : JSON.parse(text).level, level);
      assert.deepEqual([items.length, levels], level ? [1, [level]] : [0, []]);
    });
  }

  test('hostile methods, paths and agents stay inside of their line, and are bounded', async () => {
    const { logs, items } = start();
    const hostile = '"}\n{"level":"fatal","x":"\u2028\ud800';
    const text = await written(() =>
      logs.access(access({ method: hostile, path: hostile.repeat(10_000), route: hostile, userAgent: hostile.repeat(10_000) })),
    );
    assert.equal(text.split('\n').length, 2);
    const line = JSON.parse(text);
    assert.equal(line['http.method'], hostile);
    assert.ok(items[0].line.length < 20_000);
  });
});

describe('lifecycle lines', () => {
  test('are written at once, with their fields', () => {
    const { logs, items } = start();
    const [line] = lines(() => logs.lifecycle('fatal', 'uncaught exception', { err: new Error('x'), exit_code: 1 }));
    assert.deepEqual(
      [line.level, line.component, line.msg, line.err.message, line.exit_code],
      ['fatal', 'lifecycle', 'uncaught exception', 'x', 1],
    );
    assert.equal(items[0].level, 60);
  });
});

test('stop writes what waits and leaves no listener', () => {
  const listeners = process.listenerCount('exit');
  const { logs } = startLogs();
  const found = lines(() => {
    logs.access(access());
    assert.equal(process.listenerCount('exit'), listeners + 1);
    logs.stop();
  });
  assert.equal(found.length, 1);
  assert.equal(process.listenerCount('exit'), listeners);
});
