import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { negotiate } from '../../instrumentation/metrics/accept.ts';
import { METRICS, type MetricDefinition } from '../../instrumentation/names.ts';
import { needs } from '../support/needs.ts';
import { collect, OPENMETRICS, type Setup, setup } from './setup.ts';

const SPAN = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };

/** One of everything, with values that never change. */
function specimen(t: TestContext): Setup {
  t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_123 });
  const made = setup(
    { O11Y_MAX_SERIES: '2' },
    { 'service.name': 'shop', 'service.version': '1.2.3', 'a.b': 'x', a_b: 'y', 'host.name': 'a"b\\c' },
  );
  const { metrics } = made;
  const requests = metrics.histogram(METRICS.httpServerDuration);
  requests.child('GET', '/orders/:id', '200', '').observe(0.03, SPAN);
  requests.child('GET', '/orders/:id', '200', '').observe(60, SPAN);
  requests.child('POST', '', '500', 'TypeError').observe(1);
  requests.child('PUT', 'too many', '200', '').observe(2);
  metrics.gauge(METRICS.breakerState).set({ name: 'a"\\\n<script>' }, Number.NaN);
  metrics.gauge(METRICS.breakerState).set({ name: 'b' }, -Infinity);
  metrics.counter(METRICS.operationTimeouts).inc({ component: 'mail', operation: 'send' }, 0.1 + 0.2);
  metrics.user.gauge('shop_open_carts_total', { help: 'A gauge of an\nunlucky "name"' }).set(7);
  metrics.user.counter('shop_orders', { labels: ['plan'] }).inc({ plan: 'free' }, 1e21);
  return made;
}

for (const [format, accept] of [
  ['text', undefined],
  ['openmetrics', OPENMETRICS],
] as const) {
  test(`the page as ${format} is the golden one`, async (t) => {
    const { text, read } = specimen(t);
    const page = await text(accept);
    await read(accept);
    const golden = join(import.meta.dirname, 'golden', `page.${format}.txt`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, page);
    assert.equal(page, readFileSync(golden, 'utf8'));
  });
}

test('promtool has nothing to say against the page', { skip: needs('promtool') }, async () => {
  const { metrics, text } = setup();
  const stop = metrics.start();
  const make = { counter: 'inc', gauge: 'add', histogram: 'observe' } as const;
  for (const definition of Object.values(METRICS) as MetricDefinition[]) {
    if (definition.name === METRICS.targetInfo.name) continue;
    const instrument = metrics[definition.type](definition) as unknown as Record<string, (labels: object, value: number) => void>;
    instrument[make[definition.type]]({}, 1);
  }
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await text(), encoding: 'utf8' });
  stop();
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
});

test('the format is the one that the scraper prefers', () => {
  const prometheus2 =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  const prometheus3 =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,*/*;q=0.1';
  for (const [accept, format] of [
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text'],
    ['text/plain', 'text'],
    ['application/openmetrics-text', 'openmetrics'],
    ['Application/OpenMetrics-Text; charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text;q=0', 'text'],
    ['application/openmetrics-text;q=0.4,text/plain;q=0.5', 'text'],
    [prometheus2, 'openmetrics'],
    [prometheus3, 'openmetrics'],
    [',;;q=,\0'.repeat(10_000), 'text'],
  ] as const) {
    assert.equal(negotiate(accept), format, accept?.slice(0, 80));
  }
});

test('the content type says which format came', async () => {
  const { metrics } = setup();
  assert.equal((await metrics.page()).contentType, 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal((await metrics.page(OPENMETRICS)).contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8');
});

test('a counter has the same name in both formats', async () => {
  const { metrics, read } = setup();
  metrics.user.counter('shop_orders_total').inc();
  const [text, open] = [await read(), await read(OPENMETRICS)];
  assert.equal(text.value('shop_orders_total'), 1);
  assert.equal(open.value('shop_orders_total'), 1);
  assert.equal(text.types.get('shop_orders_total'), 'counter');
  assert.equal(open.types.get('shop_orders'), 'counter');
});

test('a gauge that has the name of a counter without its suffix does not break OpenMetrics', async () => {
  const { metrics, read } = setup();
  metrics.user.gauge('shop_orders').set(1);
  metrics.user.counter('shop_orders_total').inc(2);
  const page = await read(OPENMETRICS);
  assert.equal(page.value('shop_orders'), 1);
  assert.equal(page.value('shop_orders_total'), 2);
});

test('a large page comes in pieces between which the event loop turns, whole and in order', async () => {
  const { metrics } = setup({ O11Y_MAX_SERIES: '10000' });
  const histogram = metrics.histogram(METRICS.httpServerDuration);
  for (let i = 0; i < 10_000; i++) histogram.child('GET', `/route/${i}`, '200', '').observe(0.1);
  let turns = 0;
  let running = true;
  const turn = () => {
    turns++;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  const page = await metrics.page();
  let longest = 0;
  let text = '';
  const before = turns;
  for await (const chunk of page.chunks) {
    longest = Math.max(longest, chunk.length);
    text += chunk;
  }
  running = false;
  assert.ok(turns - before > 1, `the event loop turned ${turns - before} times`);
  assert.ok(longest < 64_000, `the longest piece has ${longest} characters`);
  assert.equal(text.match(/^http_server_request_duration_seconds_count\{/gm)?.length, 10_000);
});

test('scrapes that meet get whole pages', async () => {
  const { metrics, text } = setup();
  const stop = metrics.start();
  let calls = 0;
  metrics.onScrape('once', async () => {
    calls++;
    await new Promise((resolve) => setImmediate(resolve));
  });
  metrics.histogram(METRICS.httpServerDuration).child('GET', '/', '200', '').observe(1, SPAN);
  const pages = await Promise.all([text(), text(OPENMETRICS), text(), text(OPENMETRICS)]);
  stop();
  assert.equal(calls, 1);
  assert.equal(pages[0].includes('# EOF'), false);
  assert.equal(pages[1].endsWith('# EOF\n'), true);
  const names = (page: string) => page.match(/^[a-z][a-zA-Z0-9_]*/gm)!.join();
  assert.equal(names(pages[0]), names(pages[2]));
  assert.equal(names(pages[1]), names(pages[3]));
});

test('a scraper that goes away in the middle leaves nothing behind', async () => {
  const { metrics, read } = setup();
  for (let i = 0; i < 1000; i++) metrics.counter(METRICS.errors).inc({ error_type: `${i}` });
  const { chunks } = await metrics.page();
  for await (const chunk of chunks) {
    assert.ok(chunk.length > 0);
    break;
  }
  assert.equal((await read()).all('o11y_errors_total').length, 1000);
});

test('the snapshot survives JSON and shows the same page', async (t) => {
  const { metrics, text } = specimen(t);
  const { toPage } = await import('../../instrumentation/metrics/render.ts');
  const snapshot = JSON.parse(JSON.stringify(await metrics.snapshot()));
  for (const accept of [undefined, OPENMETRICS]) {
    assert.equal(await collect(toPage(snapshot.families, accept).chunks), await text(accept));
  }
});
