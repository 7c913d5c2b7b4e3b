import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KitRegistry } from '../../instrumentation/metrics/registry.ts';
import { METRICS, type MetricDefinition, OVERFLOW } from '../../instrumentation/names.ts';
import { OPENMETRICS, recorder, setup } from './setup.ts';

const SAMPLED = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
const one = (name: string, ...labels: string[]): MetricDefinition => ({ name, type: 'gauge', help: name, labels });

test('a name has one instrument, whoever asks', () => {
  const { metrics } = setup();
  assert.equal(metrics.counter(METRICS.errors), metrics.counter(METRICS.errors));
  assert.equal(metrics.histogram(METRICS.httpServerDuration), metrics.histogram(METRICS.httpServerDuration));
});

test('counters count, gauges follow, a missing label is empty and an unknown one is left out', async () => {
  const { metrics, read } = setup();
  metrics.counter(METRICS.errors).inc({ error_type: 'TypeError', color: 'red' });
  metrics.counter(METRICS.errors).inc({ error_type: 'TypeError' }, 2);
  const active = metrics.gauge(METRICS.httpServerActive);
  active.add({ http_request_method: 'GET' }, 3);
  active.add({ http_request_method: 'GET' }, -1);
  const page = await read();
  assert.deepEqual(page.all('o11y_errors_total'), [
    { name: 'o11y_errors_total', labels: { error_type: 'TypeError', error_category: '' }, value: 3, exemplar: undefined },
  ]);
  assert.equal(page.value('http_server_active_requests', { http_request_method: 'GET' }), 2);
  active.remove({ http_request_method: 'GET' });
  assert.equal((await read()).value('http_server_active_requests'), undefined);
});

test('values that cannot be recorded are ignored with one line each', async () => {
  const { metrics, read, warnings } = setup();
  const counter = metrics.counter(METRICS.errors);
  for (const value of [-1, Number.NaN, Infinity, 'x' as never, -2]) counter.inc({}, value);
  const child = metrics.histogram(METRICS.dbWaitTime).child('pool');
  for (const value of [Number.NaN, -Infinity, undefined as never]) child.observe(value);
  metrics.gauge(METRICS.breakerState).set({ name: 'b' }, undefined as never);
  const page = await read();
  assert.equal(page.value('o11y_errors_total'), undefined);
  assert.equal(page.value('db_client_connection_wait_time_seconds_count'), 0);
  assert.equal(page.value('circuitbreaker_state'), undefined);
  assert.equal(warnings.length, 3);
  assert.match(warnings[0], /o11y_errors_total: a counter takes no -1; the value is ignored/);
});

test('a histogram counts each value in the first bucket that holds it', async () => {
  const { metrics, read } = setup();
  const histogram = metrics.histogram({ ...one('h', 'a'), type: 'histogram', buckets: [1, 2, 5] });
  for (const value of [0, 1, 1.5, 2, 5, 5.1, -3]) histogram.child('x').observe(value);
  histogram.observe({ a: 'x' }, 100);
  const page = await read();
  assert.deepEqual(
    page.all('h_bucket').map(({ labels, value }) => [labels.le, value]),
    [
      ['1', 3],
      ['2', 5],
      ['5', 6],
      ['+Inf', 8],
    ],
  );
  assert.equal(page.value('h_count'), 8);
  assert.equal(page.value('h_sum'), 0 + 1 + 1.5 + 2 + 5 + 5.1 - 3 + 100);
});

test('a bucket shows the newest sampled span, and only a sampled one', async () => {
  const { metrics, read } = setup();
  const child = metrics.histogram(METRICS.httpServerDuration).child('GET', '/', '200', '');
  child.observe(0.3, { ...SAMPLED, spanId: 'aaaaaaaaaaaaaaaa' });
  child.observe(0.4, SAMPLED);
  child.observe(0.4, { ...SAMPLED, spanId: 'cccccccccccccccc', traceFlags: 0 });
  child.observe(50, SAMPLED);
  child.observe(0.001);
  const shown = (await read(OPENMETRICS)).samples.filter(({ exemplar }) => exemplar);
  assert.deepEqual(
    shown.map(({ labels, exemplar }) => [labels.le, exemplar!.labels, exemplar!.value]),
    [
      ['0.5', { trace_id: SAMPLED.traceId, span_id: SAMPLED.spanId }, 0.4],
      ['+Inf', { trace_id: SAMPLED.traceId, span_id: SAMPLED.spanId }, 50],
    ],
  );
});

