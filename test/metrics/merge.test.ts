import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { depart, mergeSnapshots, type Part } from '../../instrumentation/metrics/merge.ts';
import { toPage } from '../../instrumentation/metrics/render.ts';
import type { Snapshot } from '../../instrumentation/metrics/types.ts';
import { METRICS } from '../../instrumentation/names.ts';
import { needs } from '../support/needs.ts';
import { parsePage } from './parse.ts';
import { collect, OPENMETRICS, type Setup, setup } from './setup.ts';

/** Over the wire, as between the processes of a cluster. */
async function part(worker: string, { metrics }: Setup): Promise<Part> {
  return { worker, snapshot: JSON.parse(JSON.stringify(await metrics.snapshot())) };
}

async function read(snapshot: Snapshot, accept?: string) {
  return parsePage(await collect(toPage(snapshot.families, accept).chunks), accept === OPENMETRICS);
}

function worker(requests: number, more: (metrics: Setup['metrics']) => void = () => {}): Setup {
  const made = setup();
  const child = made.metrics.histogram(METRICS.httpServerDuration).child('GET', '/', '200', '');
  for (let i = 0; i < requests; i++) child.observe(0.01 * (i + 1));
  made.metrics.counter(METRICS.errors).inc({ error_type: 'E' }, requests);
  more(made.metrics);
  return made;
}

test('counters and histograms are summed, series that only one worker has are kept', async () => {
  const a = worker(3, (metrics) => metrics.counter(METRICS.errors).inc({ error_type: 'only a' }));
  const b = worker(5, (metrics) => metrics.histogram(METRICS.httpServerDuration).child('POST', '/', '200', '').observe(20));
  const page = await read(await mergeSnapshots([await part('1', a), await part('2', b)]));
  assert.equal(page.value('o11y_errors_total', { error_type: 'E' }), 8);
  assert.equal(page.value('o11y_errors_total', { error_type: 'only a' }), 1);
  const get = { http_request_method: 'GET' };
  assert.equal(page.value('http_server_request_duration_seconds_count', get), 8);
  assert.equal(page.value('http_server_request_duration_seconds_bucket', { ...get, le: '0.01' }), 2);
  assert.equal(page.value('http_server_request_duration_seconds_bucket', { ...get, le: '0.025' }), 4);
  assert.equal(page.value('http_server_request_duration_seconds_bucket', { ...get, le: '+Inf' }), 8);
  assert.equal(page.value('http_server_request_duration_seconds_sum', get)?.toFixed(6), (0.06 + 0.15).toFixed(6));
  assert.equal(page.value('http_server_request_duration_seconds_count', { http_request_method: 'POST' }), 1);
});

test('each gauge is joined in the way that answers the question it is asked', async () => {
  const make = (active: number, waiting: number, pass: number, state: number) =>
    worker(1, (metrics) => {
      metrics.gauge(METRICS.httpServerActive).set({ http_request_method: 'GET' }, active);
      metrics.gauge(METRICS.bullmqJobCount).set({ queue: 'mail', state: 'waiting' }, waiting);
      metrics.gauge(METRICS.healthStatus).set({ check: 'disk' }, pass);
      metrics.gauge(METRICS.breakerState).set({ name: 'mail' }, state);
      metrics.user.gauge('carts').set(active);
      metrics.user.gauge('version', { aggregation: 'max' }).set(waiting);
      metrics.user.gauge('load', { aggregation: 'average' }).set(active);
      metrics.user.gauge('hidden', { aggregation: 'omit' }).set(active);
      metrics.meterProvider.getMeter('x').createGauge('temperature').record(active);
      metrics.meterProvider.getMeter('x').createUpDownCounter('open').add(active);
    });
  const parts = [await part('1', make(2, 10, 1, 0)), await part('2', make(4, 12, 0.5, 1))];
  const page = await read(await mergeSnapshots(parts));
  assert.equal(page.value('http_server_active_requests'), 6);
  assert.equal(page.value('bullmq_job_count'), 12);
  assert.equal(page.value('o11y_health_check_status'), 0.5);
  assert.equal(page.value('circuitbreaker_state', { name: 'mail', worker: '1' }), 0);
  assert.equal(page.value('circuitbreaker_state', { name: 'mail', worker: '2' }), 1);
  assert.equal(page.value('carts'), 6);
  assert.equal(page.value('version'), 12);
  assert.equal(page.value('load'), 3);
  assert.equal(page.value('hidden'), undefined);
  assert.equal(page.value('open'), 6);
  assert.deepEqual(
    page.all('temperature').map(({ labels }) => labels.worker),
    ['1', '2'],
  );
});

