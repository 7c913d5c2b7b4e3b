import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as kitCopy from '../../instrumentation/metrics/prom-client.ts';
import { METRICS } from '../../instrumentation/names.ts';
import { needs } from '../support/needs.ts';
import { OPENMETRICS, setup } from './setup.ts';

const VERSIONS = ['prom-client13', 'prom-client14', 'prom-client15'] as const;
const require = createRequire(import.meta.url);

/** A copy of its own, as an app has it: nothing of it is shared with another test. */
function fresh(name: string): any {
  const folder = require.resolve(name).replace(/index\.js$/, '');
  for (const file of Object.keys(require.cache)) if (file.startsWith(folder)) delete require.cache[file];
  return require(name);
}

for (const name of VERSIONS) {
  test(`${name}: metrics of the default registry and of any other are on the page, before and after adoption`, async () => {
    const prom = fresh(name);
    const { metrics, read } = setup();
    new prom.Counter({ name: 'early_total', help: 'e', labelNames: ['a'] }).inc({ a: 'x"\n' }, 2);
    metrics.adopt(prom);
    metrics.adopt(prom);
    new prom.Gauge({ name: 'late', help: 'l' }).set(-1.5);
    const other = new prom.Registry();
    const histogram = new prom.Histogram({ name: 'sizes', help: 's', buckets: [1, 2], labelNames: ['b'], registers: [other] });
    histogram.observe({ b: 'y' }, 1.5);
    histogram.labels('z').observe(9);
    new prom.Summary({ name: 'waits', help: 'w', percentiles: [0.5, 0.9], registers: [other] }).observe(4);
    for (const accept of [undefined, OPENMETRICS]) {
      const page = await read(accept);
      assert.equal(page.value('early_total', { a: 'x"\n' }), 2);
      assert.equal(page.value('late'), -1.5);
      assert.equal(page.value('sizes_sum', { b: 'y' }), 1.5);
      assert.deepEqual(
        page.all('sizes_bucket').map(({ labels, value }) => [labels.b, Number(labels.le.replace('+Inf', 'Infinity')), value]),
        [
          ['y', 1, 0],
          ['y', 2, 1],
          ['y', Infinity, 1],
          ['z', 1, 0],
          ['z', 2, 0],
          ['z', Infinity, 1],
        ],
      );
      assert.equal(page.value('waits', { quantile: '0.5' }), 4);
      assert.equal(page.value('waits_count'), 1);
    }
    prom.register.resetMetrics();
    assert.equal((await read()).value('late'), 0);
  });

  test(`${name}: the app's collectDefaultMetrics works, and each name stands once`, async () => {
    const prom = fresh(name);
    const { metrics, read, warnings } = setup();
    const stop = metrics.start();
    metrics.adopt(prom);
    prom.collectDefaultMetrics({ labels: { team: 'a' } });
    const page = await read();
    stop();
    assert.equal(page.all('process_cpu_seconds_total').length, 1);
    assert.equal(page.value('process_cpu_seconds_total', { team: 'a' }) !== undefined, true);
    assert.equal(page.all('nodejs_eventloop_utilization_ratio').length, 1, 'what only the kit has stays');
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.match(warnings[0], /the app registers .* and \d+ more itself; the kit's own series of that name are not shown/);
    assert.match(await prom.register.metrics(), /process_cpu_seconds_total\{team="a"\}/);
  });
}

test('a name that the app registers itself is the app’s, with one warning', async () => {
  const prom = fresh('prom-client15');
  const { metrics, read, warnings } = setup();
  metrics.counter(METRICS.errors).inc({ error_type: 'ours' });
  metrics.adopt(prom);
  new prom.Gauge({ name: METRICS.errors.name, help: 'theirs' }).set(42);
  for (let i = 0; i < 3; i++) {
    const page = await read();
    assert.deepEqual(
      page.all('o11y_errors_total').map(({ value }) => value),
      [42],
    );
  }
  assert.deepEqual(warnings, [
    "O11Y_METRIC: the app registers o11y_errors_total itself; the kit's own series of that name are not shown.",
  ]);
  prom.register.clear();
  assert.equal((await read()).value('o11y_errors_total', { error_type: 'ours' }), 1, 'back when the app gives it up');
});

test('two copies of prom-client with the same names: the first is shown', async () => {
  const [first, second] = [fresh('prom-client15'), fresh('prom-client15')];
  assert.notEqual(first, second);
  const { metrics, read, warnings } = setup();
  for (const [index, prom] of [first, second].entries()) {
    metrics.adopt(prom);
    new prom.Counter({ name: 'jobs_total', help: 'j' }).inc(index + 1);
    new prom.Counter({ name: `only_${index}_total`, help: 'o' }).inc();
  }
  const page = await read();
  assert.equal(page.value('jobs_total'), 1);
  assert.equal(page.value('only_0_total'), 1);
  assert.equal(page.value('only_1_total'), 1);
  assert.equal(warnings.length, 1);
});

test('a metric that stands in two registries, or in a merged one, is shown once and without a word', async () => {
  const prom = fresh('prom-client15');
  const { metrics, read, warnings } = setup();
  metrics.adopt(prom);
  const other = new prom.Registry();
  new prom.Counter({ name: 'jobs_total', help: 'j', registers: [prom.register, other] }).inc();
  const merged = prom.Registry.merge([prom.register, other].slice(1));
  assert.ok(merged);
  assert.equal((await read()).value('jobs_total'), 1);
  assert.deepEqual(warnings, []);
});

test('a cluster’s aggregation is not counted beside what it adds up', async () => {
  const prom = fresh('prom-client15');
  const { metrics, read } = setup();
  metrics.adopt(prom);
  new prom.Counter({ name: 'jobs_total', help: 'j' }).inc(3);
  const json = await prom.register.getMetricsAsJSON();
  const sum = prom.AggregatorRegistry.aggregate([json, [{ ...json[0], name: 'of_another_worker_total' }]]);
  assert.ok(sum.getSingleMetric('of_another_worker_total'));
  assert.equal((await read()).value('of_another_worker_total'), undefined);
});

test('one broken metric of the app costs itself only', async () => {
  const prom = fresh('prom-client15');
  const { metrics, read, warnings } = setup();
  metrics.adopt(prom);
  const make = (name: string, collect: () => unknown) => new prom.Gauge({ name, help: name, collect });
  make('throws', () => {
    throw new Error('no database');
  });
  make('rejects', async () => {
    throw new Error('no cache');
  });
  make('works', function (this: any) {
    this.set(3);
  } as never);
  const odd = make('get_throws', () => {});
  (odd as any).get = async () => {
    throw new Error('odd');
  };
  const page = await read();
  assert.equal(page.value('works'), 3);
  assert.equal(page.value('throws'), undefined);
  assert.equal(page.value('rejects'), undefined);
  assert.equal(page.value('get_throws'), undefined);
  assert.equal(page.value('o11y_collector_success', { collector: 'app' }), 0);
  assert.equal(warnings.length, 3);
});

test('a metric with a get() of its own is read by it', async () => {
  const prom = fresh('prom-client15');
  const { metrics, read } = setup();
  metrics.adopt(prom);
  const { Gauge } = prom as typeof import('prom-client15');
  class Doubled extends Gauge<string> {
    // @ts-expect-error: prom-client's types leave get() out.
    async get() {
      const result = await super.get();
      return { ...result, values: result.values.map((value: { value: number }) => ({ ...value, value: value.value * 2 })) };
    }
  }
  new Doubled({ name: 'doubled', help: 'd' }).set(21);
  assert.equal((await read()).value('doubled'), 42);
});

test('default labels of a registry are added; names that would break the page are not', async () => {
  const prom = fresh('prom-client15');
  const { metrics, read } = setup();
  metrics.adopt(prom);
  prom.register.setDefaultLabels({ region: 'eu', 'bad-name': 'x', a: 'default' });
  new prom.Counter({ name: 'jobs_total', help: 'j', labelNames: ['a'] }).inc({ a: 'own' });
  assert.deepEqual((await read()).all('jobs_total')[0].labels, { a: 'own', region: 'eu' });
});

test('a counter keeps its name whatever the app’s own registry does with it', async () => {
  const prom = fresh('prom-client15');
  const { metrics, read } = setup();
  metrics.adopt(prom);
  new prom.Counter({ name: 'jobs_total', help: 'j' }).inc();
  prom.register.setContentType(prom.Registry.OPENMETRICS_CONTENT_TYPE);
  new prom.Counter({ name: 'mails', help: 'm' }).inc(2);
  const own = await prom.register.metrics();
  assert.match(own, /^jobs_total 1$/m);
  assert.match(own, /^mails_total 2$/m);
  for (const accept of [undefined, OPENMETRICS]) {
    const page = await read(accept);
    assert.equal(page.value('jobs_total'), 1);
    assert.equal(page.value('mails_total'), 2);
  }
});

test('exemplars of the app are shown, but not one that would have the page refused', async () => {
  const prom = fresh('prom-client15');
  const { metrics, read } = setup();
  metrics.adopt(prom);
  const register = new prom.Registry(prom.Registry.OPENMETRICS_CONTENT_TYPE);
  const config = { help: 'h', buckets: [1, 2], enableExemplars: true, registers: [register] };
  const histogram = new prom.Histogram({ name: 'h', ...config });
  histogram.observe({ value: 0.5, exemplarLabels: { traceId: 'abc' } });
  histogram.observe({ value: 1.5, exemplarLabels: { 'not a name': 'abc' } });
  const counter = new prom.Counter({ name: 'c_total', help: 'c', enableExemplars: true, registers: [register] });
  counter.inc({ value: 1, exemplarLabels: { traceId: 'def' } });
  const page = await read(OPENMETRICS);
  assert.deepEqual(
    page.all('h_bucket').map(({ exemplar }) => exemplar?.labels),
    [{ traceId: 'abc' }, undefined, undefined],
  );
  assert.deepEqual(page.all('c_total')[0].exemplar?.labels, { traceId: 'def' });
});

test('a registry that the app has dropped goes from the page and from memory', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const prom = fresh('prom-client15');
  const { metrics, read } = setup();
  metrics.adopt(prom);
  (() => new prom.Gauge({ name: 'short_lived', help: 's', registers: [new prom.Registry()] }).set(1))();
  assert.equal((await read()).value('short_lived'), 1);
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  assert.equal((await read()).value('short_lived'), undefined);
});

