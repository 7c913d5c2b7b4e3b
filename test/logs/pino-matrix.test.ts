/**
 * pino with every option that changes a line, in the versions 8, 9 and 10: each line is made twice, by pino alone and by
 * the wired one, and must be the same but for the ids.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { storage } from '../../instrumentation/context.ts';
import type { LogItem } from '../../instrumentation/export/sink.ts';
import { appRequire, IDS, requestContext, startLogs } from './harness.ts';

const FIELDS =
  ',"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","trace_flags":"01","correlation_id":"order-17"';

interface Row {
  readonly name: string;
  readonly options?: (pino: any) => object;
  readonly log: (logger: any) => unknown;
  /** First version that has the option. */
  readonly since?: number;
  /** Levels of the lines. */
  readonly levels?: readonly number[];
  readonly messageKey?: string;
}

const error = Object.assign(new Error('broken'), { stack: 'Error: broken\n    at somewhere' });

const ROWS: readonly Row[] = [
  { name: 'a text', log: (l) => l.info('hello') },
  { name: 'a text with arguments', log: (l) => l.info('hello %s %d %o', 'you', 3, { a: 1 }) },
  { name: 'an object', log: (l) => l.info({ a: 1, b: 'two', c: [3], d: null, e: undefined, f: { g: 1 } }, 'hello') },
  { name: 'an object alone', log: (l) => l.info({ a: 1 }) },
  {
    name: 'null, undefined and nothing',
    log: (l) => [l.info(null), l.info(undefined), l.info(), l.info({})],
    levels: [30, 30, 30, 30],
  },
  { name: 'an error', log: (l) => [l.error(error), l.error({ err: error }, 'with text')], levels: [50, 50] },
  {
    name: 'every level',
    options: () => ({ level: 'trace' }),
    log: (l) => [l.trace('t'), l.debug('d'), l.info('i'), l.warn('w'), l.error('e'), l.fatal('f')],
    levels: [10, 20, 30, 40, 50, 60],
  },
  { name: 'a level that is off', log: (l) => [l.debug('no'), l.info('yes')] },
  { name: 'silent', options: () => ({ level: 'silent' }), log: (l) => l.fatal('no'), levels: [] },
  {
    name: 'silent, then on',
    options: () => ({ level: 'silent' }),
    log: (l) => [l.info('no'), (l.level = 'info'), l.info('yes')],
  },
  { name: 'a child', log: (l) => l.child({ module: 'a' }).info('hello') },
  {
    name: 'a child of a child with serializers and a level',
    log: (l) =>
      l
        .child({ module: 'a' })
        .child({ part: 'b' }, { level: 'debug', serializers: { x: () => 'y' } })
        .debug({ x: 1 }, 'hello'),
    levels: [20],
  },
  {
    name: 'setBindings',
    log: (l) => {
      const c = l.child({});
      c.setBindings({ late: true });
      c.info('hello');
    },
  },
  { name: 'name', options: () => ({ name: 'shop' }), log: (l) => l.info('hello') },
  {
    name: 'base null',
    options: () => ({ base: null }),
    log: (l) => [l.info('hello'), l.child({ a: 1 }).info({ b: 2 })],
    levels: [30, 30],
  },
  { name: 'base of its own', options: () => ({ base: { region: 'eu' } }), log: (l) => l.info('hello') },
  {
    name: 'nestedKey',
    options: () => ({ nestedKey: 'payload' }),
    log: (l) => [l.info({ a: 1 }, 'hello'), l.info('bare')],
    levels: [30, 30],
  },
  {
    name: 'nestedKey with ids of the app inside',
    options: () => ({ nestedKey: 'payload' }),
    log: (l) => l.info({ trace_id: 'inner' }, 'hello'),
  },
  { name: 'crlf', options: () => ({ crlf: true }), log: (l) => l.info({ a: 1 }, 'hello') },
  {
    name: 'messageKey',
    options: () => ({ messageKey: 'message' }),
    log: (l) => l.info({ msg: 'a field' }, 'hello'),
    messageKey: 'message',
  },
  { name: 'errorKey', options: () => ({ errorKey: 'failure' }), log: (l) => l.error(error), levels: [50] },
  { name: 'timestamp false', options: () => ({ timestamp: false }), log: (l) => l.info({ a: 1 }, 'hello') },
  {
    name: 'timestamp false and base null',
    options: () => ({ timestamp: false, base: null }),
    log: (l) => [l.info('hello'), l.info({ a: 1 })],
    levels: [30, 30],
  },
  { name: 'timestamp isoTime', options: (pino) => ({ timestamp: pino.stdTimeFunctions.isoTime }), log: (l) => l.info('hello') },
  { name: 'timestamp unixTime', options: (pino) => ({ timestamp: pino.stdTimeFunctions.unixTime }), log: (l) => l.info('hello') },
  {
    name: 'timestamp under another key',
    options: () => ({ timestamp: () => ',"@timestamp":"2026-01-01T00:00:00Z"' }),
    log: (l) => l.info('hello'),
  },
  {
    name: 'formatters.level',
    options: () => ({ formatters: { level: (label: string) => ({ severity: label.toUpperCase() }) } }),
    log: (l) => l.warn('hello'),
    levels: [40],
  },
  {
    name: 'formatters.bindings',
    options: () => ({ formatters: { bindings: () => ({ host: 'h' }) } }),
    log: (l) => l.child({ a: 1 }).info('hello'),
  },
  {
    name: 'formatters.log',
    options: () => ({ formatters: { log: (o: object) => ({ wrapped: o }) } }),
    log: (l) => l.info({ a: 1 }, 'hello'),
  },
  {
    name: 'redact',
    options: () => ({ redact: ['password', 'user.card'] }),
    log: (l) => l.info({ password: 'x', user: { card: 'y', name: 'z' } }, 'hello'),
  },
  {
    name: 'redact with remove',
    options: () => ({ redact: { paths: ['password'], remove: true } }),
    log: (l) => l.info({ password: 'x', a: 1 }, 'hello'),
  },
  { name: 'redact everything', options: () => ({ redact: ['*'] }), log: (l) => l.info({ a: 'x' }, 'hello') },
  {
    name: 'mixin',
    options: () => ({ mixin: (_: object, level: number) => ({ mixed: level }) }),
    log: (l) => l.info({ a: 1 }, 'hello'),
  },
  {
    name: 'mixinMergeStrategy',
    options: () => ({ mixin: () => ({ a: 2 }), mixinMergeStrategy: (o: object, m: object) => ({ ...o, ...m }) }),
    log: (l) => l.info({ a: 1 }, 'hello'),
  },
  {
    name: 'customLevels',
    options: () => ({ customLevels: { http: 35 } }),
    log: (l) => [l.http('hello'), l.info('too')],
    levels: [35, 30],
  },
  {
    name: 'customLevels only',
    options: () => ({ customLevels: { loud: 70 }, useOnlyCustomLevels: true, level: 'loud' }),
    log: (l) => l.loud('hello'),
    levels: [70],
  },
  {
    name: 'serializers',
    options: () => ({ serializers: { user: (u: any) => u.id, msg: (m: string) => `${m}!` } }),
    log: (l) => l.info({ user: { id: 7, secret: 1 } }, 'hello'),
  },
  {
    name: 'msgPrefix',
    options: () => ({ msgPrefix: '[x] ' }),
    log: (l) => [l.info('hello'), l.child({}, { msgPrefix: '[y] ' }).info('there')],
    levels: [30, 30],
  },
  {
    name: 'hooks.logMethod',
    options: () => ({
      hooks: {
        logMethod(args: any[], method: any) {
          method.apply(this, args.reverse());
        },
      },
    }),
    log: (l) => l.info('hello', { a: 1 }),
  },
  {
    name: 'hooks.streamWrite',
    since: 9,
    options: () => ({ hooks: { streamWrite: (line: string) => line.replaceAll('hunter2', '***') } }),
    log: (l) => [l.info('hunter2'), l.child({ a: 'hunter2' }).warn('hunter2')],
    levels: [30, 40],
  },
  {
    name: 'depthLimit and edgeLimit',
    options: () => ({ depthLimit: 1, edgeLimit: 1 }),
    log: (l) => l.info({ a: { b: { c: 1 } }, list: [{}, {}, {}] }),
  },
  {
    name: 'a cycle, a throwing toJSON, a BigInt-free object',
    log: (l) => {
      const o: any = {};
      o.o = o;
      l.info({ o });
    },
  },
  { name: 'text that looks like an id', log: (l) => l.info({ note: '"trace_id":"fake"', user_id: 7 }, '","span_id":"fake"') },
  { name: 'ids deeper in an object', log: (l) => l.info({ upstream: { trace_id: 'other', correlation_id: 'other' } }, 'hello') },
  { name: 'a request and a response', log: (l) => l.info({ method: 'GET', headers: {}, socket: {}, url: '/' }, 'hello') },
];

