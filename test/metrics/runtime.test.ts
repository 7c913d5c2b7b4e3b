import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { constants, PerformanceObserver, performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Collectors } from '../../instrumentation/metrics/collectors.ts';
import { KitRegistry } from '../../instrumentation/metrics/registry.ts';
import { eventLoopLag } from '../../instrumentation/metrics/runtime/event-loop-lag.ts';
import { RUNTIME_COLLECTORS, startRuntime } from '../../instrumentation/metrics/runtime/index.ts';
import { until } from '../support/until.ts';
import { recorder, setup } from './setup.ts';

const prom = createRequire(import.meta.url)('prom-client15');

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('every default metric of prom-client is there, by name and type', async () => {
  const { metrics, read } = setup();
  const stop = metrics.start();
  const theirs = new prom.Registry();
  prom.collectDefaultMetrics({ register: theirs });
  await theirs.metrics();
  const page = await read();
  stop();
  for (const { name, type } of await theirs.getMetricsAsJSON()) {
    const announced = name.endsWith('_total') && type === 'gauge' ? 'untyped' : type;
    // A process without an open handle or request has no line for any type of them.
    if (name === 'nodejs_active_handles' || name === 'nodejs_active_requests') continue;
    assert.equal(page.types.get(name), announced, name);
  }
});

test('what the page says of the process is so', async () => {
  const { metrics, read } = setup();
  const stop = metrics.start();
  const page = await read();
  stop();
  const { user, system } = process.cpuUsage();
  assert.ok(Math.abs(page.value('process_cpu_seconds_total')! - (user + system) / 1e6) < 5);
  // In microseconds, as Node tells them: a sum of fractions need not be the same in its last digits.
  const [total, ofUser, ofSystem] = ['', '_user', '_system'].map((part) =>
    Math.round(page.value(`process_cpu${part}_seconds_total`)! * 1e6),
  );
  assert.equal(total, ofUser + ofSystem);
  assert.ok(Math.abs(page.value('process_start_time_seconds')! - (Date.now() / 1000 - process.uptime())) < 2);
  assert.ok(page.value('nodejs_heap_size_used_bytes')! <= page.value('nodejs_heap_size_total_bytes')!);
  assert.ok(page.value('process_resident_memory_bytes')! > 10e6);
  const utilization = page.value('nodejs_eventloop_utilization_ratio')!;
  assert.ok(utilization >= 0 && utilization <= 1);
  const [major, minor, patch] = process.versions.node.split('.');
  assert.equal(page.value('nodejs_version_info', { version: process.version, major, minor, patch }), 1);
  for (const { name } of RUNTIME_COLLECTORS) assert.equal(page.value('o11y_collector_success', { collector: name }), 1, name);
});

