import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { needsPrometheus, type PrometheusServer, startPrometheus } from '../support/servers/prometheus.ts';
import { until } from '../support/until.ts';
import { run } from './cli.ts';
import { type Docker, standIn } from './docker.ts';

const SERVER = `const server = require('node:http').createServer((_, res) => res.end());
server.listen(0, '127.0.0.1', () => console.log('LISTEN ' + server.address().port));`;

describe('o11y-kit status', () => {
  it('says that nothing runs, with a code of its own', async () => {
    const docker = await standIn();
    const { code, out } = await run(['status'], docker.env);
    assert.equal(code, 3);
    assert.match(out, /The stack is not running\. Start it: o11y-kit up/);
    const json = await run(['status', '--json'], docker.env);
    assert.equal(json.code, 3);
    assert.deepEqual(JSON.parse(json.out).running, false);
  });

  it('says what is in the way of asking', async () => {
    const docker = await standIn({ info: 'Cannot connect to the Docker daemon' });
    const { code, err } = await run(['status'], docker.env);
    assert.equal(code, 1);
    assert.match(err, /No Docker daemon answers/);
  });

  it('does not believe Docker: a healthy service that does not answer here is not well', async () => {
    const docker = await standIn({ oldCompose: true });
    await run(['up'], docker.env);
    const { code, out } = await run(['status'], docker.env);
    assert.equal(code, 1);
    assert.match(out, new RegExp(`✗ grafana +healthy +does not answer at http://localhost:${docker.ports.GRAFANA}$`, 'm'));
    assert.match(out, /✓ collector-health +healthy$/m);
    assert.match(out, /Prometheus does not answer: what it scrapes is not known/);
  });

  it('wants only the collector where all goes to a vendor', async () => {
    const docker = await standIn();
    await run(['up', '--with', 'vendor-only'], { ...docker.env, VENDOR_OTLP_ENDPOINT: 'https://otlp.vendor.example' });
    const collector = await startViewer({ port: docker.ports.OTLP_HTTP });
    const { code, out } = await run(['status'], docker.env);
    await collector.close();
    assert.equal(code, 0, out);
    assert.match(out, new RegExp(`✓ collector +healthy +http://localhost:${docker.ports.OTLP_HTTP}`));
    assert.doesNotMatch(out, /missing/);
  });
});

