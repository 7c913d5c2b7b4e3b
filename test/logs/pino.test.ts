import assert from 'node:assert/strict';
import http from 'node:http';
import { afterEach, describe, test } from 'node:test';
import { KitContext, REQUEST, type RequestState, ROOT, storage } from '../../instrumentation/context.ts';
import { appRequire, IDS, requestContext, startLogs } from './harness.ts';

const VERSIONS = ['pino8', 'pino9', 'pino10'];
const running: { stop(): void }[] = [];

afterEach(() => {
  for (const logs of running.splice(0)) logs.stop();
});

function wired(version: string, env?: Record<string, string>) {
  const started = startLogs(env);
  running.push(started.logs);
  const pino = appRequire(version);
  started.logs.adoptPino(pino);
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const make = (options: object = {}) => pino({ base: null, timestamp: false, ...options }, destination);
  return { ...started, pino, lines, make };
}

for (const version of VERSIONS) {
  describe(version, () => {
    const OWN: [name: string, options: object, log: (logger: any) => void, expected: object][] = [
      ['in the object', {}, (l) => l.info({ trace_id: 'mine', span_id: 'own' }, 'x'), { trace_id: 'mine', span_id: 'own' }],
      ['in a child', {}, (l) => l.child({ trace_id: 'mine' }).info('x'), { trace_id: 'mine' }],
      ['in the base', { base: { trace_id: 'mine' } }, (l) => l.info('x'), { trace_id: 'mine' }],
      ['in a mixin', { mixin: () => ({ trace_id: 'mine' }) }, (l) => l.info('x'), { trace_id: 'mine' }],
      ['in formatters.log', { formatters: { log: () => ({ trace_id: 'mine' }) } }, (l) => l.info('x'), { trace_id: 'mine' }],
      ['without a trace id', {}, (l) => l.info({ span_id: 'own' }, 'x'), { span_id: 'own' }],
    ];
    for (const [name, options, log, expected] of OWN) {
      test(`ids of the app ${name} stand alone: no key twice, no mixture of two traces`, () => {
        const { lines, make } = wired(version);
        const logger = make(options);
        storage.run(requestContext(), () => log(logger));
        assert.deepEqual(JSON.parse(lines[0]), {
          level: 30,
          correlation_id: IDS.correlation_id,
          ...expected,
          msg: 'x',
        });
        for (const key of Object.keys(IDS)) assert.ok(lines[0].split(`"${key}":`).length <= 2, lines[0]);
      });
    }

    test('a mixin that adds the very ids of the context leaves each once', () => {
      const { lines, make } = wired(version);
      const { trace_id, span_id, trace_flags } = IDS;
      const logger = make({ mixin: () => ({ trace_id, span_id, trace_flags }) });
      storage.run(requestContext(), () => logger.info('x'));
      assert.deepEqual(JSON.parse(lines[0]), { level: 30, ...IDS, msg: 'x' });
      assert.equal(lines[0].split('"trace_id":').length, 2);
    });

    test('a correlation id of the app does not push out the trace id', () => {
      const { lines, make } = wired(version);
      storage.run(requestContext(), () => make().info({ correlation_id: 'mine' }, 'x'));
      assert.deepEqual(JSON.parse(lines[0]), { level: 30, ...IDS, correlation_id: 'mine', msg: 'x' });
    });

    test('a correlation id without a span is written alone', () => {
      const { lines, make } = wired(version);
      storage.run(ROOT.withCorrelationId('job-1'), () => make().info('x'));
      assert.deepEqual(JSON.parse(lines[0]), { level: 30, correlation_id: 'job-1', msg: 'x' });
    });

    test('exceptions of the app stay what they are: serializer, mixin, destination', () => {
      const { pino, make } = wired(version);
      const boom = () => {
        throw new RangeError('mine');
      };
      storage.run(requestContext(), () => {
        assert.throws(() => make({ serializers: { a: boom } }).info({ a: 1 }), RangeError);
        assert.throws(() => make({ mixin: boom }).info('x'), RangeError);
        assert.throws(() => pino({}, { write: boom }).info('x'), RangeError);
      });
    });

    test('an outlet or a counter that throws is not felt by the app', () => {
      const failing = () => {
        throw new Error('ours');
      };
      const { logs } = startLogs({}, { outlet: { push: failing }, onLine: failing });
      running.push(logs);
      const pino = appRequire(version);
      logs.adoptPino(pino);
      const lines: string[] = [];
      storage.run(requestContext(), () => pino({}, { write: (line: string) => lines.push(line) }).info('x'));
      assert.equal(JSON.parse(lines[0]).trace_id, IDS.trace_id);
    });

    test('levels are counted by their standard name', () => {
      const { levels, make } = wired(version);
      const logger = make({ level: 'trace', customLevels: { http: 35, loud: 70 } });
      for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'http', 'loud']) logger[level]('x');
      assert.deepEqual(levels, ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'info', 'fatal']);
    });

    test('OTEL_LOGS_EXPORTER=none: ids and counts, nothing shipped', () => {
      const { items, levels, lines, make } = wired(version, { OTEL_LOGS_EXPORTER: 'none' });
      storage.run(requestContext(), () => make().info('x'));
      assert.equal(JSON.parse(lines[0]).trace_id, IDS.trace_id);
      assert.deepEqual([items.length, levels], [0, ['info']]);
    });

    test('stop gives pino back; started again it is wired once', () => {
      const first = wired(version);
      const logger = first.make();
      first.logs.stop();
      storage.run(requestContext(), () => logger.info('bare'));
      assert.deepEqual([first.lines[0], first.items.length], ['{"level":30,"msg":"bare"}\n', 0]);
      const again = wired(version);
      storage.run(requestContext(), () => logger.info('wired'));
      assert.equal(JSON.parse(first.lines[1]).trace_id, IDS.trace_id);
      assert.deepEqual([first.items.length, again.items.length], [0, 1]);
    });

    test('a destination of pino keeps the metadata that multistream and transports read', () => {
      const { pino } = wired(version);
      const stream: any = { [Symbol.for('pino.metadata')]: true, write() {} };
      storage.run(requestContext(), () => pino({ timestamp: () => ',"time":17' }, stream).warn({ a: 1 }, 'x'));
      assert.deepEqual([stream.lastTime, stream.lastLevel, stream.lastMsg, stream.lastObj], ['17', 40, 'x', { a: 1 }]);
    });

    test('pino.multistream: every stream gets the line, which is shipped once', () => {
      const { pino, items } = wired(version);
      const written: string[][] = [[], []];
      const streams = written.map((lines) => ({ level: 'info', stream: { write: (line: string) => void lines.push(line) } }));
      storage.run(requestContext(), () => pino({}, pino.multistream(streams)).info('x'));
      assert.equal(written[0][0], written[1][0]);
      assert.deepEqual([written[0].length, written[1].length, items.length], [1, 1, 1]);
    });

    test('the stream of the official instrumentation is left to deliver, said once', () => {
      const { pino, items, levels, messages } = wired(version);
      class OTelPinoStream {
        lines: string[] = [];
        write(line: string) {
          this.lines.push(line);
        }
      }
      const other = new OTelPinoStream();
      const logger = pino({}, pino.multistream([{ stream: { write() {} } }, { stream: other }]));
      storage.run(requestContext(), () => {
        logger.info('x');
        logger.info('y');
      });
      assert.deepEqual([items.length, levels.length, other.lines.length], [0, 2, 2]);
      assert.equal(messages.filter((message) => message.includes('ships its pino records')).length, 1);
      assert.equal(JSON.parse(other.lines[0]).trace_id, IDS.trace_id);
    });
  });
}