test('garbage collections are counted as perf_hooks reports them', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as (options?: { type: 'minor' }) => void;
  const { metrics, read } = setup();
  const counts = new Map<number, number>();
  const seen = new Map<number, number>();
  const count = (entries: { detail?: unknown; duration: number }[]) => {
    for (const { detail, duration } of entries) {
      const { kind } = detail as { kind: number };
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      seen.set(kind, (seen.get(kind) ?? 0) + duration / 1000);
    }
  };
  const observer = new PerformanceObserver((list) => count(list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  const stop = metrics.start();
  // Many in one turn of the event loop: they are handed over in one batch.
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 10; i++) {
      collectGarbage();
      for (let k = 0; k < 3; k++) collectGarbage({ type: 'minor' });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  collectGarbage();
  const page = await read();
  count(observer.takeRecords());
  observer.disconnect();
  stop();
  for (const [label, kind] of [
    ['major', constants.NODE_PERFORMANCE_GC_MAJOR],
    ['minor', constants.NODE_PERFORMANCE_GC_MINOR],
    ['incremental', constants.NODE_PERFORMANCE_GC_INCREMENTAL],
    ['weakcb', constants.NODE_PERFORMANCE_GC_WEAKCB],
  ] as const) {
    const shown = page.value('nodejs_gc_duration_seconds_count', { kind: label }) ?? 0;
    // Reading the page may itself bring a collection between our count and theirs, but never take one away.
    const real = counts.get(kind) ?? 0;
    assert.ok(shown <= real && real - shown <= 2, `${label}: ${shown} on the page, ${real} by perf_hooks`);
  }
  assert.ok(page.value('nodejs_gc_duration_seconds_count', { kind: 'major' })! >= 51);
  assert.ok(page.value('nodejs_gc_duration_seconds_count', { kind: 'minor' })! >= 150);
});

test('a stall of 200 ms shows in the greatest delay, to every scraper', async () => {
  const { metrics, read } = setup();
  const stop = metrics.start();
  // Both histograms have begun once a first delay is recorded.
  let page = await read();
  while (page.value('nodejs_eventloop_lag_p50_seconds') === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    page = await read();
  }
  block(200);
  await new Promise((resolve) => setTimeout(resolve, 1));
  for (const scraper of ['first', 'second', 'third']) {
    page = await read();
    assert.ok(page.value('nodejs_eventloop_lag_max_seconds')! >= 0.19, `${scraper} scraper`);
  }
  stop();
  assert.ok(page.value('nodejs_eventloop_lag_min_seconds')! <= page.value('nodejs_eventloop_lag_p50_seconds')!);
  assert.ok(page.value('nodejs_eventloop_lag_p99_seconds')! <= page.value('nodejs_eventloop_lag_max_seconds')!);
});

test('a stall is forgotten after two windows, and not before one', async (t) => {
  const registry = new KitRegistry(10, recorder());
  let now = performance.now();
  t.mock.method(performance, 'now', () => now);
  const running = eventLoopLag.start(registry);
  const max = async () => {
    await running.collect!();
    const { values } = await (registry.prom.getSingleMetric('nodejs_eventloop_lag_max_seconds') as any).get();
    return values[0].value as number;
  };
  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await sleep(60);
  const end = Date.now() + 300;
  while (Date.now() < end);
  await sleep(30);
  assert.ok((await max()) >= 0.29);
  now += 31_000;
  assert.ok((await max()) >= 0.29, 'the other histogram saw it too');
  now += 31_000;
  await sleep(60);
  assert.ok((await max()) < 0.29, 'both histograms began anew');
  running.stop!();
});

test('the other collectors start without one that cannot', async () => {
  const diagnostics = recorder();
  const registry = new KitRegistry(10, diagnostics);
  const collectors = new Collectors(diagnostics);
  // A name that something else took as another type.
  registry.counter({ name: 'process_open_fds', type: 'counter', help: 'taken', labels: [] });
  const stop = startRuntime(registry, collectors, diagnostics);
  const results = await collectors.run();
  stop();
  assert.equal(results.get('file_descriptors'), process.platform !== 'linux');
  assert.equal(results.get('cpu'), true);
});

test('start, stop and start again leaves no timer, handle or listener, and counts nothing twice', async () => {
  const { metrics, read, stats } = setup();
  // The test runner has some of its own at times, which end by themselves.
  const isShort = (type: string) => type === 'FSReqCallback' || type === 'Immediate';
  const resources = () =>
    until('what is short to end', () => {
      const types = process.getActiveResourcesInfo().filter((type) => type !== 'TTYWrap' && type !== 'PipeWrap');
      return types.some(isShort) ? undefined : types.sort();
    });
  const before = await resources();
  metrics.start()();
  metrics.start()();
  assert.equal(stats.onExport, undefined);
  const stop = metrics.start();
  const page = await read();
  assert.equal(page.all('nodejs_heap_size_used_bytes').length, 1);
  stats.onExport!('traces', 0.5);
  assert.equal((await read()).value('o11y_export_duration_seconds_count', { signal: 'traces' }), 1);
  stop();
  assert.deepEqual(await resources(), before);
  assert.equal(stats.onExport, undefined);
});

test('with OTEL_METRICS_EXPORTER=none nothing is watched', async () => {
  const { metrics, read } = setup({ OTEL_METRICS_EXPORTER: 'none' });
  const stop = metrics.start();
  const page = await read();
  stop();
  assert.equal(page.value('nodejs_heap_size_used_bytes'), undefined);
});
