import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Service, startService } from '../../examples/checkout/demo/service.ts';
import { COMPOSE, ROOT, withReplacements } from '../support/compose.ts';
import { needsStackPrometheus, type StackPrometheus, startStackPrometheus } from '../support/servers/stack-prometheus.ts';
import { until } from '../support/until.ts';

/** A page with one metric, as an app has it that the kit knows nothing of. */
async function startPage(): Promise<{ port: number; stop(): void }> {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/plain').end('orders_total 42\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, stop: () => server.close().closeAllConnections() };
}

suite("Prometheus with the stack's configuration", { skip: needsStackPrometheus }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-stack-'));
  const [hostApps, edited] = ['host-apps', 'edited'].map((name) => join(folder, name));
  let prometheus: StackPrometheus;
  let app: Service;
  const nobody = 'http://127.0.0.1:9';

  before(async () => {
    for (const each of [hostApps, edited]) mkdirSync(each);
    app = await startService({
      name: 'gateway',
      entry: 'server.js',
      // An address by hand: what Prometheus must translate is a process that says "this machine".
      env: {
        ...process.env,
        O11Y_TARGETS_DIR: hostApps,
        OTEL_EXPORTER_OTLP_ENDPOINT: nobody,
        OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
        OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      },
    });
    const config = withReplacements(join(COMPOSE, 'prometheus/prometheus.yml'), {
      'scrape_interval: 15s': 'scrape_interval: 1s',
      'scrape_timeout: 10s': 'scrape_timeout: 1s',
      'evaluation_interval: 15s': 'evaluation_interval: 1s',
      'refresh_interval: 5s': 'refresh_interval: 1s',
      '/etc/o11y-kit/rules': join(ROOT, 'alerts/rules'),
      '/var/run/o11y-kit/targets': hostApps,
      '/etc/prometheus/targets': edited,
      // The name of this machine as a container knows it.
      'host.docker.internal': 'localhost',
      'alertmanager:9093': '127.0.0.1:9',
    });
    prometheus = await startStackPrometheus({ config });
  });

  after(async () => {
    await prometheus?.stop();
    await app?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('scrapes a process of this host by the file that it leaves, through the name that a container has for the host', async () => {
    const target = await until('the target', async () => {
      const { activeTargets } = await prometheus.ask('/targets', { state: 'active' });
      return activeTargets.find((each: any) => each.labels.job === 'gateway' && each.health === 'up');
    });
    // Its own address is its name, and the host's is where it is asked.
    assert.match(target.labels.instance, /^127\.0\.0\.1:\d+$/);
    assert.equal(target.scrapeUrl, `http://localhost:${target.labels.instance.split(':')[1]}/metrics`);
    const [{ metric }] = await until('its info', async () => {
      const samples = await prometheus.query('target_info{job="gateway"}');
      return samples.length > 0 && samples;
    });
    assert.equal(metric.service_name, 'gateway');
  });

  test('keeps the exemplars of requests, which name their traces', async () => {
    await fetch(`${app.url}/products`);
    const exemplars = await until('an exemplar', async () => {
      const now = Date.now() / 1000;
      const found = await prometheus.ask('/query_exemplars', {
        query: 'http_server_request_duration_seconds_bucket{job="gateway"}',
        start: String(now - 600),
        end: String(now + 10),
      });
      return found.length > 0 && found;
    });
    assert.match(exemplars[0].exemplars[0].labels.trace_id, /^[0-9a-f]{32}$/);
  });

  test('sees an app that is written into the file for that, without being told', async () => {
    const page = await startPage();
    try {
      writeFileSync(join(edited, 'apps.yml'), `- targets: ['127.0.0.1:${page.port}']\n  labels: { job: shop-api }\n`);
      const [sample] = await until('its metric', async () => {
        const samples = await prometheus.query('orders_total{job="shop-api"}');
        return samples.length > 0 && samples;
      });
      assert.equal(sample.value?.[1], '42');
    } finally {
      page.stop();
    }
  });

  test('takes what Tempo and others write to it', async () => {
    // An empty write request is a valid one; without the receiver the path is not there.
    const response = await fetch(`${prometheus.url}/api/v1/write`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'snappy',
        'x-prometheus-remote-write-version': '0.1.0',
      },
      // Snappy for nothing: the length 0.
      body: new Uint8Array([0]),
    });
    assert.equal(response.status, 204, await response.text());
  });

  test('evaluates every rule of ours without an error', async () => {
    const groups = await until('all rules to have run', async () => {
      const { groups } = await prometheus.ask('/rules');
      const rules = groups.flatMap((group: any) => group.rules);
      return rules.length > 0 && rules.every((rule: any) => rule.health !== 'unknown') && groups;
    });
    const failing = groups.flatMap((group: any) => group.rules).filter((rule: any) => rule.health !== 'ok');
    assert.deepEqual(
      failing.map((rule: any) => [rule.name, rule.lastError]),
      [],
    );
  });

  test('forgets a process that has ended', async () => {
    await app.stop();
    await until('the target to be gone', async () => {
      const { activeTargets } = await prometheus.ask('/targets', { state: 'active' });
      return activeTargets.every((each: any) => each.labels.job !== 'gateway');
    });
  });
});
