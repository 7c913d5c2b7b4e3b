import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startViewer } from '../../viewer/testing.ts';
import { parseSamples } from '../frameworks/samples.ts';
import { needsPostgres, type PostgresServer, startPostgres } from '../support/servers/postgres.ts';
import { until } from '../support/until.ts';
import { startApp } from './app.ts';

describe('PostgreSQL', { skip: needsPostgres, timeout: 120_000 }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
    server.sql("create table customers (id integer primary key, name text not null); insert into customers values (1, 'Ada')");
  });
  after(() => server?.stop());

  it('logs a slow query with its shape and the ids of its own span', async () => {
    await using viewer = await startViewer();
    await using app = await startApp('pg', server.url, { endpoint: viewer.url, env: { O11Y_SLOW_QUERY_MS: '100' } });
    await app.ask('slow?seconds=0.15', { 'x-correlation-id': 'slow:1' });
    await app.ask('query');
    const [span] = await viewer.waitForSpans({ name: 'SELECT shop' });
    const lines = app.json().filter(({ component }) => component === 'database');
    assert.equal(lines.length, 1);
    const { level, trace_id, span_id, correlation_id, duration_ms, msg } = lines[0];
    assert.deepEqual(
      { level, trace_id, span_id, correlation_id, text: lines[0]['db.query.text'] },
      { level: 'warn', trace_id: span.traceId, span_id: span.spanId, correlation_id: 'slow:1', text: 'select pg_sleep($1)' },
    );
    assert.ok(duration_ms >= 100);
    assert.match(msg, /^slow query: SELECT shop took \d+ ms$/);
  });

  it('writes a bounded number of lines where every query is slow', async () => {
    await using app = await startApp('pg', server.url, { env: { O11Y_SLOW_QUERY_MS: '1' } });
    for (let n = 0; n < 40; n++) await app.ask('slow?seconds=0.002');
    assert.equal(app.json().filter(({ component }) => component === 'database').length, 20);
  });

  it('counts queries outside of any request and of traces that are not sampled, without a span', async () => {
    await using viewer = await startViewer();
    const env = { OTEL_TRACES_SAMPLER: 'always_off', WARM: '1' };
    await using app = await startApp('pg', server.url, { endpoint: viewer.url, env });
    await app.ask('warm');
    await app.ask('query');
    const counts = parseSamples(await app.metrics(), 'db_client_operation_duration_seconds_count');
    assert.deepEqual(
      counts.map(({ labels, value }) => [labels.db_operation_name, labels.db_collection_name, value]),
      [
        ['SELECT', '', 1],
        ['SELECT', 'customers', 1],
      ],
    );
    await viewer.waitForLogs({ body: /GET \/query 200/ });
    assert.deepEqual(viewer.spans(), []);
  });

  it('sees queries that are objects with handlers of their own from their start to their last row', async () => {
    await using viewer = await startViewer();
    await using app = await startApp('pg', server.url, { endpoint: viewer.url });
    const { body } = await app.ask('submitted');
    assert.deepEqual(body, { rows: [{ name: 'Ada' }], untouched: true });
    const { status } = await app.ask('submitted?text=select+*+from+nowhere');
    assert.equal(status, 500);
    const [query] = await viewer.waitForSpans({ name: 'SELECT customers' });
    assert.equal(query.attributes['db.query.text'], 'select name from customers');
    assert.equal(query.attributes['db.namespace'], 'shop');
    const [failed] = await viewer.waitForSpans({ name: 'SELECT nowhere' });
    assert.deepEqual([failed.status.code, failed.attributes['error.type']], ['error', '42P01']);
    const counts = parseSamples(await app.metrics(), 'db_client_operation_duration_seconds_count');
    assert.deepEqual(
      counts.map(({ labels, value }) => [labels.db_collection_name, labels.error_type, value]),
      [
        ['customers', '', 1],
        ['nowhere', '42P01', 1],
      ],
    );
  });

  it('calls back where the query was made, whoever opened the connection, and leaves the app its own objects', async () => {
    await using viewer = await startViewer();
    await using app = await startApp('pg', server.url, { endpoint: viewer.url });
    assert.deepEqual((await app.ask('query')).body, [{ name: 'Ada' }]);
    assert.equal((await app.ask('job')).body, 'none');
    assert.equal((await app.ask('foreign')).body, true);
    assert.equal((await app.ask('passed', { 'x-correlation-id': 'passed:1' })).body, 1);
    await viewer.waitForSpans({ name: 'SELECT customers', attributes: { 'correlation.id': 'passed:1' } });
  });

  it('counts a connection that is refused as a failed operation: no query is there to fail', async () => {
    await using app = await startApp('pg', 'postgres://nobody@127.0.0.1:1/shop');
    assert.equal((await app.ask('query')).status, 500);
    const counts = parseSamples(await app.metrics(), 'db_client_operation_duration_seconds_count');
    assert.deepEqual(
      counts.map(({ labels, value }) => [labels.db_operation_name, labels.error_type, value]),
      [['connect', 'ECONNREFUSED', 1]],
    );
  });

  it('shows an exhausted pool while its callers wait, and counts those who give up', async () => {
    await using viewer = await startViewer();
    await using app = await startApp('pg', server.url, { endpoint: viewer.url });
    // Two hold both connections for longer than the others wait.
    const holders = [app.ask('slow?seconds=2.5'), app.ask('slow?seconds=2.5')];
    const value = async (name: string) => parseSamples(await app.metrics(), name).at(0)?.value;
    await until('both connections to be used', async () => (await app.ask('pool')).body.total === 2);
    await until('a connection in use', async () => (await app.ask('pool')).body.idle === 0);
    const waiters = [app.ask('query'), app.ask('query'), app.ask('query')];
    await until('three callers to wait', async () => (await value('db_client_connection_pending_requests')) === 3, {
      everyMs: 10,
    });
    for (const { status, body } of await Promise.all(waiters)) {
      assert.equal(status, 500);
      assert.match(body.message, /timeout exceeded when trying to connect/);
    }
    assert.equal(await value('db_client_connection_timeouts_total'), 3);
    const failed = parseSamples(await app.metrics(), 'db_client_operation_duration_seconds_count');
    assert.deepEqual(
      failed.filter(({ labels }) => labels.error_type !== ''),
      [],
    );
    assert.equal(await value('db_client_connection_pending_requests'), 0);
    const spans = await viewer.waitForSpans({ name: 'postgresql connect' }, { count: 3 });
    assert.deepEqual(
      spans.map(({ status }) => status.message),
      Array(3).fill('timeout exceeded when trying to connect'),
    );
    await Promise.all(holders);
  });

  it('warns in its health check while callers wait for a connection', async () => {
    await using app = await startApp('pg', server.url);
    const held = [1, 2, 3].map(() => app.ask('slow?seconds=0.45').catch(() => undefined));
    const hold = setInterval(() => held.push(app.ask('slow?seconds=0.45').catch(() => undefined)), 100);
    const { output, required } = await app.turns('postgresql', 'warn').finally(() => clearInterval(hold));
    assert.match(output ?? '', /^\d+ waiting for a connection, 2 of 2 in use; last success /);
    assert.equal(required, false);
    await Promise.all(held);
  });
});

describe('the official instrumentations', () => {
  for (const [name, url, read] of [
    ['none', 'none', false],
    ['pg', 'postgres://nobody@127.0.0.1:9/none', false],
    ['mysql2', 'mysql://nobody@127.0.0.1:9/none', true],
  ] as const)
    it(`are ${read ? '' : 'not '}read in an app with ${name}`, async () => {
      await using app = await startApp(name, url, { env: name === 'none' ? { LIBRARY: 'node:path' } : {} });
      assert.equal((await app.ask('inspect')).body.official, read);
    });
});
