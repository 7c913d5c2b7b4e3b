/**
 * The registry beside prom-client's own: one observation, and a page of 10,000 series.
 *
 *     node bench/metrics.ts [rounds]
 *
 * Rounds are paired (each measures both, one after the other, in turns), and the median of the rounds' ratios is what
 * counts: on a shared machine the times of one round say little.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import prom from 'prom-client';
import { loadConfig } from '../instrumentation/config.ts';
import { createDiagnostics } from '../instrumentation/diagnostics.ts';
import { createStats } from '../instrumentation/export/stats.ts';
import { createMetrics, type Metrics } from '../instrumentation/metrics/metrics.ts';
import { METRICS } from '../instrumentation/names.ts';

const ROUNDS = Number(process.argv[2] ?? 7);
const OBSERVATIONS = 300_000;
const SERIES = 10_000;
const { name, help, labels, buckets } = METRICS.httpServerDuration;
const SPAN = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
const EXEMPLAR = { trace_id: SPAN.traceId, span_id: SPAN.spanId };

function kit(): Metrics {
  const { config } = loadConfig({ O11Y_MAX_SERIES: String(SERIES) });
  return createMetrics({ config, diagnostics: createDiagnostics(config), stats: createStats(), resource: { attributes: {} } });
}

function theirs(enableExemplars: boolean) {
  const register = new prom.Registry();
  register.setContentType(prom.Registry.OPENMETRICS_CONTENT_TYPE as never);
  const config = { name, help, labelNames: [...labels], buckets: [...buckets!], registers: [register], enableExemplars };
  return { register, histogram: new prom.Histogram(config) };
}

/** Nanoseconds for one call. */
function each(call: (value: number) => void): number {
  const started = performance.now();
  for (let i = 0; i < OBSERVATIONS; i++) call((i % 100) / 50);
  return ((performance.now() - started) / OBSERVATIONS) * 1e6;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

function report(what: string, unit: string, pairs: { ours: number; theirs: number }[]): void {
  const ratios = pairs.map((pair) => pair.ours / pair.theirs).sort((a, b) => a - b);
  const [ours, other] = [median(pairs.map((pair) => pair.ours)), median(pairs.map((pair) => pair.theirs))];
  const spread = `${ratios[0].toFixed(2)}–${ratios[ratios.length - 1].toFixed(2)}`;
  console.log(
    `${what.padEnd(44)} ratio ${median(ratios).toFixed(2)} (${spread})   ${ours.toFixed(1)} against ${other.toFixed(1)} ${unit}`,
  );
}

function paired(round: number, ours: () => number, other: () => number): { ours: number; theirs: number } {
  if (round % 2) return { ours: ours(), theirs: other() };
  const first = other();
  return { ours: ours(), theirs: first };
}

function observations(): void {
  const child = kit().histogram(METRICS.httpServerDuration).child('GET', '/orders/:id', '200', '');
  const values = { http_request_method: 'GET', http_route: '/orders/:id', http_response_status_code: '200', error_type: '' };
  const plain = theirs(false).histogram.labels(values);
  const withExemplar = theirs(true).histogram as unknown as { observe(given: object): void };
  const labelled = theirs(false).histogram;
  const byLabels = kit().histogram(METRICS.httpServerDuration);
  const rows = [
    ['observe on a cached child', (v: number) => child.observe(v), (v: number) => plain.observe(v)],
    [
      'observe with an exemplar',
      (v: number) => child.observe(v, SPAN),
      (v: number) => withExemplar.observe({ labels: values, value: v, exemplarLabels: EXEMPLAR }),
    ],
    ['observe by labels', (v: number) => byLabels.observe(values, v), (v: number) => labelled.observe(values, v)],
  ] as const;
  for (const [what, ours, other] of rows) {
    paired(
      0,
      () => each(ours),
      () => each(other),
    );
    const pairs = Array.from({ length: ROUNDS }, (_, round) =>
      paired(
        round,
        () => each(ours),
        () => each(other),
      ),
    );
    report(what, 'ns', pairs);
  }
}

interface Scrape {
  readonly ms: number;
  readonly longestMs: number;
  readonly bytes: number;
}

/** CPU time of one page, and the longest that the event loop was held by it at a stretch. */
async function scrape(page: () => Promise<number>): Promise<Scrape> {
  let longestMs = 0;
  // The thread's own CPU time: on a shared machine a pause by the clock is mostly somebody else's turn.
  const cpu = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let last = cpu();
  let running = true;
  const watch = (async () => {
    while (running) {
      await turn();
      const now = cpu();
      longestMs = Math.max(longestMs, now - last);
      last = now;
    }
  })();
  await turn();
  const before = process.cpuUsage();
  const bytes = await page();
  const { user, system } = process.cpuUsage(before);
  running = false;
  await watch;
  return { ms: (user + system) / 1000, longestMs, bytes };
}

/** As the admin server writes it: piece by piece, as bytes. */
async function bytesOf(chunks: AsyncIterable<string> | Iterable<string>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += Buffer.from(chunk).length;
  return bytes;
}

async function pages(what: string, fill: (metrics: Metrics, register: typeof prom.register) => void): Promise<void> {
  const metrics = kit();
  const { register } = theirs(true);
  register.clear();
  fill(metrics, register);
  const ours = () => scrape(async () => bytesOf((await metrics.page('application/openmetrics-text')).chunks));
  const other = () => scrape(async () => bytesOf([await register.metrics()]));
  await ours();
  await other();
  const results: { ours: Scrape; theirs: Scrape }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 2) results.push({ ours: await ours(), theirs: await other() });
    else {
      const first = await other();
      results.push({ ours: await ours(), theirs: first });
    }
  }
  const pick = (part: 'ms' | 'longestMs') => results.map((pair) => ({ ours: pair.ours[part], theirs: pair.theirs[part] }));
  console.log(
    `\n${what}: ${(results[0].ours.bytes / 1e6).toFixed(1)} MB against ${(results[0].theirs.bytes / 1e6).toFixed(1)} MB`,
  );
  report('  CPU of a page', 'ms', pick('ms'));
  report('  longest hold of the event loop', 'ms', pick('longestMs'));
}

