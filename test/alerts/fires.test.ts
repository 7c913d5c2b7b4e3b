/**
 * Alerts fire for real: running services are given faults by real means, Prometheus scrapes them and evaluates the rules that are shipped,
 * Alertmanager routes with the configuration that is shipped, and a webhook is called. Durations are divided; nothing else is changed.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Service, startService } from '../../examples/checkout/demo/service.ts';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { COMPOSE, ROOT, withReplacements } from '../support/compose.ts';
import { freePort } from '../support/free-port.ts';
import { type AlertmanagerServer, needsAlertmanager, startAlertmanager } from '../support/servers/alertmanager.ts';
import { needsPrometheus, type PrometheusServer, startPrometheus } from '../support/servers/prometheus.ts';
import { until } from '../support/until.ts';
import { scaleDurations } from './scale.ts';

/** Five minutes become ten seconds, in which a page is scraped ten times. */
const DIVISOR = 30;
const HEAP_MB = 80;

interface Notified {
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What must arrive: the fault, the alert and the service that it is of. */
const EXPECTED: readonly { readonly alert: string; readonly job: string; readonly severity: string; readonly fault: string }[] = [
  { alert: 'AvailabilityBudgetBurn', job: 'gateway', severity: 'critical', fault: 'a route throws' },
  { alert: 'HttpErrorsHigh', job: 'gateway', severity: 'warning', fault: 'a route throws' },
  { alert: 'HttpRouteFailing', job: 'gateway', severity: 'warning', fault: 'a route throws' },
  { alert: 'LatencyBudgetBurn', job: 'orders', severity: 'critical', fault: 'the payment provider takes more than a second' },
  { alert: 'HttpClientErrorsHigh', job: 'faulty-calls', severity: 'warning', fault: 'nothing listens where it calls' },
  { alert: 'EventLoopBlocked', job: 'faulty-blocks', severity: 'warning', fault: 'a loop of more than a second' },
  { alert: 'UnhandledErrors', job: 'faulty-blocks', severity: 'warning', fault: 'a promise is rejected' },
  { alert: 'HeapNearLimit', job: 'faulty-leaks', severity: 'critical', fault: 'memory is held' },
  { alert: 'TelemetryLost', job: 'faulty-refused', severity: 'warning', fault: 'the backend refuses spans' },
  { alert: 'HealthCheckFailing', job: 'faulty-refused', severity: 'critical', fault: 'what its check asks answers 500' },
  { alert: 'ServiceDown', job: 'faulty-hangs', severity: 'critical', fault: 'the process is stopped (SIGSTOP)' },
];

suite('alerts reach a webhook', { skip: needsPrometheus || needsAlertmanager }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-alerts-'));
  const targets = join(folder, 'targets');
  const notified: Notified[] = [];
  const stop = new AbortController();
  const stack = new AsyncDisposableStack();
  let prometheus: PrometheusServer;
  let gateway: Service;
  const faulty: Record<string, App> = {};
  let broken = false;
  let traffic: Promise<unknown>[] = [];

  before(async () => {
    for (const name of ['targets', 'rules']) mkdirSync(join(folder, name));
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    const webhook = await listen(stack, async (request) => {
      notified.push(...JSON.parse((await request.toArray()).join('')).alerts);
      return 200;
    });
    // A backend and a partner that turn bad when the faults begin.
    const turning = (status: number) => async (request: IncomingMessage) => {
      await request.toArray();
      return broken ? status : 200;
    };
    const [refusing, partner] = await Promise.all([listen(stack, turning(400)), listen(stack, turning(500))]);
    const viewer: TestViewer = await startViewer();
    stack.defer(() => viewer.close());
    const alertmanager = stack.use(await startAlerting(webhook));
    prometheus = stack.use(await startWatching(alertmanager));
    const env = { ...process.env, O11Y_TARGETS_DIR: targets, OTEL_EXPORTER_PROMETHEUS_PORT: '0' };
    const endpoint = viewer.url;
    await Promise.all([
      startCheckout({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
      startFaulty('leaks', endpoint, { HEAP_MB: String(HEAP_MB) }, [`--max-old-space-size=${HEAP_MB}`]),
      startFaulty('blocks', endpoint),
      startFaulty('hangs', endpoint),
      startFaulty('calls', endpoint),
      startFaulty('refused', refusing, { PARTNER: partner }),
    ]);
    traffic = [
      repeat(`${gateway.url}/products/tea-green`, 100),
      ...['leaks', 'blocks', 'calls'].map((name) => repeat(`http://127.0.0.1:${faulty[name].port}/`, 200)),
    ];
  });

  after(async () => {
    stop.abort();
    await Promise.all(traffic);
    await stack.disposeAsync();
  });

  /** Asks again and again until the test ends; answers and failures do not matter here. */
  async function repeat(url: string, everyMs: number, init?: RequestInit): Promise<void> {
    while (!stop.signal.aborted) {
      await fetch(url, { ...init, signal: stop.signal }).then(
        (response) => response.arrayBuffer(),
        () => {},
      );
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  }

  async function startAlerting(webhook: string): Promise<AlertmanagerServer> {
    const config = withReplacements(join(COMPOSE, 'alertmanager/receivers/webhook.yml'), {
      // Version 0.25 takes the address itself only.
      'url_file: /run/secrets/webhook_url': `url: ${webhook}`,
    });
    return startAlertmanager({ config: scaleDurations(config, DIVISOR) });
  }

  async function startWatching(alertmanager: AlertmanagerServer): Promise<PrometheusServer> {
    for (const file of readdirSync(join(ROOT, 'alerts/rules'))) {
      const rules = readFileSync(join(ROOT, 'alerts/rules', file), 'utf8');
      writeFileSync(join(folder, 'rules', file), scaleDurations(rules, DIVISOR));
    }
    return startPrometheus({
      config: `global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: ['${folder}/rules/*.yml']
alerting: { alertmanagers: [{ static_configs: [{ targets: ['${new URL(alertmanager.url).host}'] }] }] }
scrape_configs:
  - job_name: apps
    file_sd_configs: [{ files: ['${targets}/*.json'], refresh_interval: 1s }]
`,
      // Five minutes by default: also a duration.
      flags: [`--query.lookback-delta=${300 / DIVISOR}s`, '--rules.alert.resend-delay=2s'],
    });
  }

  async function startCheckout(env: NodeJS.ProcessEnv): Promise<void> {
    const quiet = { FAILURE_RATE: '0', DECLINE_RATE: '0', SLOW_RATE: '1', SLOW_MS: '1300' };
    const start = async (name: 'gateway' | 'orders' | 'payments', entry: string, more: NodeJS.ProcessEnv) => {
      const service = await startService({ name, entry, env: { ...env, ...more } });
      stack.defer(() => service.stop().then(() => {}));
      return service;
    };
    const payments = await start('payments', 'server.ts', quiet);
    const orders = await start('orders', 'server.js', { PAYMENTS_URL: payments.url });
    gateway = await start('gateway', 'server.js', { ORDERS_URL: orders.url });
  }

  async function startFaulty(
    name: string,
    endpoint: string,
    env: Record<string, string> = {},
    flags: string[] = [],
  ): Promise<void> {
    faulty[name] = stack.use(
      await spawnApp({
        args: [...flags, join(import.meta.dirname, 'apps/faulty/server.js')],
        endpoint,
        env: {
          OTEL_SERVICE_NAME: `faulty-${name}`,
          O11Y_TARGETS_DIR: targets,
          OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
          ...env,
        },
      }),
    );
  }

  const firing = async () =>
    (await prometheus.query('ALERTS{alertstate="firing"}')).map(({ metric }) => `${metric.alertname} ${metric.job ?? ''}`.trim());

  test('nothing but the watchdog fires while all is well', async () => {
    const since = 'min by (job) (count_over_time(up[1h]))';
    await until(
      'all processes to have been scraped for the five minutes of a rule',
      async () => {
        const scraped = await prometheus.query(since);
        return scraped.length === 8 && scraped.every(({ value }) => Number(value![1]) > 300 / DIVISOR + 2);
      },
      { timeoutMs: 60_000 },
    );
    assert.deepEqual(await firing(), ['Watchdog']);
  });

  test('each fault is told, with links that are whole', { timeout: 120_000 }, async (t) => {
    const at = (name: string, path: string) => `http://127.0.0.1:${faulty[name].port}${path}`;
    const nobody = await freePort();
    const order = JSON.stringify({ customer: 'ada', items: [{ sku: 'tea-green', quantity: 1 }] });
    const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: order };
    broken = true;
    faulty.hangs.child.kill('SIGSTOP');
    await fetch(at('leaks', '/leak?share=0.93'));
    traffic.push(
      repeat(`${gateway.url}/recommendations`, 100),
      ...[1, 2, 3, 4, 5].map(() => repeat(`${gateway.url}/checkout`, 50, post)),
      repeat(at('blocks', '/block?ms=1300'), 3000),
      repeat(at('blocks', '/reject'), 500),
      repeat(at('calls', `/call?url=${encodeURIComponent(`http://127.0.0.1:${nobody}/`)}`), 200),
      repeat(at('refused', '/'), 100),
    );
    for (const { alert, job, severity, fault } of EXPECTED) {
      await t.test(`${alert}: ${fault}`, async () => {
        const told = await until(
          `a notification of ${alert} for ${job}`,
          () => notified.find(({ labels }) => labels.alertname === alert && labels.job === job && labels.severity === severity),
          { timeoutMs: 80_000 },
        );
        assert.equal(told.status, 'firing');
        const { summary, description, runbook_url, dashboard_url } = told.annotations;
        assert.ok(summary);
        assert.match(description, new RegExp(`\\b${job}\\b`));
        assert.doesNotMatch(description, /no value|NaN|\{\{/);
        assert.equal(runbook_url, `http://localhost:3000/d/runbook-${alert}`);
        assert.match(dashboard_url, new RegExp(`^http://localhost:3000/d/o11y-[a-z-]+\\?var-(job|service)=${job}(&|$)`));
      });
    }
  });
});

async function listen(stack: AsyncDisposableStack, answer: (request: IncomingMessage) => Promise<number>): Promise<string> {
  const server = createServer(async (request, response) => {
    response.statusCode = await answer(request);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
