import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { afterEach, test } from 'node:test';
import { storage } from '../../instrumentation/context.ts';
import { appRequire, captureStreams, IDS, requestContext, startLogs } from './harness.ts';

const winston = appRequire('winston');
const { format } = winston;
const running: { stop(): void }[] = [];

afterEach(() => {
  for (const logs of running.splice(0)) logs.stop();
});

/** A logger of the app, and what its transport wrote. */
function logger(options: object = {}) {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk).trimEnd());
      done();
    },
  });
  return { lines, log: winston.createLogger({ transports: [new winston.transports.Stream({ stream })], ...options }) };
}

function wired(env?: Record<string, string>) {
  const started = startLogs(env);
  running.push(started.logs);
  started.logs.adoptWinston(winston);
  started.logs.adoptWinston(winston);
  return started;
}

const FORMATS: [name: string, make: () => object][] = [
  ['json, the default', () => ({})],
  ['simple', () => ({ format: format.simple() })],
  [
    'timestamp and printf',
    () => ({
      format: format.combine(
        format.timestamp({ format: () => 'now' }),
        format.printf((i: any) => `${i.timestamp} ${i.level} ${i.message} ${i.trace_id ?? ''}`),
      ),
    }),
  ],
  ['splat', () => ({ format: format.combine(format.splat(), format.json()) })],
  ['errors', () => ({ format: format.combine(format.errors({ stack: false }), format.json()) })],
  ['colorize', () => ({ format: format.combine(format.colorize(), format.simple()) })],
  ['defaultMeta', () => ({ defaultMeta: { service: 'a' } })],
  ['syslog levels', () => ({ levels: winston.config.syslog.levels })],
];

function calls(log: any): void {
  log.info('hello');
  log.info('with meta', { a: 1, nested: { b: [2] } });
  log.log('warning' in log ? 'warning' : 'warn', 'by name');
  log.log({ level: 'info', message: 'an object', x: 1 });
  log.info('%s is %d', 'x', 3);
  log.child({ request: 7 }).error('from a child');
  log.debug('below the level');
}

for (const [name, make] of FORMATS) {
  test(`${name}: without a request every line is the app's own`, () => {
    const alone = logger(make());
    calls(alone.log);
    wired();
    const again = logger(make());
    calls(again.log);
    assert.deepEqual(again.lines, alone.lines);
    assert.ok(alone.lines.length >= 6);
  });

  test(`${name}: in a request each line has the ids, and is shipped once`, () => {
    const { items, levels } = wired();
    const { lines, log } = logger(make());
    storage.run(requestContext(), () => calls(log));
    for (const line of lines) assert.ok(line.includes(IDS.trace_id), line);
    assert.equal(items.length, lines.length);
    assert.equal(levels.length, lines.length);
    for (const { line, messageKey } of items) {
      const { trace_id, span_id, trace_flags, correlation_id, [messageKey]: message } = JSON.parse(line);
      assert.deepEqual({ trace_id, span_id, trace_flags, correlation_id }, IDS);
      assert.equal(typeof message, 'string');
    }
  });
}