describe('o11y-kit status of a stack that runs', { skip: needsPrometheus }, () => {
  let docker: Docker;
  let app: App;
  let prometheus: PrometheusServer;
  let collector: TestViewer;
  const servers: Server[] = [];

  before(async () => {
    docker = await standIn();
    await run(['up'], docker.env);
    app = await spawnApp({ args: ['-e', SERVER] });
    const counters = await serve(0, () => {
      return 'tempo_distributor_spans_received_total 21\nloki_distributor_lines_received_total 1234\n';
    });
    const rules = join(mkdtempSync(join(tmpdir(), 'status-rules-')), 'rules.yml');
    writeFileSync(
      rules,
      `groups:
  - name: test
    rules:
      - {alert: Watchdog, expr: vector(1)}
      - {alert: TargetDown, expr: 'up{job="payments"} == 0'}
`,
    );
    prometheus = await startPrometheus({
      port: docker.ports.PROMETHEUS,
      config: `global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: ['${rules}']
scrape_configs:
  - job_name: prometheus
    static_configs: [{targets: ['127.0.0.1:${docker.ports.PROMETHEUS}']}]
  - job_name: tempo
    static_configs: [{targets: ['127.0.0.1:${(counters.address() as any).port}']}]
  - job_name: apps
    static_configs:
      - {targets: ['${new URL(await app.adminUrl()).host}'], labels: {job: orders}}
      - {targets: ['127.0.0.1:9'], labels: {job: payments}}
  - job_name: asked-in-a-while
    scrape_interval: 1d
    static_configs: [{targets: ['127.0.0.1:9']}]
`,
    });
    for (const name of ['GRAFANA', 'ALERTMANAGER', 'LOKI', 'TEMPO'] as const)
      await serve(docker.ports[name], (path) => (/^\/(api\/health|-\/ready|ready)$/.test(path) ? 'ok' : undefined));
    collector = await startViewer({ port: docker.ports.OTLP_HTTP });
    await until('the alert, the app and the counters', async () => {
      const { alerts } = await prometheus.ask('/alerts');
      const [spans] = await prometheus.query('tempo_distributor_spans_received_total');
      const [orders] = await prometheus.query('up{job="orders"} == 1');
      return alerts.some((one: any) => one.labels.alertname === 'TargetDown' && one.state === 'firing') && orders && spans;
    });
  });

  after(async () => {
    for (const server of servers) server.close();
    await collector?.close();
    await prometheus?.stop();
    await app?.kill('SIGKILL');
  });

  it('names the services, the apps that are scraped and those that are not, what arrives, and what fires', async () => {
    const { code, out } = await run(['status'], docker.env);
    assert.equal(code, 0, out);
    for (const service of ['prometheus', 'alertmanager', 'loki', 'tempo', 'collector', 'grafana'])
      assert.match(out, new RegExp(`✓ ${service} +healthy +http://localhost:`));
    assert.match(out, /^Apps: {5}orders \(1 process\)$/m);
    assert.match(out, /^Down: {5}payments at 127\.0\.0\.1:9: .*connection refused/m);
    assert.doesNotMatch(out, /asked-in-a-while/);
    assert.match(out, /^Holds: {4}[\d,]+ series; about 21 spans and 1,234 log lines in the last 5 minutes$/m);
    assert.match(out, /^Firing: {3}TargetDown \(payments\)$/m);
  });

  it('as JSON', async () => {
    const { code, out } = await run(['status', '--json'], docker.env);
    assert.equal(code, 0);
    const { ok, running, services, prometheus: known } = JSON.parse(out);
    assert.deepEqual([ok, running], [true, true]);
    assert.equal(services.length, 7);
    const grafana = services.find((one: any) => one.service === 'grafana');
    assert.deepEqual(grafana.addresses, [{ title: 'Grafana', url: `http://localhost:${docker.ports.GRAFANA}`, answers: true }]);
    assert.deepEqual(known.targets.map(({ job, up }: any) => [job, up]).sort(), [
      ['orders', true],
      ['payments', false],
      ['prometheus', true],
      ['tempo', true],
    ]);
    assert.ok(known.series > 100);
    assert.deepEqual([known.spans, known.lines], [21, 1234]);
    assert.deepEqual(known.firing, ['TargetDown (payments)']);
  });

  it('tells a service that is missing, one that is unwell and one that ended', async () => {
    const containers = docker.state()!.containers as any[];
    try {
      docker.change((state) => ({
        ...state,
        containers: containers
          .filter(({ Service }) => Service !== 'loki')
          .map((one) => (one.Service === 'tempo' ? { ...one, Health: 'unhealthy' } : one))
          .map((one) => (one.Service === 'grafana' ? { ...one, State: 'exited', Health: '', ExitCode: 1, Publishers: [] } : one)),
      }));
      const { code, out } = await run(['status'], docker.env);
      assert.equal(code, 1);
      assert.match(out, /✗ loki +missing$/m);
      assert.match(out, /✗ tempo +unhealthy/);
      assert.match(out, /✗ grafana +ended with exit code 1$/m);
      assert.match(out, /✓ prometheus +healthy/);
    } finally {
      docker.change((state) => ({ ...state, containers }));
    }
  });

  function serve(port: number, answer: (path: string) => string | undefined): Promise<Server> {
    return new Promise((resolve) => {
      const server = createServer((req, res) => {
        const body = answer(req.url ?? '');
        res.writeHead(body === undefined ? 404 : 200, { 'content-type': 'text/plain' }).end(body);
      });
      servers.push(server);
      server.listen(port, '127.0.0.1', () => resolve(server));
    });
  }
});