test('the kit’s own copy of prom-client can be the app’s too', async () => {
  const { metrics, read, warnings } = setup();
  const index = require('prom-client');
  assert.equal(index.Registry, kitCopy.Registry);
  metrics.adopt(index);
  metrics.counter(METRICS.errors).inc();
  new index.Counter({ name: 'app_total', help: 'a' }).inc();
  const page = await read();
  index.register.clear();
  assert.equal(page.all('o11y_errors_total').length, 1);
  assert.equal(page.value('app_total'), 1);
  assert.deepEqual(warnings, []);
});

test('stopping gives the app’s prototype its own method back', () => {
  const prom = fresh('prom-client15');
  const own = prom.Registry.prototype.registerMetric;
  const { metrics } = setup();
  const stop = metrics.start();
  metrics.adopt(prom);
  assert.notEqual(prom.Registry.prototype.registerMetric, own);
  stop();
  assert.equal(prom.Registry.prototype.registerMetric, own);
});

test('anything else that is given to adopt is left alone', async () => {
  const { metrics, read } = setup();
  const frozen = Object.freeze({ register: { getMetricsAsArray: () => [null] }, Registry: Object.freeze(class {}) });
  const hostile = {
    get register() {
      throw new Error('no');
    },
  };
  for (const value of [undefined, null, 5, 'x', {}, { register: 1 }, { Registry: {} }, frozen, hostile]) metrics.adopt(value);
  await read();
});

test('the app’s own error at registration reaches the app', () => {
  const prom = fresh('prom-client15');
  const { metrics } = setup();
  metrics.adopt(prom);
  new prom.Counter({ name: 'jobs_total', help: 'j' });
  assert.throws(() => new prom.Counter({ name: 'jobs_total', help: 'j' }), /already been registered/);
});

test('promtool has nothing to say against a merged page', { skip: needs('promtool') }, async () => {
  const prom = fresh('prom-client15');
  const { metrics, text } = setup();
  const stop = metrics.start();
  metrics.adopt(prom);
  prom.collectDefaultMetrics();
  new prom.Summary({ name: 'waits_seconds', help: 'Waits.' }).observe(1);
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await text(), encoding: 'utf8' });
  stop();
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});
