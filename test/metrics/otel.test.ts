import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, type MetricOptions, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { KitContext, storage } from '../../instrumentation/context.ts';
import { labelName, metricName } from '../../instrumentation/metrics/otel-names.ts';
import { METRICS, OVERFLOW } from '../../instrumentation/names.ts';
import { OPENMETRICS, setup } from './setup.ts';

const SPAN = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
const within: Context = new KitContext(trace.wrapSpanContext(SPAN), 'id', undefined);

test('instrument names become what the compatibility specification says', () => {
  for (const [name, unit, kind, expected] of [
    ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
    ['http.server.active_requests', '{request}', 'updown', 'http_server_active_requests'],
    ['jvm.memory.used', 'By', 'updown', 'jvm_memory_used_bytes'],
    ['system.cpu.utilization', '1', 'gauge', 'system_cpu_utilization_ratio'],
    ['requests', '1', 'counter', 'requests_total'],
    ['requests_total', '', 'counter', 'requests_total'],
    ['job.duration_seconds', 's', 'histogram', 'job_duration_seconds'],
    ['disk.io', 'By/s', 'gauge', 'disk_io_bytes_per_second'],
    ['speed', 'm/s', 'gauge', 'speed_meters_per_second'],
    ['queue.length', '{item}/min', 'gauge', 'queue_length_per_minute'],
    ['odd  name!', 'furlong', 'gauge', 'odd_name_furlong'],
    ['1st.try', '', 'counter', '_1st_try_total'],
    ['gen_ai.client.token.usage', '{token}', 'histogram', 'gen_ai_client_token_usage'],
    ['cpu.load', '%', 'gauge', 'cpu_load_percent'],
  ] as const) {
    assert.equal(metricName(name, unit, kind), expected);
  }
});

test('attribute keys become labels that Prometheus takes', () => {
  for (const [key, label] of [
    ['http.request.method', 'http_request_method'],
    ['__name__', 'name'],
    ['__proto__', 'proto'],
    ['le', 'exported_le'],
    ['quantile', 'exported_quantile'],
    ['3rd', 'key_3rd'],
    ['ключ', 'key'],
    ['a..b', 'a_b'],
  ]) {
    assert.equal(labelName(key), label);
  }
});

test('synchronous instruments', async () => {
  const { metrics, read } = setup();
  const meter = metrics.meterProvider.getMeter('shop');
  meter.createCounter('orders', { description: 'Orders placed' }).add(2, { plan: 'free', 'is.trial': true, nothing: undefined });
  meter.createUpDownCounter('carts').add(5);
  meter.createUpDownCounter('carts').add(-2);
  meter.createGauge('temperature', { unit: 'Cel' }).record(21.5, { room: 'b' });
  const sizes = meter.createHistogram('order.size', { unit: 'By', advice: { explicitBucketBoundaries: [10, 100] } });
  sizes.record(50);
  meter.createHistogram('wait', { unit: 's' }).record(0.3);
  const page = await read();
  assert.equal(page.value('orders_total', { plan: 'free', is_trial: 'true' }), 2);
  assert.equal(page.value('carts'), 3);
  assert.equal(page.value('temperature_celsius', { room: 'b' }), 21.5);
  assert.deepEqual(
    page.all('order_size_bytes_bucket').map(({ labels, value }) => [labels.le, value]),
    [
      ['10', 0],
      ['100', 1],
      ['+Inf', 1],
    ],
  );
  assert.equal(page.all('wait_seconds_bucket').length, 15);
  assert.equal(page.types.get('orders_total'), 'counter');
});

