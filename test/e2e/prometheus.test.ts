import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Service, startServices } from '../../examples/checkout/demo/service.ts';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { freePort } from '../support/free-port.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

const REQUESTS = 20;

suite('a real Prometheus', { skip: needs('prometheus', 'promtool') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-prometheus-'));
  const targets = join(folder, 'targets');
  let viewer: TestViewer;
  let services: Service[];
  let prometheus: ChildProcess;
  let api: string;

  before(async () => {
    mkdirSync(targets);
    viewer = await startViewer();
    const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url, O11Y_TARGETS_DIR: targets };
    services = await startServices(env, 1);
    for (let n = 0; n < REQUESTS; n += 1) {
      const response = await fetch(`${services[0].url}/products/tea-green`);
      assert.equal(response.status, 200);
      await response.text();
    }
    api = `http://127.0.0.1:${await startPrometheus()}/api/v1`;
    await until('Prometheus to be ready', async () => (await fetch(api.replace('/api/v1', '/-/ready'))).ok);
  });

  after(async () => {
    prometheus?.kill('SIGKILL');
    await Promise.all(services.map((service) => service.stop()));
    await viewer.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startPrometheus(): Promise<number> {
    const port = await freePort();
    const config = join(folder, 'prometheus.yml');
    // The services announce themselves in the folder; nothing else tells Prometheus where they are.
    writeFileSync(
      config,
      `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: apps
    file_sd_configs: [{ files: ['${targets}/*.json'], refresh_interval: 1s }]
`,
    );
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=exemplar-storage',
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    return port;
  }

  async function ask(path: string): Promise<any> {
    const { status, data, error } = (await (await fetch(api + path)).json()) as any;
    assert.equal(status, 'success', error);
    return data;
  }

  async function query(expression: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    return (await ask(`/query?query=${encodeURIComponent(expression)}`)).result;
  }

  test('finds all three services by the files they leave, and scrapes them', async () => {
    const up = await until('three services to be up', async () => {
      const found = await query('up == 1');
      return found.length === 3 && found;
    });
    assert.deepEqual(up.map(({ metric }) => metric.job).sort(), ['gateway', 'orders', 'payments']);
    for (const { metric } of up) assert.match(metric.instance, /^\S+:\d+$/);
  });

  test('counts every request, by route template', async () => {
    const expression = 'sum by (http_route) (http_server_request_duration_seconds_count{job="gateway"})';
    const [series, ...others] = await until('the requests to be counted', async () => {
      const found = await query(expression);
      return found.length > 0 && found;
    });
    assert.deepEqual(others, []);
    assert.equal(series.metric.http_route, '/products/:sku');
    assert.equal(Number(series.value[1]), REQUESTS);
  });

  test('stores exemplars whose trace is one that was received', async () => {
    const path = `/query_exemplars?query=${encodeURIComponent('http_server_request_duration_seconds_bucket{job="gateway"}')}`;
    const range = () => `&start=${Date.now() / 1000 - 600}&end=${Date.now() / 1000 + 60}`;
    const series = await until('an exemplar', async () => {
      const found = await ask(path + range());
      return found.length > 0 && found;
    });
    await viewer.waitForSpans({ service: 'gateway', kind: 'server' }, { count: REQUESTS, timeout: 15_000 });
    const { labels } = series[0].exemplars[0];
    const span = viewer.spans({ traceId: labels.trace_id, spanId: labels.span_id })[0];
    assert.equal(span?.name, 'GET /products/:sku', `the exemplar ${JSON.stringify(labels)} names a span that arrived`);
  });

  test('has nothing to say against the names and help texts of the pages (promtool check metrics)', async () => {
    const found = await ask('/targets?state=active');
    assert.equal(found.activeTargets.length, 3);
    for (const { scrapeUrl } of found.activeTargets) {
      const page = await (await fetch(scrapeUrl)).text();
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
      assert.equal(status, 0, `promtool on ${scrapeUrl}:\n${stdout}${stderr}`);
    }
  });

  test('is told of no target that has ended', async () => {
    await Promise.all(services.map((service) => service.stop()));
    await until('the target files to be gone', async () => (await ask('/targets?state=active')).activeTargets.length === 0);
  });
});
