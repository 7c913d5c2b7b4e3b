import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { Hub } from '../../viewer/hub.ts';
import { Buckets } from '../../viewer/metrics/buckets.ts';
import { lastMinutes, SLOTS, STEP_MS } from '../../viewer/metrics/clock.ts';
import { parseText } from '../../viewer/metrics/text.ts';
import type { Metric } from '../../viewer/model.ts';
import { metricView } from '../../viewer/query/panels.ts';
import { overview, serviceView } from '../../viewer/query/services.ts';
import { span } from './viewer-client.ts';

/** The middle of a slot, so that a few seconds more or less do not matter. */
const NOW = Math.floor(Date.now() / STEP_MS) * STEP_MS + STEP_MS / 2;
const SCRAPED = { targets: [], health: [] };
const RED = 'http_server_request_duration_seconds';
const DB = 'db_client_operation_duration_seconds';

function scrape(hub: Hub, at: number, page: string, source = 'http://127.0.0.1:9464/metrics'): void {
  hub.addFamilies({ service: 'shop', source, at }, parseText(page));
}

function counterPage(value: number): string {
  return `# TYPE jobs_total counter\njobs_total{queue="mail"} ${value}\n`;
}

/** Requests of `GET /a`, by bucket, and of these the failed ones. */
function redPage(buckets: number[], failed = 0): string {
  const lines = [`# TYPE ${RED} histogram`];
  const bounds = ['0.1', '0.5', '+Inf'];
  for (const [status, counts] of [
    ['200', buckets],
    ['500', [failed, 0, 0]],
  ] as const) {
    const labels = `http_request_method="GET",http_route="/a",http_response_status_code="${status}"`;
    let sum = 0;
    bounds.forEach((le, i) => {
      sum += counts[i];
      lines.push(`${RED}_bucket{${labels},le="${le}"} ${sum}`);
    });
    lines.push(`${RED}_sum{${labels}} ${sum * 0.2}`, `${RED}_count{${labels}} ${sum}`);
  }
  return lines.join('\n');
}