test('two copies of pino are both wired, and each line is shipped once', () => {
  const { logs, items } = startLogs();
  running.push(logs);
  const lines: string[] = [];
  for (const version of VERSIONS) {
    const pino = appRequire(version);
    logs.adoptPino(pino);
    logs.adoptPino(pino.default);
    storage.run(requestContext(), () => pino({}, { write: (line: string) => lines.push(line) }).info('x'));
  }
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).span_id),
    Array(VERSIONS.length).fill(IDS.span_id),
  );
  assert.equal(items.length, VERSIONS.length);
});

test('anything may be offered as pino: what is none is left alone', () => {
  const { logs, messages } = startLogs();
  const hostile = Object.assign(
    () => {
      throw new Error('no');
    },
    { symbols: { asJsonSym: Symbol('a'), writeSym: Symbol('w') } },
  );
  for (const exported of [undefined, null, 1, 'pino', {}, () => {}, { symbols: {} }]) logs.adoptPino(exported);
  assert.deepEqual(messages, []);
  logs.adoptPino(hostile);
  assert.match(messages[0], /pino could not be wired.*no/);
});

test('a line too long to keep is shipped shortened, with its ids and its length, and written whole', () => {
  const { items, lines, make } = wired('pino10');
  const text = 'x'.repeat(1_000_000);
  storage.run(requestContext(), () => make().info(text));
  assert.equal(JSON.parse(lines[0]).msg, text);
  const shipped = JSON.parse(items[0].line);
  assert.ok(items[0].line.length < 140_000);
  assert.deepEqual([shipped.trace_id, shipped['o11y.truncated'], items[0].messageKey], [IDS.trace_id, lines[0].length, 'msg']);
});

describe('an access line of the app spares the kit its own', () => {
  /** Logs inside a real request and says whether it was taken for the request's access line. */
  async function logged(log: (logger: any, req: http.IncomingMessage, res: http.ServerResponse) => void): Promise<boolean> {
    const { make } = wired('pino10');
    const state = { logged: false } as RequestState;
    const logger = make();
    const server = http.createServer((req, res) => {
      (res as any)[REQUEST] = state;
      storage.run(new KitContext(undefined, 'c', state), () => log(logger, req, res));
      res.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
    await new Promise((resolve) => server.close(resolve));
    return state.logged;
  }

  test('pino-http with its defaults', async () => {
    const { logs } = startLogs();
    logs.stop();
    const pinoHttp = appRequire('pino-http');
    assert.equal(await logged((logger, req, res) => pinoHttp({ logger })(req, res)), false, 'not before the response ends');
    assert.equal(await logged((logger, _req, res) => logger.info({ res, responseTime: 3 }, 'request completed')), true);
  });
  test('the response under `res`', async () => assert.equal(await logged((l, _req, res) => l.info({ res }, 'done')), true));
  test("Fastify's reply under `res`", async () =>
    assert.equal(await logged((l, _req, res) => l.info({ res: { raw: res } }, 'done')), true));
  test('a response time', async () => assert.equal(await logged((l) => l.info({ responseTime: 3 }, 'done')), true));
  test("pino-http's message, its keys renamed", async () =>
    assert.equal(await logged((l) => l.info({ took: 3 }, 'request completed')), true));
  test('an upstream response is none', async () =>
    assert.equal(await logged((l) => l.info({ res: { status: 200 } }, 'called billing')), false));
  test('any other line is none', async () => assert.equal(await logged((l) => l.info({ a: 1 }, 'hello')), false));
  test('a line with a hostile object is none, and is written', async () => {
    const hostile = new Proxy({}, { has: () => assert.fail('has') });
    assert.equal(await logged((l) => l.info(hostile, 'hello')), false);
  });
});
