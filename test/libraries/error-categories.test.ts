import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { type ErrorCategory, errorCategory } from '../../instrumentation/error-type.ts';
import { startViewer } from '../../viewer/testing.ts';
import { freePort } from '../support/free-port.ts';
import { startScenario } from './resilience-app.ts';

const error = (facts: object, message = 'failed') => Object.assign(new Error(message), facts);

/** Errors as the libraries make them. */
const ROWS: readonly [what: string, error: unknown, category: ErrorCategory][] = [
  ['a class of the app that says so itself', error({ category: 'invalid_input' }), 'invalid_input'],
  ['a category of the app that is none of ours', error({ category: 'payments' }), 'fatal'],
  ['pg: serialization failure', error({ name: 'error', code: '40001', severity: 'ERROR' }), 'retriable'],
  ['pg: deadlock', error({ code: '40P01' }), 'retriable'],
  ['pg: the connection broke', error({ code: '08006' }), 'retriable'],
  ['pg: an administrator ended the connection', error({ code: '57P01' }), 'retriable'],
  ['pg: too many connections', error({ code: '53300' }), 'transient'],
  ['pg: no connection of the pool', error({}, 'timeout exceeded when trying to connect'), 'transient'],
  ['pg: statement timeout', error({ code: '57014' }), 'transient'],
  ['pg: read-only after a failover', error({ code: '25006' }), 'transient'],
  ['pg: unique violation', error({ code: '23505' }), 'invalid_input'],
  ['pg: invalid text', error({ code: '22P02' }), 'invalid_input'],
  ['pg: no such table', error({ code: '42P01' }), 'fatal'],
  ['pg: wrong password', error({ code: '28P01' }), 'fatal'],
  ['mysql: deadlock', error({ code: 'ER_LOCK_DEADLOCK', errno: 1213, sqlState: '40001' }), 'retriable'],
  ['mysql: duplicate', error({ code: 'ER_DUP_ENTRY', errno: 1062, sqlState: '23000' }), 'invalid_input'],
  ['mysql: a code that is not known, by SQLSTATE', error({ code: 'ER_NEW', sqlState: '08S01' }), 'retriable'],
  ['mysql: too many connections', error({ code: 'ER_CON_COUNT_ERROR', sqlState: '08004' }), 'transient'],
  ['ioredis: loading', error({ name: 'ReplyError' }, 'LOADING Redis is loading the dataset in memory'), 'transient'],
  ['ioredis: wrong type', error({ name: 'ReplyError' }, 'WRONGTYPE Operation against a key'), 'invalid_input'],
  ['ioredis: wrong password', error({ name: 'ReplyError' }, 'WRONGPASS invalid username-password pair'), 'fatal'],
  ['ioredis: unknown command', error({ name: 'ReplyError' }, "ERR unknown command 'FOO'"), 'fatal'],
  ['an error of the app that begins like one of Redis', error({}, 'LOADING failed'), 'fatal'],
  ['mongodb: duplicate key', error({ name: 'MongoServerError', code: 11000 }), 'invalid_input'],
  ['mongodb: not primary', error({ name: 'MongoServerError', code: 10107 }), 'retriable'],
  ['mongodb: by label', error({ name: 'MongoServerError', code: 112, errorLabels: ['TransientTransactionError'] }), 'retriable'],
  ['mongodb: no server', error({ name: 'MongoServerSelectionError' }), 'transient'],
  ['kafkajs: by its own word', error({ name: 'KafkaJSProtocolError', retriable: true }), 'retriable'],
  ['kafkajs: gave up', error({ name: 'KafkaJSNumberOfRetriesExceeded', retriable: false }), 'transient'],
  ['gRPC: unavailable', error({ code: 14, details: 'no connection', metadata: {} }), 'retriable'],
  ['gRPC: resource exhausted', error({ code: 8, details: '', metadata: {} }), 'transient'],
  ['gRPC: invalid argument', error({ code: 3, details: '', metadata: {} }), 'invalid_input'],
  ['gRPC: internal', error({ code: 13, details: '', metadata: {} }), 'fatal'],
  ['AWS: throttled', error({ name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } }), 'transient'],
  ['AWS: retryable', error({ name: 'Odd', $retryable: {}, $metadata: { httpStatusCode: 500 } }), 'retriable'],
  ['AWS: retryable and throttled', error({ name: 'Odd', $retryable: { throttling: true } }), 'transient'],
  ['AWS: condition failed', error({ name: 'ConditionalCheckFailedException' }), 'invalid_input'],
  ['AWS: no access', error({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }), 'fatal'],
  ['Prisma: unique constraint', error({ code: 'P2002' }), 'invalid_input'],
  ['Prisma: no connection of the pool', error({ code: 'P2024' }), 'transient'],
  ['Prisma: unreachable', error({ code: 'P1001' }), 'retriable'],
  ['Prisma: unreachable at the start', error({ name: 'PrismaClientInitializationError', errorCode: 'P1001' }), 'retriable'],
  ['Prisma: a transaction that took too long', error({ code: 'P2028' }), 'transient'],
  ['Prisma: wrong arguments', error({ name: 'PrismaClientValidationError' }), 'invalid_input'],
  [
    'Prisma: a raw query, by the code of the database',
    error({ code: 'P2010', meta: { driverAdapterError: { cause: { originalCode: '40001' } } } }),
    'retriable',
  ],
  ['Prisma: a raw query of version 6', error({ code: 'P2010', meta: { code: '23505' } }), 'invalid_input'],
  ['HTTP 503', error({ statusCode: 503 }), 'transient'],
  ['HTTP 429 of axios', error({ name: 'AxiosError', code: 'ERR_BAD_REQUEST', response: { status: 429 } }), 'transient'],
  ['HTTP 404 of got', error({ name: 'HTTPError', response: { statusCode: 404 } }), 'invalid_input'],
  ['HTTP 500', error({ status: 500 }), 'fatal'],
  ['opossum: open', error({ code: 'EOPENBREAKER' }), 'transient'],
  ['undici: a wrong argument', error({ code: 'UND_ERR_INVALID_ARG' }), 'invalid_input'],
  ['undici: headers too late', error({ code: 'UND_ERR_HEADERS_TIMEOUT' }), 'retriable'],
  ['an aggregate of what was tried', new AggregateError([error({ code: 'ECONNREFUSED' })]), 'retriable'],
  ['a mistake in the code', new TypeError('x is undefined'), 'fatal'],
  ['a text', 'failed', 'fatal'],
  ['nothing', undefined, 'fatal'],
  ['a hostile object', new Proxy({}, { get: () => assert.fail('read') }), 'fatal'],
];