console.log(`Node ${process.version}, ${ROUNDS} paired rounds; ratio below 1: better than prom-client\n`);
observations();

await pages(`${SERIES} series of counters`, (metrics, register) => {
  const counter = new prom.Counter({ name: 'orders_total', help: 'o', labelNames: ['customer', 'plan'], registers: [register] });
  for (let i = 0; i < SERIES; i++) {
    metrics.user.counter('orders', { labels: ['customer', 'plan'] }).inc({ customer: `customer ${i}`, plan: 'free' });
    counter.inc({ customer: `customer ${i}`, plan: 'free' });
  }
});

await pages(`${SERIES} histograms of 17 lines, one exemplar each`, (metrics, register) => {
  const config = { name, help, labelNames: [...labels], buckets: [...buckets!], registers: [register], enableExemplars: true };
  const histogram = new prom.Histogram(config) as unknown as { observe(given: object): void };
  for (let i = 0; i < SERIES; i++) {
    const route = `/route/${i}/:id`;
    metrics.histogram(METRICS.httpServerDuration).child('GET', route, '200', '').observe(0.2, SPAN);
    const values = { http_request_method: 'GET', http_route: route, http_response_status_code: '200', error_type: '' };
    histogram.observe({ labels: values, value: 0.2, exemplarLabels: EXEMPLAR });
  }
});

await pages(`${SERIES} histograms in the app's own prom-client`, (metrics, register) => {
  const client = { ...prom, register };
  metrics.adopt(client);
  const histogram = new prom.Histogram({ name, help, labelNames: [...labels], buckets: [...buckets!], registers: [register] });
  for (let i = 0; i < SERIES; i++) histogram.labels('GET', `/route/${i}/:id`, '200', '').observe(0.2);
});
