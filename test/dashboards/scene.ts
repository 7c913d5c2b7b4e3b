/**
 * What the dashboards are held against: the checkout example and a service of faults, preloaded, under load, scraped by a real
 * Prometheus that evaluates the alert rules. First all is well; then the payments hang, die and come back, a service blocks,
 * leaks and floods its labels, another one loses what it leans on, and the backend of traces and logs refuses them.
 */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runTraffic } from '../../examples/checkout/demo/traffic.ts';
import { startViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { freePort } from '../support/free-port.ts';
import { type PrometheusServer, startPrometheus } from '../support/servers/prometheus.ts';
import { until } from '../support/until.ts';
import { startWorkshop } from './workshop.ts';

const root = join(import.meta.dirname, '../..');
const checkout = join(root, 'examples/checkout');

/** Seconds since 1970, as Prometheus counts. */
export interface Phase {
  readonly start: number;
  readonly end: number;
}

export interface Scene extends AsyncDisposable {
  readonly prometheus: PrometheusServer;
  readonly healthy: Phase;
  readonly faulty: Phase;
  /** Seconds between two scrapes. */
  readonly scrapeInterval: number;
}

export interface SceneOptions {
  /** Length of each of the two phases. */
  readonly seconds?: number;
  readonly scrapeInterval?: number;
  /** Where traces and logs go; by default to a receiver of the scene's own, which refuses them in the second phase. */
  readonly endpoint?: string;
  /** What happens to the backend in the second phase; by default the scene's own receiver refuses what it gets. */
  readonly refuse?: () => void;
}

const now = () => Date.now() / 1000;

export async function playScene(options: SceneOptions = {}): Promise<Scene> {
  const { seconds = 12, scrapeInterval = 1 } = options;
  const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-scene-'));
  const targets = join(folder, 'targets');
  mkdirSync(targets);
  await using started = new AsyncDisposableStack();
  started.defer(() => rmSync(folder, { recursive: true, force: true }));

  const viewer = started.use(await startViewer());
  const prometheus = started.use(await startPrometheus({ config: configuration(folder, targets, scrapeInterval) }));
  const environment = { O11Y_TARGETS_DIR: targets, OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1', PORT: '0', SEED: '1' };
  const launch = async (name: string, entry: string, env: Record<string, string> = {}): Promise<App> => {
    const ready = /(?:LISTEN |listening (?:on|at) http:\/\/127\.0\.0\.1:)(\d+)/;
    const endpoint = options.endpoint ?? viewer.url;
    return started.use(
      await spawnApp({ args: [entry], cwd: join(checkout, name), endpoint, ready, env: { ...environment, ...env } }),
    );
  };

  // The same address after its restart, as a machine has it.
  const paymentsEnvironment = {
    FAILURE_RATE: '0',
    SLOW_RATE: '0',
    DECLINE_RATE: '0.05',
    OTEL_EXPORTER_PROMETHEUS_PORT: String(await freePort()),
    PORT: String(await freePort()),
  };
  const payments = await launch('payments', 'server.ts', paymentsEnvironment);
  const orders = await launch('orders', 'server.js', { PAYMENTS_URL: `http://127.0.0.1:${payments.port}` });
  const versions = ['1.0.0', '1.1.0'];
  const gateways = [];
  for (const version of versions) {
    gateways.push(
      await launch('gateway', 'server.js', {
        ORDERS_URL: `http://127.0.0.1:${orders.port}`,
        OTEL_RESOURCE_ATTRIBUTES: `service.version=${version},deployment.environment.name=test`,
      }),
    );
  }
  const shop = await launch('../../test/dashboards/apps', 'shop.mjs', {
    OTEL_SERVICE_NAME: 'shop',
    O11Y_MAX_SERIES: '24',
    NODE_OPTIONS: '--max-old-space-size=256',
    OTEL_RESOURCE_ATTRIBUTES: 'service.version=2.4.0,deployment.environment.name=test',
  });
  const workshop = started.use(await startWorkshop(environment, options.endpoint ?? viewer.url));
  const ask = (path: string) =>
    fetch(`http://127.0.0.1:${shop.port}${path}`)
      .then((answer) => answer.text())
      .catch(() => '');

  const ending = new AbortController();
  const load: Promise<unknown>[] = gateways.map(({ port }) =>
    runTraffic({ gateway: `http://127.0.0.1:${port}`, rate: 10, signal: ending.signal, onSent() {} }),
  );
  load.push(repeat(100, ending.signal, () => ask('/work')));
  load.push(fetch(`http://127.0.0.1:${shop.port}/events`, { signal: ending.signal }).then((answer) => answer.text()));
  started.defer(async () => {
    ending.abort();
    await Promise.allSettled(load);
  });

  await until('all services to be scraped', async () => (await prometheus.query('up == 1')).length === 6);
  // Rates need some scrapes behind them.
  const healthyStart = now() + 5 * scrapeInterval;
  await sleep(seconds * 1000 + 5000 * scrapeInterval);
  const healthy = { start: healthyStart, end: now() };

  const faultyStart = now() + 3 * scrapeInterval;
  const { refuse = () => viewer.respond({ status: 400 }) } = options;
  refuse();
  await workshop.breakDown();
  load.push(
    repeat(100, ending.signal, async () => {
      await ask('/block?ms=500');
      await Promise.all(['/fail', '/garbage', '/garbage', '/forget', '/call?host=127.0.0.1&refused'].map(ask));
    }),
  );
  for (let n = 0; n < 60; n += 1) load.push(ask(`/call?host=127.0.0.${n + 2}`));
  for (let n = 0; n < 30; n += 1) load.push(ask(`/shelf/${n}`));
  await ask('/leak?mb=90');
  // Longer than any start, which the greatest delay of the last minute still remembers.
  await ask('/block?ms=4000');
  payments.child.kill('SIGSTOP');
  await sleep(seconds * 400);
  await payments.kill('SIGKILL');
  await until('the payments to be missed', async () => (await prometheus.query('up{job="payments"} == 0')).length === 1);
  await sleep(seconds * 300);
  await launch('payments', 'server.ts', paymentsEnvironment);
  await until('the payments to be back', async () => (await prometheus.query('up{job="payments"} == 1')).length === 1);
  await sleep(Math.max(seconds * 300, 3000 * scrapeInterval));
  // Tables show the end alone, whose rates need the scrapes right before it. The shop is blocked too often to be waited for.
  const scraped = `min_over_time(up{job!="shop"}[${4 * scrapeInterval}s]) == 1`;
  await until('the last scrapes of all to work', async () => (await prometheus.query(scraped)).length === 5, {
    timeoutMs: 60_000,
  });
  const faulty = { start: faultyStart, end: now() };

  const all = started.move();
  return { prometheus, healthy, faulty, scrapeInterval, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Calls `work` every so often until the signal; a call that takes longer delays the next one. */
async function repeat(everyMs: number, signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  while (!signal.aborted) {
    await work();
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
}

/** The services by the files that they leave; the committed rules, with nothing changed but how long an alert waits. */
function configuration(folder: string, targets: string, scrapeInterval: number): string {
  for (const file of globSync('alerts/rules/*.yml', { cwd: root })) {
    const rules = readFileSync(join(root, file), 'utf8').replaceAll(/^(\s*for: ).*$/gm, '$11s');
    writeFileSync(join(folder, basename(file)), rules);
  }
  return `global: { scrape_interval: ${scrapeInterval}s, evaluation_interval: ${scrapeInterval}s }
rule_files: ['${folder}/*.yml']
scrape_configs:
  - job_name: apps
    file_sd_configs: [{ files: ['${targets}/*.json'], refresh_interval: 1s }]
`;
}
