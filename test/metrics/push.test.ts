import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { METRICS } from '../../instrumentation/names.ts';
import { startViewer } from '../../viewer/testing.ts';
import { until } from '../support/until.ts';
import { setup } from './setup.ts';

const pushWorker = join(import.meta.dirname, '../../instrumentation/metrics/push-worker.ts');
const HOUR = '3600000';

function settings(url: string, more: Record<string, string> = {}): Record<string, string> {
  return { OTEL_METRICS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_METRIC_EXPORT_INTERVAL: HOUR, ...more };
}

for (const protocol of ['http/json', 'http/protobuf']) {
  test(`the page is pushed over ${protocol}, with the names and labels that it has there`, async () => {
    await using viewer = await startViewer();
    const { metrics, read } = setup(
      settings(viewer.url, { OTEL_EXPORTER_OTLP_PROTOCOL: protocol }),
      { 'service.name': 'shop' },
      { pushWorker },
    );
    const stop = metrics.start();
    const child = metrics.histogram(METRICS.httpServerDuration).child('GET', '/a"\\\n', '200', '');
    for (const value of [0.3, 0.3, 60]) child.observe(value);
    metrics.user.counter('shop_orders').inc({ plan: 'free' }, 3);
    metrics.gauge(METRICS.breakerState).set({ name: 'mail' }, 2);
    metrics.onScrape('queues', async () => metrics.gauge(METRICS.bullmqJobCount).set({ queue: 'mail', state: 'waiting' }, 7));
    await metrics.flush(10_000);
    const orders = viewer.metric('shop_orders_total', { plan: 'free' })!;
    assert.deepEqual([orders.service, orders.type, orders.temporality, orders.value], ['shop', 'sum', 'cumulative', 3]);
    const duration = viewer.metric('http_server_request_duration_seconds')!;
    assert.equal(duration.labels.http_route, '/a"\\\n');
    assert.deepEqual([duration.value, duration.sum], [3, 60.6]);
    assert.deepEqual(
      duration.buckets.filter(({ count }) => count > 0),
      [
        { upTo: 0.5, count: 2 },
        { upTo: Infinity, count: 1 },
      ],
    );
    assert.equal(viewer.metric('circuitbreaker_state')?.value, 2);
    assert.equal(viewer.metric('bullmq_job_count', { queue: 'mail' })?.value, 7);
    assert.ok(viewer.metric('process_resident_memory_bytes')!.value > 1e6);
    assert.equal(viewer.metric('target_info'), undefined, 'the resource is OTLP’s own');

    child.observe(1);
    await metrics.flush(10_000);
    assert.equal(viewer.metric('http_server_request_duration_seconds')?.value, 4, 'cumulative');
    const page = await read();
    stop();
    assert.ok(page.value('o11y_exported_total', { signal: 'metrics' })! > 50);
    assert.equal(page.value('o11y_export_duration_seconds_count', { signal: 'metrics' }), 2);
  });
}

test('it pushes by itself, in the interval of the settings', async () => {
  await using viewer = await startViewer();
  const env = settings(viewer.url, { OTEL_METRIC_EXPORT_INTERVAL: '100' });
  const { metrics } = setup(env, { 'service.name': 'shop' }, { pushWorker });
  const stop = metrics.start();
  const counter = metrics.counter(METRICS.errors);
  counter.inc({}, 1);
  await viewer.waitForMetric('o11y_errors_total', {}, { timeout: 15_000, until: ({ value }) => value === 1 });
  counter.inc({}, 1);
  await viewer.waitForMetric('o11y_errors_total', {}, { timeout: 15_000, until: ({ value }) => value === 2 });
  stop();
});

test('a backend that refuses is counted and said, and the flush keeps its time', async () => {
  await using viewer = await startViewer();
  viewer.respond({ status: 400 });
  const { metrics, read, warnings } = setup(settings(viewer.url), { 'service.name': 'shop' }, { pushWorker });
  const stop = metrics.start();
  await metrics.flush(10_000);
  const page = await read();
  assert.ok(page.value('o11y_dropped_total', { signal: 'metrics', reason: 'export_failed' })! > 50);
  assert.match(warnings.join('\n'), /metrics could not be delivered to http:\/\/127\.0\.0\.1:\d+\/v1\/metrics/);
  stop();
});

test('nothing is pushed unless it is asked for', async () => {
  await using viewer = await startViewer();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url };
  const { metrics } = setup(env, { 'service.name': 'shop' }, { pushWorker });
  const stop = metrics.start();
  await metrics.flush(1000);
  stop();
  assert.equal(viewer.requests, 0);
});

test('a process ends by itself while a push hangs', { timeout: 60_000 }, async () => {
  let requests = 0;
  // Takes the request and never answers.
  const server = createServer(() => {
    requests++;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const app = spawn(process.execPath, [join(import.meta.dirname, 'push-app.ts'), pushWorker], {
    env: { ...process.env, ...settings(url, { OTEL_METRIC_EXPORT_INTERVAL: '200', OTEL_EXPORTER_OTLP_TIMEOUT: '600000' }) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await until('the first push', () => requests > 0, { timeoutMs: 30_000 });
  // The app's only reason to live.
  app.disconnect();
  const [code, signal] = await once(app, 'exit');
  assert.deepEqual([code, signal], [0, null]);
  server.closeAllConnections();
  server.close();
});
