import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { COMPOSE } from '../support/compose.ts';
import { type CollectorServer, needsCollector, startCollector } from '../support/servers/collector.ts';
import { until } from '../support/until.ts';

const now = Date.now();

/** One span as OTLP JSON; the trace's id is made of `digit`. */
function span(digit: string, name: string, { ms = 5, error = false } = {}) {
  const nanoseconds = (time: number) => String(BigInt(time) * 1_000_000n);
  return {
    traceId: digit.repeat(32),
    spanId: digit.repeat(16),
    name,
    kind: 2,
    startTimeUnixNano: nanoseconds(now - ms),
    endTimeUnixNano: nanoseconds(now),
    status: error ? { code: 2 } : {},
  };
}

async function send(url: string, path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(response.status, 200, await response.text());
}

const sendSpans = (url: string, ...spans: unknown[]) =>
  send(url, '/v1/traces', { resourceSpans: [{ resource: {}, scopeSpans: [{ spans }] }] });

/** A store that takes OTLP/HTTP, and keeps what it was sent by and with which headers. */
async function startStore() {
  const requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer(async (request, response) => {
    await request.toArray();
    requests.push({ path: request.url ?? '', headers: request.headers });
    response.setHeader('content-type', 'application/x-protobuf').end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = () => server.close().closeAllConnections();
  return { url, requests, stop, [Symbol.dispose]: stop };
}

suite('overlays of the collector', { skip: needsCollector }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-overlays-'));
  let local: Awaited<ReturnType<typeof startStore>>;
  let vendor: TestViewer;
  before(async () => {
    local = await startStore();
    vendor = await startViewer();
  });
  after(async () => {
    local.stop();
    await vendor.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The collector with overlays, whose secrets are in the test's folder; Tempo is not there. */
  function collector(overlays: readonly string[], env: Readonly<Record<string, string>>): Promise<CollectorServer> {
    const copies = overlays.map((name) => {
      const copy = join(folder, name);
      writeFileSync(copy, readFileSync(join(COMPOSE, 'collector', name), 'utf8').replace('/run/secrets', folder));
      return copy;
    });
    return startCollector({ tempo: '127.0.0.1:9', loki: local.url, prometheus: local.url, overlays: copies, env });
  }

  test('without one, logs go to Loki and metrics that are pushed to Prometheus, by their OTLP receivers', async () => {
    await using server = await collector([], {});
    const before = local.requests.length;
    await send(server.url, '/v1/logs', {
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'a line' } }] }] }],
    });
    const gauge = { dataPoints: [{ asInt: '1', timeUnixNano: String(BigInt(now) * 1_000_000n) }] };
    await send(server.url, '/v1/metrics', {
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'queue.length', gauge }] }] }],
    });
    await until('both', () => local.requests.length === before + 2);
    const paths = local.requests.slice(before).map(({ path }) => path);
    assert.deepEqual(paths.sort(), ['/api/v1/otlp/v1/metrics', '/otlp/v1/logs']);
  });

  test('tail sampling keeps errors and slow traces, and of the rest the share that is asked for', async () => {
    writeFileSync(join(folder, 'vendor_headers.yaml'), '{}\n');
    // What is kept goes to a receiver that shows it.
    await using server = await collector(['tail-sampling.yaml', 'vendor.yaml'], {
      TAIL_SAMPLING_WAIT: '1s',
      TAIL_SAMPLING_SLOW_MS: '500',
      TAIL_SAMPLING_PERCENTAGE: '0',
      VENDOR_OTLP_ENDPOINT: vendor.url,
    });
    await sendSpans(server.url, span('1', 'quick'), span('2', 'quick too'));
    await sendSpans(server.url, span('3', 'slow', { ms: 900 }), span('4', 'failed', { error: true }));
    await vendor.waitForSpans({ name: 'slow' });
    await vendor.waitForSpans({ name: 'failed' });
    // Decisions are made in the order of arrival: those before them would be here.
    assert.deepEqual(
      vendor.spans().filter(({ name }) => name.startsWith('quick')),
      [],
    );
  });

  test('a vendor gets everything beside the local stores, with the headers of the secret', async () => {
    writeFileSync(join(folder, 'vendor_headers.yaml'), 'x-api-key: "12345"\nx-dataset: shop\n');
    using store = await startStore();
    await using server = await collector(['vendor.yaml'], { VENDOR_OTLP_ENDPOINT: store.url });
    const before = local.requests.length;
    await sendSpans(server.url, span('5', 'order'));
    await send(server.url, '/v1/logs', {
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'a line' } }] }] }],
    });
    await until('traces and logs', () => new Set(store.requests.map(({ path }) => path)).size === 2);
    assert.deepEqual(store.requests.map(({ path }) => path).sort(), ['/v1/logs', '/v1/traces']);
    for (const { headers } of store.requests) assert.deepEqual([headers['x-api-key'], headers['x-dataset']], ['12345', 'shop']);
    const paths = await until('the local Loki', () => local.requests.length > before && local.requests.map(({ path }) => path));
    assert.ok(paths.includes('/otlp/v1/logs'));
  });

  test('or instead of them', async () => {
    writeFileSync(join(folder, 'vendor_headers.yaml'), 'x-api-key: "12345"\n');
    using store = await startStore();
    await using server = await collector(['vendor.yaml', 'vendor-only.yaml'], { VENDOR_OTLP_ENDPOINT: store.url });
    const before = local.requests.length;
    await send(server.url, '/v1/logs', {
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'a line' } }] }] }],
    });
    await until('the log', () => store.requests.length === 1);
    assert.equal(local.requests.length, before);
  });
});
