import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { parseSamples } from '../frameworks/samples.ts';
import { type App, spawnApp } from '../support/app.ts';
import { freePort } from '../support/free-port.ts';
import { NODES } from '../support/nodes.ts';
import { needsPostgres, type PostgresServer } from '../support/servers/postgres.ts';
import { startPrismaServer } from './rows-prisma.ts';

const apps = join(import.meta.dirname, '../apps/libraries');
const official = join(apps, 'prisma-official.cjs');

describe('prisma', { skip: needsPostgres, concurrency: 1, timeout: 180_000 }, () => {
  let server: PostgresServer;
  let viewer: TestViewer;
  before(async () => {
    server = await startPrismaServer();
    viewer = await startViewer();
  });
  after(async () => {
    await viewer?.close();
    await server?.stop();
  });

  it('counts a failure once, whoever tells it', async () => {
    await using app = await start();
    for (const path of ['duplicate', 'broken', 'brokenList']) await ask(app, path);
    assert.deepEqual(await errors(app), ['23505 invalid_input 3']);
    await ask(app, 'mended');
    assert.deepEqual(await errors(app), ['23505 invalid_input 3', 'P2025 invalid_input 2']);
  });

  it('says so when the server cannot be reached', async () => {
    await using app = await start({ env: { SERVER_URL: `postgres://shop@127.0.0.1:${await freePort()}/shop` } });
    assert.deepEqual(await trace(await ask(app, 'find'), 3), [
      'server',
      'Customer.findMany P1001 retriable',
      'postgresql connect ECONNREFUSED retriable',
    ]);
    assert.deepEqual(await errors(app), ['ECONNREFUSED retriable 1']);
  });

  it('says so when the pool has no connection left', async () => {
    await using app = await start();
    const { traceId, body } = await ask(app, 'crowd');
    assert.deepEqual(body, ['fulfilled', 'fulfilled', 'rejected']);
    const { spans } = await viewer.waitForTrace(traceId, { spans: 7 });
    const failed = spans.filter(({ status }) => status.code === 'error').map(({ name, attributes }) => told(name, attributes));
    assert.deepEqual(failed.toSorted(), ['$queryRaw Error transient', 'postgresql connect Error transient']);
    assert.deepEqual(await errors(app), ['Error transient 1']);
  });

  it("gives a transaction's lines its ids", async () => {
    await using app = await start();
    const { traceId } = await ask(app, 'transaction', { 'x-correlation-id': 'order-7' });
    const { spans } = await viewer.waitForTrace(traceId, { spans: 6 });
    const line = app.json().find(({ msg }) => msg === 'inside');
    assert.equal(line?.correlation_id, 'order-7');
    assert.equal(line?.trace_id, traceId);
    assert.equal(line?.span_id, spans.find(({ name }) => name === '$transaction')?.spanId);
  });

  it('measures what runs in no trace, without a span', async () => {
    await using app = await start({ env: { WARM: '1' } });
    const { traceId } = await ask(app, 'warm');
    await viewer.waitForTrace(traceId, { spans: 1 });
    assert.deepEqual(await operations(app), ['Customer.count  1']);
    const spans = await viewer.waitForSpans(1);
    assert.equal(spans.filter(({ name, parentSpanId }) => name === 'Customer.count' && !parentSpanId).length, 0);
  });

  it('leaves an unhandled rejection what it is', async () => {
    for (const preload of [false, 'import'] as const) {
      await using app = await start({ preload });
      await ask(app, 'forgotten').catch(() => {});
      assert.deepEqual(await app.exited, { code: 1, signal: null });
      assert.match(app.stderr(), /Error: forgotten\n\s+at .*prisma\.cjs/);
    }
  });

  it('is switched off by its name', async () => {
    await using app = await start({ env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'prisma' } });
    assert.deepEqual(await trace(await ask(app, 'find'), 2), ['server', 'SELECT public.customers']);
    assert.deepEqual(await operations(app), []);
  });

  // `--require` comes before the preload, a second `--import` after it. Before it no provider of spans is there yet, which
  // the official instrumentation does not ask for again.
  for (const [flag, spans] of [
    ['--require', 2],
    ['--import', 7],
  ] as const) {
    it(`leaves an app alone that registers @prisma/instrumentation (${flag})`, async () => {
      await using app = await start({ args: [flag, official, join(apps, 'run.cjs')] });
      const names = await trace(await ask(app, 'find'), spans);
      assert.equal(names.length, spans);
      assert.equal(names.includes('prisma:client:operation'), spans === 7);
      assert.ok(names.includes('SELECT public.customers'));
      assert.ok(!names.includes('Customer.findMany'));
      assert.deepEqual(await operations(app), []);
    });
  }

  // Prisma 7 wants 20.19 or later.
  for (const { major, path, skip } of NODES) {
    for (const kind of ['cjs', 'mjs']) {
      it(`works on Node ${major}, ${kind}`, { skip }, async () => {
        await using app = await start({ node: path, args: [join(apps, `run.${kind}`)] });
        assert.deepEqual(await trace(await ask(app, 'duplicate'), 3), [
          'server',
          'Customer.create P2002 invalid_input',
          'INSERT public.customers 23505 invalid_input',
        ]);
      });
    }
  }

  function start(options: Partial<Parameters<typeof spawnApp>[0]> = {}): Promise<App> {
    return spawnApp({
      args: [join(apps, 'run.cjs')],
      cwd: apps,
      endpoint: viewer.url,
      ...options,
      env: { APP: 'prisma', LIBRARY: '@prisma/client/runtime/client', SERVER_URL: server.url, O11Y_QUIET: '1', ...options.env },
    });
  }

  async function ask(app: App, path: string, headers: Record<string, string> = {}) {
    const traceId = randomBytes(16).toString('hex');
    const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
    const response = await fetch(`http://127.0.0.1:${app.port}/${path}`, { headers: { traceparent, ...headers } });
    return { traceId, body: await response.json() };
  }

  /** The spans by name and error, each after its parent. */
  async function trace({ traceId }: { traceId: string }, count: number): Promise<string[]> {
    const found = await viewer.waitForTrace(traceId, { spans: count });
    return found.spans.map(({ name, kind, attributes }) => (kind === 'server' ? kind : told(name, attributes)));
  }

  function told(name: string, { 'error.type': type, 'error.category': category }: Readonly<Record<string, unknown>>): string {
    return [name, type, category].filter(Boolean).join(' ');
  }

  async function errors(app: App): Promise<string[]> {
    return (await samples(app, 'o11y_errors_total')).map(
      ({ labels, value }) => `${labels.error_type} ${labels.error_category} ${value}`,
    );
  }

  async function operations(app: App): Promise<string[]> {
    const found = await samples(app, 'o11y_operation_duration_seconds_count');
    return found
      .filter(({ labels }) => labels.component === 'prisma')
      .map(({ labels, value }) => `${labels.operation} ${labels.error_type} ${value}`);
  }

  async function samples(app: App, name: string) {
    return parseSamples(await app.metrics(), name).toSorted((a, b) =>
      JSON.stringify(a.labels).localeCompare(JSON.stringify(b.labels)),
    );
  }
});