for (const [version, name] of [
  [8, 'pino8'],
  [9, 'pino9'],
  [10, 'pino10'],
] as const) {
  describe(`pino ${version}`, () => {
    const pino = appRequire(name);
    const rows = ROWS.filter(({ since = 8 }) => since <= version);
    const alone = new Map<Row, string[]>();
    const { logs, items } = startLogs();

    function run({ options, log }: Row): string[] {
      const lines: string[] = [];
      log(pino(options?.(pino) ?? {}, { write: (line: string) => void lines.push(line) }));
      return lines;
    }
    function shipped(row: Row): { lines: string[]; items: LogItem[] } {
      items.length = 0;
      return { lines: run(row), items: [...items] };
    }

    before(() => {
      for (const row of rows) alone.set(row, run(row));
      logs.adoptPino(pino);
      logs.adoptPino(pino);
    });
    after(() => logs.stop());

    for (const row of rows) {
      test(`${row.name}: the line is pino's own with the ids behind level and time`, () => {
        const { lines } = storage.run(requestContext(), () => shipped(row));
        assert.equal(lines.length, alone.get(row)?.length);
        lines.forEach((line, index) => {
          const bare = alone.get(row)?.[index] as string;
          assert.equal(clock(line.replace(FIELDS, '')), clock(bare));
          assert.equal(line.split(FIELDS).length, 2, 'the ids stand in the line once');
          const { trace_id, span_id, trace_flags, correlation_id } = JSON.parse(line);
          assert.deepEqual({ trace_id, span_id, trace_flags, correlation_id }, IDS);
          assert.match(line.slice(0, line.indexOf(FIELDS)), /^\{"(level|severity)":[^,]+(,"@?time(stamp)?":[^,]+)?$/);
        });
      });

      test(`${row.name}: every line is shipped as it was written`, () => {
        const { lines, items } = storage.run(requestContext(), () => shipped(row));
        assert.deepEqual(
          items.map(({ line }) => line),
          lines,
        );
        const { levels = [30], messageKey = 'msg' } = row;
        assert.deepEqual(
          items.map(({ level }) => level),
          levels,
        );
        for (const item of items) {
          assert.equal(item.messageKey, messageKey);
          assert.ok(Math.abs(item.time - Date.now()) < 60_000, `${item.time} is now, whatever clock the line has`);
        }
      });

      test(`${row.name}: outside of a request the line is pino's, byte for byte`, () => {
        const { lines, items } = shipped(row);
        assert.deepEqual(lines.map(clock), alone.get(row)?.map(clock));
        assert.equal(items.length, lines.length);
      });
    }
  });
}

/** Lines differ in their clock. */
function clock(line: string): string {
  return line.replace(/"time":("[^"]*"|[\d.]+)/, '"time":0');
}