describe('the category of an error', () => {
  for (const [what, thrown, category] of ROWS) {
    it(`${what}: ${category}`, () => assert.equal(errorCategory(thrown), category));
  }

  it('a cycle of causes ends', () => {
    const [a, b] = [error({}), error({})];
    a.cause = b;
    b.cause = a;
    assert.equal(errorCategory(a), 'fatal');
  });

  it('fetch: what it could not reach', async () => {
    const refused = await fetch(`http://127.0.0.1:${await freePort()}/`).catch((thrown: unknown) => thrown);
    assert.equal((refused as Error).message, 'fetch failed');
    assert.equal(errorCategory(refused), 'retriable');
  });

  it('fetch: what took too long, and what was given up', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `http://127.0.0.1:${(silent.address() as { port: number }).port}/`;
    const late = await fetch(url, { signal: AbortSignal.timeout(1) }).catch((thrown: unknown) => thrown);
    const controller = new AbortController();
    const pending = fetch(url, { signal: controller.signal }).catch((thrown: unknown) => thrown);
    controller.abort();
    const aborted = await pending;
    silent.closeAllConnections();
    silent.close();
    assert.deepEqual([errorCategory(late), errorCategory(aborted)], ['retriable', 'transient']);
  });
});

for (const kind of ['cjs', 'mjs'] as const) {
  describe(`a classifier of the app in ${kind}`, { timeout: 60_000 }, () => {
    it('is asked first, on the metric, the span and the line, and cannot do harm', async () => {
      await using viewer = await startViewer();
      const scenario = await startScenario(viewer, kind, 'classifier', [`../../../../dist/index.${kind}`]);
      try {
        for (const path of ['stock', 'odd', 'slow', 'throws', 'logs', 'plain']) await scenario.ask(path);
        const spans = await viewer.waitForSpans({ kind: 'server' }, { count: 6 });
        const onSpans = spans.map(({ attributes }) => `${attributes['url.path']} ${attributes['error.category']}`);
        assert.deepEqual(onSpans.toSorted(), [
          '/logs transient',
          '/odd fatal',
          '/plain retriable',
          '/slow fatal',
          '/stock invalid_input',
          '/throws fatal',
        ]);
        assert.deepEqual(await scenario.samples('o11y_errors_total', 'error_type', 'error_category'), [
          'ECONNRESET retriable: 1',
          'Logs transient: 1',
          'Odd fatal: 1',
          'OutOfStock invalid_input: 1',
          'Slow fatal: 1',
          'Throws fatal: 1',
        ]);
        const [line] = await viewer.waitForLogs({ body: 'out of stock' });
        assert.equal((line.attributes.err as { category?: string }).category, 'invalid_input');
        const said = scenario.app
          .stderr()
          .split('\n')
          .filter((each) => each.includes('O11Y_CLASSIFIER'));
        assert.equal(said.length, 1, scenario.app.stderr());
        assert.match(said[0], /is none of retriable, transient, fatal, invalid_input/);
      } finally {
        await scenario.app.kill();
      }
    });
  });
}