test('beyond O11Y_MAX_SERIES one series takes all the rest, with one warning', async () => {
  const { metrics, read, warnings } = setup({ O11Y_MAX_SERIES: '3' });
  const counter = metrics.counter(METRICS.errors);
  for (let i = 0; i < 100; i++) counter.inc({ error_type: `E${i}` });
  const page = await read();
  const series = page.all('o11y_errors_total');
  assert.equal(series.length, 4);
  assert.equal(page.value('o11y_errors_total', { error_type: OVERFLOW, error_category: OVERFLOW }), 97);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /o11y_errors_total has more than 3 series \(O11Y_MAX_SERIES\)/);

  const histogram = metrics.histogram(METRICS.dbWaitTime);
  const children = Array.from({ length: 50 }, (_, i) => histogram.child(`pool ${i}`));
  for (const child of children) child.observe(1);
  assert.equal(new Set(children).size, 4);
  assert.equal(children[49], histogram.overflow);
  const sums = await read();
  assert.equal(sums.value('db_client_connection_wait_time_seconds_count', { db_client_connection_pool_name: OVERFLOW }), 47);
  assert.equal(sums.all('db_client_connection_wait_time_seconds_count').length, 4);
});

test('a removed series makes room for another', async () => {
  const { metrics, read } = setup({ O11Y_MAX_SERIES: '2' });
  const gauge = metrics.gauge(METRICS.breakerState);
  for (const name of ['a', 'b', 'c']) gauge.set({ name }, 1);
  gauge.remove({ name: 'a' });
  gauge.set({ name: 'd' }, 1);
  const names = (await read()).all('circuitbreaker_state').map(({ labels }) => labels.name);
  assert.deepEqual(names, ['b', OVERFLOW, 'd']);
});

test('children that were kept go on after a reset', async () => {
  const registry = new KitRegistry(10, recorder());
  const histogram = registry.histogram({ ...one('h', 'a'), type: 'histogram', buckets: [1] });
  const counter = registry.counter(one('c_total'));
  const child = histogram.child('x');
  child.observe(0.5);
  counter.inc();
  registry.prom.resetMetrics();
  child.observe(0.5);
  child.observe(0.5);
  counter.inc({}, 5);
  assert.equal(histogram.child('x') === child, false);
  histogram.child('x').observe(0.5);
  // Read by prom-client itself: the series are its own.
  const text = await registry.prom.metrics();
  assert.match(text, /^h_count\{a="x"\} 3$/m);
  assert.match(text, /^c_total 5$/m);
});

test('label sets that look alike when joined stay apart', async () => {
  const { metrics, read } = setup();
  const counter = metrics.counter({ ...one('c_total', 'a', 'b'), type: 'counter' });
  const hostile = [
    { a: '1,b:2', b: '' },
    { a: '1', b: '2' },
    { a: '1', b: '2,' },
    { a: '__proto__', b: 'constructor' },
    { a: 'x\0y', b: '' },
    { a: 'x', b: 'y' },
    { a: '"', b: '\\' },
    { a: '\n', b: '\\n' },
    { a: '\ud800', b: '' },
  ];
  for (const labels of hostile) counter.inc(labels);
  counter.inc({ a: '\udc00', b: '' });
  const page = await read();
  assert.equal(page.all('c_total').length, hostile.length);
  assert.equal(page.value('c_total', { a: '1,b:2', b: '' }), 1);
  assert.equal(page.value('c_total', { a: '\ufffd', b: '' }), 2, 'two lone surrogates are one text in UTF-8');
});

test('any label values come back from the page as they were', async () => {
  const { metrics, read } = setup({ O11Y_MAX_SERIES: '100000' });
  const gauge = metrics.gauge(one('g', 'a', 'b'));
  const expected = new Map<string, number>();
  let next = 0;
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ maxLength: 1500 }), (a, b) => {
      gauge.set({ a, b }, ++next);
      const clean = (text: string) =>
        Buffer.from(text.length > 1024 ? `${text.slice(0, 1023)}…` : text)
          .toString()
          .replaceAll('\0', '\ufffd');
      expected.set(JSON.stringify({ a: clean(a), b: clean(b) }), next);
    }),
    { numRuns: 300 },
  );
  const shown = new Map((await read()).all('g').map(({ labels, value }) => [JSON.stringify(labels), value]));
  assert.deepEqual(shown, expected);
});