test('an instrument of the contract keeps only its labels there, under old names too', async () => {
  const { metrics, read } = setup();
  const meter = metrics.meterProvider.getMeter('@opentelemetry/instrumentation-pg');
  const seconds: MetricOptions = { unit: 's', advice: { explicitBucketBoundaries: [1, 2] } };
  meter.createHistogram('db.client.operation.duration', seconds).record(0.2, {
    'db.system.name': 'postgresql',
    'db.operation.name': 'SELECT',
    'db.query.text': 'SELECT 1',
    'server.address': '10.0.0.7',
    'db.namespace': 'shop',
  });
  meter
    .createUpDownCounter('db.client.connections.usage', { unit: '{connection}' })
    .add(1, { 'pool.name': 'main', state: 'idle' });
  const page = await read();
  const [{ labels }] = page.all('db_client_operation_duration_seconds_count');
  assert.deepEqual(labels, { db_system_name: 'postgresql', db_operation_name: 'SELECT', db_collection_name: '', error_type: '' });
  assert.equal(page.all('db_client_operation_duration_seconds_bucket').length, 15, 'buckets of the contract, not the advice');
  assert.deepEqual(page.all('db_client_connection_count')[0].labels, {
    db_client_connection_pool_name: 'main',
    db_client_connection_state: 'idle',
  });
});

test('what the kit measures itself is not counted a second time', async () => {
  const { metrics, read } = setup();
  const meter = metrics.meterProvider.getMeter('other');
  meter.createHistogram('http.server.request.duration', { unit: 's' }).record(1, { 'http.route': '/' });
  meter.createUpDownCounter('http.server.active_requests').add(1);
  metrics.histogram(METRICS.httpServerDuration).child('GET', '/', '200', '').observe(1);
  const page = await read();
  assert.equal(page.value('http_server_request_duration_seconds_count'), 1);
  assert.equal(page.value('http_server_active_requests'), undefined);
});

test('a histogram shows the span of the given context, or of the active one', async () => {
  const { metrics, read } = setup();
  const histogram = metrics.meterProvider.getMeter('shop').createHistogram('x', { advice: { explicitBucketBoundaries: [1, 2] } });
  histogram.record(0.5, {}, within);
  storage.run(within, () => histogram.record(1.5));
  storage.run(within, () => histogram.record(9, {}, ROOT_CONTEXT));
  const exemplars = (await read(OPENMETRICS)).all('x_bucket').map(({ exemplar }) => exemplar?.labels.span_id);
  assert.deepEqual(exemplars, [SPAN.spanId, SPAN.spanId, undefined]);
});

test('attributes of a user’s instrument are bounded', async () => {
  const { metrics, read, warnings } = setup({ O11Y_MAX_SERIES: '10' });
  const counter = metrics.meterProvider.getMeter('shop').createCounter('hits');
  for (let i = 0; i < 1000; i++) counter.add(1, i % 2 ? { user: `${i}` } : { user: `${i}`, ['__proto__']: 'x' });
  const page = await read();
  const series = page.all('hits_total');
  assert.equal(series.length, 11);
  assert.equal(series.filter(({ labels }) => Object.values(labels).every((value) => value === OVERFLOW))[0].value, 990);
  assert.equal(warnings.length, 1);
});

test('observables are asked at each scrape; what is not observed any more is gone', async () => {
  const { metrics, read } = setup();
  const meter = metrics.meterProvider.getMeter('shop');
  let rooms = ['a', 'b'];
  meter.createObservableGauge('temperature').addCallback((result) => {
    for (const room of rooms) result.observe(20, { room });
  });
  let total = 5;
  const jobs = meter.createObservableCounter('jobs');
  const callback = async (result: Parameters<Parameters<typeof jobs.addCallback>[0]>[0]) => {
    await Promise.resolve();
    result.observe(total);
  };
  jobs.addCallback(callback);
  jobs.addCallback(callback);
  meter.createObservableUpDownCounter('open').addCallback((result) => result.observe(-3));
  let page = await read();
  assert.equal(page.all('temperature').length, 2);
  assert.equal(page.value('jobs_total'), 5);
  assert.equal(page.value('open'), -3);
  rooms = ['b'];
  total = 8;
  page = await read();
  assert.deepEqual(
    page.all('temperature').map(({ labels }) => labels.room),
    ['b'],
  );
  assert.equal(page.value('jobs_total'), 8);
  jobs.removeCallback(callback);
  assert.equal((await read()).value('jobs_total'), undefined);
});