test('what belongs to one process keeps a series for each', async () => {
  const [a, b] = [worker(1), worker(1)];
  const stops = [a.metrics.start(), b.metrics.start()];
  const merged = await mergeSnapshots([await part('1', a), await part('"2\n', b)]);
  for (const stop of stops) stop();
  for (const accept of [undefined, OPENMETRICS]) {
    const page = await read(merged, accept);
    for (const name of [
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_max_seconds',
      'process_cpu_seconds_total',
      'target_info',
    ]) {
      assert.deepEqual(
        page.all(name).map(({ labels }) => labels.worker),
        ['1', '"2\n'],
        name,
      );
    }
    assert.ok(page.all('nodejs_gc_duration_seconds_count').every(({ labels }) => labels.worker !== undefined));
    assert.equal(page.value('o11y_collector_success', { collector: 'heap' }), 1);
  }
});

test('a sum never falls when a worker ends and another takes its place', async () => {
  const first = worker(10);
  const second = worker(4);
  let departed: Snapshot | undefined;
  const total = async (...workers: Setup[]) => {
    const parts = await Promise.all(workers.map((each, index) => part(String(index + 1), each)));
    const page = await read(await mergeSnapshots(parts, departed));
    const count = page.value('http_server_request_duration_seconds_count');
    assert.equal(page.value('o11y_errors_total'), count);
    assert.equal(page.value('http_server_request_duration_seconds_bucket', { le: '+Inf' }), count);
    return count;
  };
  assert.equal(await total(first, second), 14);
  departed = depart(departed, (await part('1', first)).snapshot);
  assert.equal(await total(second), 14);
  assert.equal(await total(worker(1), second), 15);
  departed = depart(departed, (await part('2', second)).snapshot);
  assert.equal(await total(worker(2)), 16);
  assert.equal((await total())!, 14, 'even when none is left');
  assert.deepEqual(
    departed.families.filter(({ name }) => name.startsWith('process_') || name.startsWith('nodejs_')),
    [],
  );
});

test('workers whose buckets differ are not added up wrongly', async () => {
  const make = (buckets: number[]) => {
    const made = setup();
    made.metrics.user.histogram('sizes', { buckets }).observe(1.5);
    return made;
  };
  const page = await read(
    await mergeSnapshots([await part('1', make([1, 2])), await part('2', make([1, 5])), await part('3', make([1, 2]))]),
  );
  assert.deepEqual(
    page.all('sizes_count').map(({ labels }) => labels.worker),
    ['1', '3'],
  );
});

test('the newest exemplar of all workers is shown', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1000 });
  const span = { traceId: '0af7651916cd43dd8448eb211c80319c', traceFlags: 1 };
  const make = (spanId: string) =>
    worker(0, (metrics) =>
      metrics
        .histogram(METRICS.httpServerDuration)
        .child('GET', '/', '200', '')
        .observe(0.3, { ...span, spanId }),
    );
  const old = make('aaaaaaaaaaaaaaaa');
  t.mock.timers.setTime(5000);
  const fresh = make('bbbbbbbbbbbbbbbb');
  const page = await read(await mergeSnapshots([await part('1', fresh), await part('2', old)]), OPENMETRICS);
  assert.deepEqual(
    page.samples.flatMap(({ exemplar }) => (exemplar ? [exemplar.labels.span_id] : [])),
    ['bbbbbbbbbbbbbbbb'],
  );
});

test('values that JSON has no number for are added up as what they are', async () => {
  const make = (value: number) => {
    const made = setup();
    made.metrics.user.gauge('g').set(value);
    return made;
  };
  for (const [a, b, sum] of [
    [Infinity, 1, Infinity],
    [Infinity, -Infinity, Number.NaN],
    [Number.NaN, 1, Number.NaN],
  ]) {
    const page = await read(await mergeSnapshots([await part('1', make(a)), await part('2', make(b))]));
    assert.equal(page.value('g'), sum);
  }
});

test('promtool has nothing to say against the page of a cluster', { skip: needs('promtool') }, async () => {
  const workers = [worker(2), worker(3)];
  const stops = workers.map(({ metrics }) => metrics.start());
  const merged = await mergeSnapshots([await part('1', workers[0]), await part('2', workers[1])]);
  for (const stop of stops) stop();
  const input = await collect(toPage(merged.families).chunks);
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});