/** What a series grew by over the last minutes. */
function growth(hub: Hub, name: string, now = NOW): number {
  const { series } = hub.metrics.families('shop').get(name)!;
  const values = [...series.values()].flatMap(({ window }) => window.read(lastMinutes(15, now)));
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

describe('counters', () => {
  it('count what they grew by, and a restart is no dip', () => {
    const hub = new Hub();
    const at = NOW - (NOW % STEP_MS) - 60_000;
    scrape(hub, at, counterPage(1000));
    scrape(hub, at + 5_000, counterPage(1010));
    scrape(hub, at + 10_000, counterPage(4));
    scrape(hub, at + 15_000, counterPage(5));
    // 1,000 were counted at a time that nobody knows.
    assert.equal(growth(hub, 'jobs_total'), 10 + 4 + 1);
    const view = metricView(hub.metrics.families('shop'), 'jobs_total', lastMinutes(15, NOW))!;
    assert.ok(view.series[0].values.every((value) => value === null || value >= 0));
  });

  it('of a process that has just started count from its start', () => {
    const hub = new Hub();
    const at = NOW - 30_000;
    const start = `# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds ${(at - 10_000) / 1000}\n`;
    scrape(hub, at, start + counterPage(20));
    assert.equal(growth(hub, 'jobs_total'), 20);
  });

  it('that appear later count from zero', () => {
    const hub = new Hub();
    scrape(hub, NOW - 30_000, 'other 1\n');
    scrape(hub, NOW - 20_000, `other 1\n${counterPage(7)}`);
    assert.equal(growth(hub, 'jobs_total'), 7);
  });

  it('are spread evenly over slots between uneven scrapes', () => {
    const hub = new Hub();
    const start = NOW - (NOW % STEP_MS) - 20 * STEP_MS;
    let total = 0;
    for (let ms = 0; ms <= 60_000; ms += 7_000) scrape(hub, start + ms, counterPage((total = ms / 1000)));
    assert.ok(total > 0);
    const view = metricView(hub.metrics.families('shop'), 'jobs_total', lastMinutes(15, NOW))!;
    const known = view.series[0].values.filter((value) => value !== null).slice(0, -1);
    assert.ok(known.length > 8);
    for (const value of known) assert.ok(Math.abs(value - 1) < 1e-4, `${value} a second`);
  });

  it('of two processes are two series', () => {
    const hub = new Hub();
    for (const [i, port] of [9464, 9465].entries()) {
      const source = `http://127.0.0.1:${port}/metrics`;
      scrape(hub, NOW - 30_000, counterPage(100 * i), source);
      scrape(hub, NOW - 25_000, counterPage(100 * i + 5), source);
    }
    assert.equal(growth(hub, 'jobs_total'), 10);
  });
});

describe('rate, errors and durations', () => {
  it('come from the histogram of requests', () => {
    const hub = new Hub();
    scrape(hub, NOW - 60_000, redPage([0, 0, 0]));
    scrape(hub, NOW - 50_000, redPage([50, 40, 0], 10));
    const view = serviceView(hub, SCRAPED, 'shop', 5, NOW)!;
    assert.equal(view.source, 'metrics');
    const [route] = view.routes;
    assert.equal(`${route.method} ${route.route}`, 'GET /a');
    assert.equal(route.total.count, 100);
    assert.equal(route.total.errors, 10);
    assert.equal(route.total.errorRatio, 0.1);
    // 60 up to 0.1 s, 40 up to 0.5 s: the median lies at 50/60 of the first bucket.
    assert.ok(Math.abs(route.total.p50! - (50 / 60) * 100) < 0.1, String(route.total.p50));
    assert.ok(Math.abs(route.total.p99! - (100 + (39 / 40) * 400)) < 0.1, String(route.total.p99));
    // 100 requests in 10 seconds.
    assert.ok(Math.abs(Math.max(...route.red.rate.map((rate) => rate ?? 0)) - 10) < 0.01);
  });

  it('come from spans where there are no metrics, and from metrics as soon as there are', () => {
    const hub = new Hub();
    const request = (durationMs: number, error?: string) =>
      span({
        kind: 'server',
        name: 'GET /a',
        attributes: { 'http.request.method': 'GET', 'http.route': '/a' },
        startMs: NOW - 1000,
        durationMs,
        error,
      });
    const slow = request(900, 'broken');
    hub.addSpans([...Array.from({ length: 99 }, () => request(10)), slow], NOW);
    const before = serviceView(hub, SCRAPED, 'shop', 5, NOW)!;
    assert.equal(before.source, 'spans');
    assert.equal(before.routes[0].total.count, 100);
    assert.equal(before.routes[0].total.errors, 1);
    assert.ok(Math.abs(before.routes[0].total.p50! - 10) < 5);
    assert.equal(before.routes[0].red.exemplars[0].traceId, slow.traceId);

    scrape(hub, NOW - 10_000, redPage([0, 0, 0]));
    scrape(hub, NOW, redPage([300, 0, 0]));
    const after = serviceView(hub, SCRAPED, 'shop', 5, NOW)!;
    assert.equal(after.source, 'metrics');
    assert.equal(after.routes[0].total.count, 300);
    // The example of the slow request is still there to be opened.
    assert.equal(after.routes[0].red.exemplars[0].traceId, slow.traceId);
  });

  it('of messages that are sent come from spans, whatever metrics say of other calls', () => {
    const hub = new Hub();
    const send = () =>
      span({
        kind: 'producer',
        name: 'send mails',
        attributes: { 'messaging.system': 'bullmq', 'messaging.destination.name': 'mails' },
        startMs: NOW - 1000,
        durationMs: 5,
      });
    const page = (count: number) =>
      `# TYPE ${DB} histogram\n${DB}_bucket{db_system_name="redis",le="+Inf"} ${count}\n${DB}_sum{db_system_name="redis"} 1\n${DB}_count{db_system_name="redis"} ${count}\n`;
    hub.addSpans([send()], NOW);
    scrape(hub, NOW - 10_000, page(0));
    scrape(hub, NOW, page(7));
    hub.addSpans([send(), send()], NOW);
    const { calls } = serviceView(hub, SCRAPED, 'shop', 5, NOW)!;
    assert.deepEqual(calls.map(({ kind, name, total }) => [kind, name, total.count]).sort(), [
      ['db', 'redis', 7],
      ['messaging', 'bullmq mails', 3],
    ]);
  });

  it('point to traces that are here only', () => {
    const hub = new Hub();
    const here = span();
    hub.addSpans([here], NOW);
    const exemplar = (traceId: string) => ` # {trace_id="${traceId}",span_id="${here.spanId}"} 0.05 ${NOW / 1000}`;
    const page = (count: number, traceId: string) =>
      `# TYPE ${RED} histogram\n${RED}_bucket{http_request_method="GET",http_route="/a",le="0.1"} ${count}${exemplar(traceId)}\n` +
      `${RED}_bucket{http_request_method="GET",http_route="/a",le="+Inf"} ${count}\n# EOF`;
    for (const traceId of [here.traceId, 'f'.repeat(32)]) {
      const other = new Hub();
      other.addSpans([here], NOW);
      scrape(other, NOW - 10_000, page(0, traceId));
      scrape(other, NOW, page(5, traceId));
      const { routes } = serviceView(other, SCRAPED, 'shop', 5, NOW)!;
      const ids = routes.find(({ route }) => route === '/a')!.red.exemplars.map((one) => one.traceId);
      assert.deepEqual(ids, traceId === here.traceId ? [here.traceId] : []);
    }
  });

  it('say nothing of times in which nothing was known', () => {
    const hub = new Hub();
    scrape(hub, NOW - 60_000, redPage([0, 0, 0]));
    scrape(hub, NOW - 50_000, redPage([10, 0, 0]));
    const [{ red }] = overview(hub, SCRAPED, 5, NOW).services;
    assert.equal(red.rate[0], null);
    assert.equal(red.rate.at(-1), null);
    assert.ok(red.rate.some((rate) => rate !== null && rate > 0));
  });

  it('are bounded, whatever routes a sender makes up', () => {
    const hub = new Hub();
    for (let i = 0; i < 5_000; i++) hub.addSpans([span({ kind: 'server', name: `GET /user/${i}`, startMs: NOW - 1000 })], NOW);
    const view = serviceView(hub, SCRAPED, 'shop', 5, NOW)!;
    assert.ok(view.routes.length <= 41);
    assert.ok(view.moreRoutes > 900);
    assert.equal(view.summary.total.count, 5_000);
  });

  it('forget what is older than the window', () => {
    const hub = new Hub();
    scrape(hub, NOW - 60_000, redPage([0, 0, 0]));
    scrape(hub, NOW - 50_000, redPage([10, 0, 0]));
    const later = NOW + (SLOTS + 20) * STEP_MS;
    scrape(hub, later - 5_000, redPage([10, 0, 0]));
    scrape(hub, later, redPage([13, 0, 0]));
    assert.equal(serviceView(hub, SCRAPED, 'shop', 30, later)!.routes[0].total.count, 3);
  });
});

describe('other spellings', () => {
  it('of OpenTelemetry’s own Prometheus exporter are understood', async () => {
    const exporter = new PrometheusExporter({ preventServerStart: true });
    const provider = new MeterProvider({ readers: [exporter] });
    const meter = provider.getMeter('test');
    const duration = meter.createHistogram('http.server.request.duration', {
      unit: 's',
      advice: { explicitBucketBoundaries: [0.1, 0.5] },
    });
    const labels = { 'http.request.method': 'GET', 'http.route': '/a', 'http.response.status_code': 200 };
    const text = async (): Promise<string> => {
      let page = '';
      const response = { statusCode: 0, setHeader() {}, end: (body: string) => (page = body) };
      exporter.getMetricsRequestHandler({} as never, response as never);
      while (page === '') await new Promise((resolve) => setImmediate(resolve));
      return page;
    };
    const hub = new Hub();
    duration.record(0.05, labels);
    const first = await text();
    assert.match(first, /http_server_request_duration(_seconds)?_bucket/);
    scrape(hub, NOW - 10_000, first);
    for (let i = 0; i < 9; i++) duration.record(0.05, labels);
    scrape(hub, NOW, await text());
    const [route] = serviceView(hub, SCRAPED, 'shop', 5, NOW)!.routes;
    assert.deepEqual([route.method, route.route, route.total.count], ['GET', '/a', 9]);
    await provider.shutdown();
  });

  it('without units and in milliseconds are understood', () => {
    const spellings: [string, string, string][] = [
      ['http_server_request_duration', '0.1', 'http_request_method="GET",http_route="/a"'],
      ['http_server_request_duration_milliseconds', '100', 'http_request_method="GET",http_route="/a"'],
      ['http_server_duration_milliseconds', '100', 'http_method="GET",http_route="/a"'],
      ['http_server_duration', '100', 'http_method="GET",http_route="/a"'],
    ];
    for (const [name, bound, labels] of spellings) {
      const hub = new Hub();
      const page = (count: number) =>
        `# TYPE ${name} histogram\n${name}_bucket{${labels},le="${bound}"} ${count}\n${name}_bucket{${labels},le="+Inf"} ${count}\n`;
      scrape(hub, NOW - 10_000, page(0));
      scrape(hub, NOW, page(8));
      const [route] = serviceView(hub, SCRAPED, 'shop', 5, NOW)!.routes;
      assert.deepEqual([route.method, route.route, route.total.count, route.total.p50], ['GET', '/a', 8, 50], name);
    }
  });

  it('a counter without _total is found by its full name', () => {
    const hub = new Hub();
    const page = (count: number) =>
      `# TYPE o11y_retry_attempts counter\no11y_retry_attempts{name="x",result="success"} ${count}\n`;
    scrape(hub, NOW - 10_000, page(0));
    scrape(hub, NOW - 5_000, page(3));
    assert.equal(growth(hub, 'o11y_retry_attempts_total'), 3);
  });
});

describe('metrics over OTLP', () => {
  const metric = (temporality: 'delta' | 'cumulative', value: number): Metric => ({
    name: 'jobs',
    description: '',
    unit: '{job}',
    service: 'shop',
    resource: { 'service.instance.id': 'one' },
    scope: { name: '', version: '', attributes: {} },
    type: 'sum',
    monotonic: true,
    temporality,
    points: [{ startNs: 0n, timeNs: 0n, attributes: { 'queue.name': 'mail' }, exemplars: [], flags: 0, value }],
  });

  it('that are cumulative count what they grew by', () => {
    const hub = new Hub();
    for (const [i, value] of [100, 103, 110].entries()) hub.addMetrics([metric('cumulative', value)], NOW - 30_000 + i * 5000);
    assert.equal(growth(hub, 'jobs_total'), 10);
  });

  it('that are deltas count all', () => {
    const hub = new Hub();
    for (const [i, value] of [5, 3, 7].entries()) hub.addMetrics([metric('delta', value)], NOW - 30_000 + i * 5000);
    assert.equal(growth(hub, 'jobs_total'), 15);
    const [one] = metricView(hub.metrics.families('shop'), 'jobs_total', lastMinutes(5, NOW))!.series;
    assert.deepEqual({ ...one.labels }, { queue_name: 'mail', instance: 'one' });
  });

  it('exponential histograms have percentiles', () => {
    const hub = new Hub();
    const point = (count: number): Metric => ({
      ...metric('delta', 0),
      name: 'http.server.request.duration',
      unit: 's',
      type: 'exponentialHistogram',
      temporality: 'delta',
      points: [
        {
          startNs: 0n,
          timeNs: 0n,
          attributes: { 'http.request.method': 'GET', 'http.route': '/e' },
          exemplars: [],
          flags: 0,
          count,
          sum: count,
          min: undefined,
          max: undefined,
          // Base 2: offset 1 is the bucket from 2 to 4 seconds.
          scale: 0,
          zeroCount: 0,
          zeroThreshold: 0,
          positive: { offset: 1, counts: [count] },
          negative: { offset: 0, counts: [] },
        },
      ],
    });
    hub.addMetrics([point(10)], NOW);
    const [route] = serviceView(hub, SCRAPED, 'shop', 5, NOW)!.routes;
    assert.equal(route.total.count, 10);
    assert.ok(route.total.p50! > 1900 && route.total.p50! <= 4000, String(route.total.p50));
  });
});

describe('panels', () => {
  it('show breakers, pools and runtime under their names', () => {
    const hub = new Hub();
    scrape(
      hub,
      NOW,
      [
        '# TYPE circuitbreaker_state gauge',
        'circuitbreaker_state{name="payments"} 1',
        '# TYPE nodejs_heap_size_used_bytes gauge',
        'nodejs_heap_size_used_bytes 1000',
        '# TYPE db_client_connection_count gauge',
        'db_client_connection_count{db_client_connection_pool_name="main",db_client_connection_state="used"} 3',
      ].join('\n'),
    );
    const { groups } = serviceView(hub, SCRAPED, 'shop', 5, NOW)!;
    const lines = groups.flatMap(({ id, panels }) =>
      panels.flatMap(({ title, lines }) => lines.map(({ label, last }) => [id, title, label, last])),
    );
    assert.deepEqual(lines, [
      ['runtime', 'Memory', 'heap used', 1000],
      ['breakers', 'State', 'payments', 1],
      ['pools', 'Connections', 'main · used', 3],
    ]);
  });
});

describe('the number of series', () => {
  it('is bounded, and what finds no room is counted', () => {
    const hub = new Hub();
    const lines = Array.from({ length: 4_000 }, (_, i) => `jobs_total{id="${i}"} 1`);
    scrape(hub, NOW, `# TYPE jobs_total counter\n${lines.join('\n')}`);
    const { series } = hub.storage();
    assert.ok(series <= 2_500);
    assert.equal(hub.dropped().series, 4_000 - series);
    scrape(hub, NOW + 5_000, `# TYPE jobs_total counter\n${lines.join('\n')}`);
    assert.equal(hub.dropped().series, 4_000 - series, 'the same series are not counted twice');
  });

  it('shrinks when a process is gone', () => {
    const hub = new Hub();
    scrape(hub, NOW, counterPage(1));
    hub.metrics.remove({ service: 'shop', source: 'http://127.0.0.1:9464/metrics' });
    assert.equal(hub.storage().series, 0);
  });
});

describe('buckets', () => {
  it('of different bounds are added by what lies below each bound', () => {
    const buckets = new Buckets([1, 10]);
    buckets.add([1, 10], [1, 2, 3]);
    buckets.add([1, 5, 10], [1, 1, 1, 1]);
    assert.deepEqual(buckets.bounds, [1, 5, 10]);
    assert.deepEqual([...buckets.counts], [2, 1, 3, 4]);
    assert.equal(buckets.total, 10);
  });

  it('have no percentile without a count, and none above the last bound', () => {
    assert.equal(new Buckets([1, 2]).quantile(0.5), null);
    const buckets = new Buckets([1, 2]);
    buckets.add([1, 2], [0, 0, 5]);
    assert.equal(buckets.quantile(0.5), 2);
  });
});