test('a batch callback sets only the instruments that it was registered for', async () => {
  const { metrics, read } = setup();
  const meter = metrics.meterProvider.getMeter('shop');
  const [a, b, c] = ['a', 'b', 'c'].map((name) => meter.createObservableGauge(name));
  const callback: Parameters<typeof meter.addBatchObservableCallback>[0] = (result) => {
    for (const [index, instrument] of [a, b, c].entries()) result.observe(instrument, index + 1);
  };
  meter.addBatchObservableCallback(callback, [a, b]);
  let page = await read();
  assert.deepEqual([page.value('a'), page.value('b'), page.value('c')], [1, 2, undefined]);
  meter.removeBatchObservableCallback(callback, [b, a]);
  page = await read();
  assert.deepEqual([page.value('a'), page.value('b'), page.value('c')], [undefined, undefined, undefined]);
});

test('a callback that fails costs its own series, one that observes too much is bounded', async () => {
  const { metrics, read, warnings } = setup({ O11Y_MAX_SERIES: '5' });
  const meter = metrics.meterProvider.getMeter('shop');
  let broken = false;
  meter.createObservableGauge('fragile').addCallback((result) => {
    if (broken) throw new Error('sensor lost');
    result.observe(1);
  });
  meter.createObservableGauge('crowd').addCallback((result) => {
    for (let i = 0; i < 100; i++) result.observe(1, { i });
  });
  assert.equal((await read()).value('fragile'), 1);
  broken = true;
  const page = await read();
  assert.equal(page.value('fragile'), undefined);
  assert.equal(page.all('crowd').length, 6);
  assert.equal(page.value('crowd', { i: OVERFLOW }), 95);
  assert.ok(warnings.some((line) => line.includes('fragile failed: sensor lost')));
});

test('two instruments that cannot be one: the second records nothing, and the app goes on', async () => {
  const { metrics, read, warnings } = setup();
  const meter = metrics.meterProvider.getMeter('shop');
  meter.createUpDownCounter('things').add(1);
  meter.createHistogram('things').record(5);
  meter.createCounter('').add(1);
  meter.createGauge('things').record(Number.NaN);
  assert.ok(Number.isNaN((await read()).value('things')));
  assert.ok(warnings.some((line) => line.includes('things is a gauge already and cannot be a histogram too')));
});

test('the kit goes on where the app has taken one of its names for something else', async () => {
  const { metrics, read, warnings } = setup();
  metrics.meterProvider.getMeter('shop').createHistogram('circuitbreaker.state').record(1);
  const gauge = metrics.gauge(METRICS.breakerState);
  gauge.set({ name: 'mail' }, 2);
  const page = await read();
  assert.equal(page.types.get('circuitbreaker_state'), 'histogram');
  assert.match(warnings[0], /the kit's circuitbreaker_state is not shown: .* is a histogram already/);
});

test('nothing that is given to the API makes it throw, or the page unreadable', async () => {
  const { metrics, read } = setup();
  const meter = metrics.meterProvider.getMeter('shop') as any;
  const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true });
  const kinds = ['Counter', 'UpDownCounter', 'Gauge', 'Histogram'];
  fc.assert(
    fc.property(fc.string(), anything, anything, anything, (name, a, b, c) => {
      for (const kind of kinds) {
        for (const instrument of [meter[`create${kind}`](`${kind}.${name}`, a), meter[`create${kind}`](`fixed.${kind}`)]) {
          (instrument.add ?? instrument.record)(a, b, c);
          (instrument.add ?? instrument.record)(1, { [name]: b, bad: [1n] }, c);
        }
      }
      const observable = meter.createObservableGauge('observed', a);
      observable.addCallback(b);
      observable.addCallback((result: any) => result.observe(a, b));
    }),
    { numRuns: 200 },
  );
  await read();
  await read(OPENMETRICS);
});