test('levels of npm, syslog and the app are told', () => {
  const { items } = wired();
  const npm = logger({ level: 'silly' }).log;
  for (const level of ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly']) npm.log(level, 'x');
  const syslog = logger({ level: 'debug', levels: winston.config.syslog.levels }).log;
  for (const level of ['emerg', 'alert', 'crit', 'error', 'warning', 'notice', 'info', 'debug']) syslog.log(level, 'x');
  logger({ level: 'odd', levels: { odd: 0 } }).log.log('odd', 'x');
  assert.deepEqual(
    items.map(({ level }) => level),
    [50, 40, 30, 25, 20, 20, 10, 60, 60, 60, 50, 40, 30, 30, 20, 30],
  );
});

test('meta and errors are shipped as fields', () => {
  const { items } = wired();
  const { log } = logger();
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  log.info('meta', { a: 1, big: 10n, cycle, fn() {}, when: new Date(0), failure: new TypeError('inner') });
  log.error(new RangeError('outer'));
  log.error('failed', new Error('second'));
  const [meta, alone, among] = items.map(({ line }) => JSON.parse(line));
  const { failure, ...rest } = meta;
  assert.deepEqual(rest, {
    level: 'info',
    a: 1,
    big: '10',
    cycle: '[unreadable]',
    when: '1970-01-01T00:00:00.000Z',
    msg: 'meta',
  });
  assert.deepEqual([failure.type, failure.message], ['TypeError', 'inner']);
  assert.deepEqual([alone.msg, alone.err.type, alone.err.message], ['outer', 'RangeError', 'outer']);
  assert.deepEqual([among.msg, typeof among.stack], ['failed second', 'string']);
});

test("what the app's format removes does not leave the process", () => {
  const { items } = wired();
  const drop = format((info: any) => {
    delete info.card;
    return info;
  });
  logger({ format: format.combine(drop(), format.json()) }).log.info('paid', { card: '4242' });
  assert.doesNotMatch(items[0].line, /4242/);
});

test('silent loggers, levels that are off and filtered records are not shipped', () => {
  const { items } = wired();
  logger({ silent: true }).log.error('no');
  logger().log.debug('no');
  logger({ format: format((info: any) => (info.private ? false : info))() }).log.info('no', { private: true });
  assert.equal(items.length, 0);
});

test('ids of the app stand', () => {
  const { items } = wired();
  const { lines, log } = logger();
  storage.run(requestContext(), () => log.info('x', { trace_id: 'mine' }));
  assert.equal(JSON.parse(lines[0]).trace_id, 'mine');
  assert.equal(JSON.parse(items[0].line).span_id, undefined);
});

test('a record that cannot be changed goes without ids, and is shipped', () => {
  const { items } = wired();
  const copy = format((info: any) => ({ ...info, [Symbol.for('message')]: info.message }));
  const { lines, log } = logger({ format: copy() });
  const info = Object.freeze({ level: 'info', message: 'x', [Symbol.for('level')]: 'info' });
  storage.run(requestContext(), () => log.write(info));
  assert.deepEqual([lines, items.map(({ line }) => line)], [['x'], ['{"level":"info","msg":"x"}']]);
});

test('through the console transport a line is shipped once, not by the console again', () => {
  const { items, logs } = wired({ O11Y_CAPTURE_CONSOLE: 'json' });
  const stop = logs.captureConsole(() => true);
  try {
    const log = winston.createLogger({ transports: [new winston.transports.Console({ forceConsole: true })] });
    const { stdout } = captureStreams(() => storage.run(requestContext(), () => log.info('hello')));
    assert.equal(
      stdout,
      `{"correlation_id":"order-17","level":"info","message":"hello","span_id":"${IDS.span_id}","trace_flags":"01","trace_id":"${IDS.trace_id}"}\n`,
    );
    assert.equal(items.length, 1);
  } finally {
    stop();
  }
});

test('stop gives winston back', () => {
  const { prototype } = winston.Logger;
  const before = [prototype.write, prototype.push, Object.hasOwn(prototype, 'write'), Object.hasOwn(prototype, 'push')];
  const { logs, items } = wired();
  assert.notEqual(prototype.write, before[0]);
  logs.stop();
  assert.deepEqual(
    [prototype.write, prototype.push, Object.hasOwn(prototype, 'write'), Object.hasOwn(prototype, 'push')],
    before,
  );
  logger().log.info('x');
  assert.equal(items.length, 0);
});

test('anything may be offered as winston', () => {
  const { logs, messages } = startLogs();
  for (const exported of [undefined, null, 1, {}, { Logger: {} }, { Logger: class {} }]) logs.adoptWinston(exported);
  assert.deepEqual(messages, []);
});
