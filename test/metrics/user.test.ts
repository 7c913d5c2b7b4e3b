import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { KitContext, storage } from '../../instrumentation/context.ts';
import { METRICS, OVERFLOW } from '../../instrumentation/names.ts';
import { OPENMETRICS, setup } from './setup.ts';

test('counters, gauges and histograms with and without labels', async () => {
  const { metrics, read } = setup();
  const { user } = metrics;
  const orders = user.counter('shop_orders', { help: 'Orders', labels: ['plan'] });
  orders.inc({ plan: 'free' });
  orders.inc({ plan: 'free' }, 2);
  user.counter('plain_total').inc();
  user.counter('plain_total').inc(4);
  const carts = user.gauge('carts');
  carts.set(5);
  carts.inc();
  carts.inc(2);
  carts.dec();
  carts.dec({}, 3);
  const rooms = user.gauge('room_temperature', { labels: ['room'] });
  rooms.set({ room: 'a' }, 20);
  rooms.set({ room: 'b' }, 21);
  rooms.dec({ room: 'b' });
  rooms.remove({ room: 'a' });
  const sizes = user.histogram('size', { buckets: [10, 1, 1, Number.POSITIVE_INFINITY] });
  sizes.observe(5);
  sizes.observe({ kind: 'big' }, 500);
  const end = sizes.startTimer({ kind: 'timed' });
  const seconds = end({ ok: true });
  const page = await read();
  assert.equal(page.value('shop_orders_total', { plan: 'free' }), 3);
  assert.equal(page.value('plain_total'), 5);
  assert.equal(page.value('carts'), 4);
  assert.deepEqual(
    page.all('room_temperature').map(({ labels, value }) => [labels.room, value]),
    [['b', 20]],
  );
  assert.deepEqual(
    page.all('size_bucket').map(({ labels: { le, ...labels }, value }) => [labels, le, value]),
    [
      [{}, '1', 0],
      [{}, '10', 1],
      [{}, '+Inf', 1],
      [{ kind: 'big' }, '1', 0],
      [{ kind: 'big' }, '10', 0],
      [{ kind: 'big' }, '+Inf', 1],
      [{ kind: 'timed', ok: 'true' }, '1', 1],
      [{ kind: 'timed', ok: 'true' }, '10', 1],
      [{ kind: 'timed', ok: 'true' }, '+Inf', 1],
    ],
  );
  assert.equal(page.value('size_sum', { kind: 'timed' }), seconds);
});

test('a histogram shows the active span', async () => {
  const { metrics, read } = setup();
  const span = trace.wrapSpanContext({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 });
  storage.run(new KitContext(span, 'id', undefined), () => metrics.user.histogram('x', { buckets: [1] }).observe(0.5));
  assert.equal((await read(OPENMETRICS)).all('x_bucket')[0].exemplar?.labels.span_id, 'b7ad6b7169203331');
});

test('labels that each call brings are bounded', async () => {
  const { metrics, read } = setup({ O11Y_MAX_SERIES: '5' });
  const hits = metrics.user.counter('hits');
  for (let i = 0; i < 100; i++) hits.inc({ [`label${i}`]: i });
  const page = await read();
  assert.equal(page.all('hits_total').length, 6);
  assert.equal(page.all('hits_total').find(({ labels }) => Object.values(labels)[0] === OVERFLOW)?.value, 95);
});

test('a name that cannot be had gives an instrument that does nothing, with one line', async () => {
  const { metrics, read, warnings } = setup();
  const { user } = metrics;
  user.gauge('taken').set(1);
  user.histogram('taken').observe(1);
  user.histogram('taken').startTimer()();
  user.counter('not a name').inc();
  user.counter(undefined as never).inc();
  user.gauge('labels', { labels: ['__name__'] }).set(1);
  user.histogram('le', { labels: ['le'] }).observe(1);
  const page = await read();
  assert.equal(page.value('taken'), 1);
  assert.equal(warnings.length, 5, warnings.join('\n'));
  assert.match(warnings[0], /"taken" cannot be used: metric taken is a gauge already and cannot be a histogram too/);
});

test('a metric of the kit can be fed by hand, as what it is there', async () => {
  const { metrics, read, warnings } = setup();
  metrics.user.gauge('bullmq_job_count', { labels: ['other'] }).set({ queue: 'mail', state: 'waiting', other: 'x' }, 3);
  metrics.user.histogram('circuitbreaker_state').observe(1);
  metrics.gauge(METRICS.breakerState).set({ name: 'mail' }, 1);
  const page = await read();
  assert.deepEqual(page.all('bullmq_job_count')[0].labels, { queue: 'mail', state: 'waiting' });
  assert.equal(page.value('circuitbreaker_state', { name: 'mail' }), 1);
  assert.match(warnings[0], /it is a gauge of the kit and cannot be a histogram/);
});

test('nothing that is given to it makes it throw, or the page unreadable', async () => {
  const { metrics, read } = setup();
  const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true });
  fc.assert(
    fc.property(fc.array(anything, { minLength: 4, maxLength: 4 }), fc.string(), ([a, b, c, d], name) => {
      const user = metrics.user as any;
      for (const given of [name, 'fixed', a]) {
        user.counter(given, b).inc(c, d);
        user.gauge(given, b).set(c, d);
        user.gauge(given, b).inc(c, d);
        user.gauge(given, b).dec(c, d);
        user.gauge(given, b).remove(c);
        user.histogram(given, b).observe(c, d);
        user.histogram(given, b).startTimer(c)(d);
      }
    }),
    { numRuns: 300 },
  );
  await read();
  await read(OPENMETRICS);
});
