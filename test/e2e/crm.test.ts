import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Span, startViewer, type TestViewer, type Trace } from '../../viewer/testing.ts';
import { parseSamples } from '../frameworks/samples.ts';
import { type App, spawnApp } from '../support/app.ts';
import { needsPostgres, type PostgresServer, startPostgres } from '../support/servers/postgres.ts';
import { needsRedis, type RedisServer, startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';

const folder = join(import.meta.dirname, '../../examples/crm');

describe('the CRM example', { skip: needsPostgres || needsRedis, timeout: 120_000 }, () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let model: App;
  let viewer: TestViewer;
  let crm: App;

  before(async () => {
    [postgres, redis, viewer, model] = await Promise.all([
      startPostgres(),
      startRedis(),
      startViewer(),
      spawnApp({ args: [join(folder, 'model.js')], preload: false, env: { PORT: '0' } }),
    ]);
    crm = await spawnApp({
      args: [join(folder, 'server.js')],
      cwd: folder,
      endpoint: viewer.url,
      env: {
        PORT: '0',
        DATABASE_URL: postgres.url,
        POOL_SIZE: '2',
        POOL_TIMEOUT_MS: '3000',
        REDIS_URL: redis.url,
        BREAKER_RESET_MS: '500',
        OPENAI_BASE_URL: `http://127.0.0.1:${model.port}/v1`,
        OPENAI_API_KEY: 'sk-not-to-be-told',
        O11Y_SLOW_QUERY_MS: '300',
      },
    });
  });
  after(async () => {
    await Promise.all([crm?.kill(), model?.kill()]);
    await Promise.all([postgres?.stop(), redis?.stop(), viewer?.close()]);
  });

  async function call(path: string, { body, id }: { body?: object; id?: string } = {}) {
    const response = await fetch(`http://127.0.0.1:${crm.port}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', ...(id === undefined ? {} : { 'x-correlation-id': id }) },
      body: body && JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as any };
  }

  function traceOf(id: string, spans: number): Promise<Trace> {
    return viewer.waitForTrace((trace) => trace.root?.attributes['correlation.id'] === id, { spans, timeout: 15_000 });
  }

  async function value(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
    const samples = parseSamples(await crm.metrics(), name);
    return samples.find((sample) => Object.entries(labels).every(([key, text]) => sample.labels[key] === text))?.value;
  }

  it('has no line of telemetry code', () => {
    const files = globSync('*.js', { cwd: folder });
    assert.ok(files.length >= 6);
    for (const file of files)
      assert.doesNotMatch(readFileSync(join(folder, file), 'utf8'), /o11y|opentelemetry|prom-client/i, file);
  });

  it('draws a summary as one trace: cache, database, model', async () => {
    const { body: customer } = await call('/customers', { body: { name: 'Ada', email: 'ada@example.com' } });
    for (const body of ['asked for a quote', 'called about the invoice'])
      assert.equal((await call(`/customers/${customer.id}/notes`, { body: { body } })).status, 201);
    const { status, body } = await call(`/customers/${customer.id}/summary`, { id: 'summary:1' });
    assert.equal(status, 200);
    assert.match(body.summary, /^There are 2 notes/);

    const trace = await traceOf('summary:1', 9);
    // GET /customers/:id/summary  server
    //   GET                         cache: no customer
    //   SELECT customers
    //   SET
    //   GET                         cache: no summary
    //   SELECT notes
    //   chat gpt-4o-mini
    //     POST
    //   SET
    const drawn = (span: Span, depth = 0): string[] => [
      `${'  '.repeat(depth)}${span.name}`,
      ...trace.children(span).flatMap((child) => drawn(child, depth + 1)),
    ];
    assert.deepEqual(drawn(trace.root!), [
      'GET /customers/:id/summary',
      '  GET',
      '  SELECT customers',
      '  SET',
      '  GET',
      '  SELECT notes',
      '  chat gpt-4o-mini',
      '    POST',
      '  SET',
    ]);
    for (const span of trace.spans) assert.equal(span.attributes['correlation.id'], 'summary:1', span.name);
    const line = crm.json().find(({ msg }) => msg === 'customer summarized');
    assert.equal(line?.trace_id, trace.traceId);
    assert.equal(line?.correlation_id, 'summary:1');

    const used = { gen_ai_request_model: 'gpt-4o-mini', gen_ai_operation_name: 'chat' };
    assert.equal(await value('gen_ai_client_token_usage_count', { ...used, gen_ai_token_type: 'input' }), 1);
    assert.ok((await value('gen_ai_client_cost_usd_total', used))! > 0);
  });

  it('answers the second time from the cache', async () => {
    await call('/customers/1/summary', { id: 'summary:2' });
    const trace = await traceOf('summary:2', 3);
    assert.deepEqual(
      trace.spans.map(({ name }) => name),
      ['GET /customers/:id/summary', 'GET', 'GET'],
    );
    assert.equal(await value('circuitbreaker_requests_total', { name: 'cache', result: 'success' }), 4);
  });

  it('tells a duplicate by its category and shows no value of it', async () => {
    assert.equal((await call('/customers', { body: { name: 'Ada', email: 'ada@example.com' }, id: 'twice' })).status, 409);
    const trace = await traceOf('twice', 2);
    const insert = trace.spans.find(({ name }) => name === 'INSERT customers')!;
    assert.equal(insert.attributes['error.category'], 'invalid_input');
    assert.equal(
      insert.attributes['db.query.text'],
      'insert into customers (name, email) values ($1, $2) returning id, name, email',
    );
    assert.doesNotMatch(JSON.stringify([insert.attributes, insert.events.map(({ attributes }) => attributes)]), /ada@/);
    const labels = { db_operation_name: 'INSERT', db_collection_name: 'customers', error_type: '23505' };
    assert.equal(await value('db_client_operation_duration_seconds_count', labels), 1);
  });

  it('goes on from the database while the cache is away; the breaker opens and closes again', async () => {
    await redis.kill();
    await until('the breaker to open', async () => {
      assert.equal((await call('/customers/1')).status, 200);
      return (await value('circuitbreaker_state', { name: 'cache' })) === 1;
    });
    assert.ok((await value('circuitbreaker_requests_total', { name: 'cache', result: 'fallback' }))! > 0);
    const check = async () => {
      const { checks } = (await (await fetch(`${await crm.adminUrl()}/health`)).json()) as { checks: Record<string, any[]> };
      return checks[Object.keys(checks).find((name) => name.startsWith('redis '))!][0].status;
    };
    await until('the check of the cache to fail', async () => (await check()) === 'fail');
    await redis.restart();
    await until('the breaker to close', async () => {
      assert.equal((await call('/customers/1')).status, 200);
      return (await value('circuitbreaker_state', { name: 'cache' })) === 0;
    });
    await until('the check of the cache to pass', async () => (await check()) === 'pass');
  });

  it('shows callers that wait for the pool before the first of them is refused', async () => {
    // The table is locked by somebody else: every query of it holds its connection.
    const session = postgres.session('begin; lock table customers in access exclusive mode;\n');
    await until(
      'the lock',
      () => postgres.sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock'").trim() !== '0',
    );
    let refused = 0;
    const requests = Array.from({ length: 12 }, async () => {
      const { status } = await call('/activity');
      if (status === 503) refused++;
      return status;
    });
    await until('ten callers to wait', async () => (await value('db_client_connection_pending_requests')) === 10, {
      everyMs: 10,
    });
    assert.equal(refused, 0);
    assert.equal(await value('db_client_connection_count', { db_client_connection_state: 'used' }), 2);
    assert.equal(await value('db_client_connection_max'), 2);
    await until('the first to be refused', () => refused > 0);
    await session.end('rollback;\n');
    const statuses = await Promise.all(requests);
    assert.deepEqual([...new Set(statuses)].toSorted(), [200, 503]);
    assert.equal(await value('db_client_connection_timeouts_total'), refused);
    assert.equal(await value('db_client_connection_pending_requests'), 0);
    // The two that held the connections were slow, and say so.
    const slow = crm.json().filter(({ component }) => component === 'database');
    assert.ok(slow.length >= 2);
    assert.match(slow[0]['db.query.text'], /make_interval\(days => \$1\)$/);
  });

  it('tells no key', async () => {
    assert.doesNotMatch(crm.stdout() + crm.stderr() + (await crm.metrics()), /sk-not-to-be-told/);
  });
});
