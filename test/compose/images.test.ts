import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, suite, test } from 'node:test';
import { ROOT, readCompose } from '../support/compose.ts';
import { freePort } from '../support/free-port.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';
import { spansOf } from './backends.ts';

const skip = process.env.O11Y_TEST_IMAGES
  ? needs('docker')
  : 'needs docker: and O11Y_TEST_IMAGES=1, because it downloads the images of the stack (2 GB)';

const patience = { timeoutMs: 120_000, everyMs: 1000 };

/** `docker compose --profile demo up` in the root folder, beside whatever else runs: a project and ports of its own. */
suite('the stack with its images', { skip }, () => {
  const ports: Record<string, number> = {};
  const at = (name: string) => `http://127.0.0.1:${ports[`${name}_PORT`]}`;
  let environment: NodeJS.ProcessEnv;

  function compose(...args: string[]): string {
    const all = ['compose', '--project-name', 'o11y-kit-test', '--profile', 'demo', ...args];
    const { status, stdout, stderr } = spawnSync('docker', all, {
      cwd: ROOT,
      env: environment,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    if (status !== 0) throw new Error(`docker ${all.join(' ')} ended with ${status}: ${stderr.slice(-4000)}`);
    return stdout;
  }

  async function json(url: string, headers: Record<string, string> = {}): Promise<any> {
    const response = await fetch(url, { headers });
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  const query = async (expression: string) =>
    (await json(`${at('PROMETHEUS')}/api/v1/query?${new URLSearchParams({ query: expression })}`)).data.result;

  before(async () => {
    for (const name of ['GRAFANA', 'PROMETHEUS', 'ALERTMANAGER', 'LOKI', 'TEMPO', 'OTLP_GRPC', 'OTLP_HTTP', 'DEMO'])
      ports[`${name}_PORT`] = await freePort();
    environment = { ...process.env, ...Object.fromEntries(Object.entries(ports).map(([key, port]) => [key, String(port)])) };
    try {
      compose('up', '--detach', '--build', '--wait', '--wait-timeout', '600');
    } catch (error) {
      console.error(compose('ps', '--all'), compose('logs', '--tail', '100'));
      throw error;
    }
  });

  after(() => {
    compose('down', '--volumes', '--remove-orphans', '--timeout', '30');
  });

  test('every service is well, and runs as the file says', () => {
    const running = JSON.parse(`[${compose('ps', '--format', 'json').trim().split('\n').join(',')}]`);
    const checked = Object.entries(readCompose().services).filter(([, { healthcheck }]) => healthcheck?.test);
    for (const [name] of checked) assert.equal(running.find((each: any) => each.Service === name)?.Health, 'healthy', name);
    for (const { ID, Service } of running) {
      const [{ Config, HostConfig, RestartCount }] = JSON.parse(
        spawnSync('docker', ['inspect', ID], { encoding: 'utf8' }).stdout,
      );
      assert.equal(RestartCount, 0, Service);
      assert.equal(HostConfig.ReadonlyRootfs, true, Service);
      assert.deepEqual(HostConfig.CapDrop, ['ALL'], Service);
      assert.ok(HostConfig.Memory > 0, Service);
      assert.doesNotMatch(Config.User, /^(0|root)?(:|$)/, Service);
    }
  });

  test('every target of Prometheus is up, the demo’s among them', async () => {
    const jobs = await until(
      'the targets',
      async () => {
        const up = await query('up == 1');
        const found = new Set(up.map(({ metric }: any) => metric.job));
        const wanted = ['gateway', 'orders', 'payments', 'prometheus', 'alertmanager', 'loki', 'tempo', 'collector', 'grafana'];
        return wanted.every((job) => found.has(job)) && found;
      },
      patience,
    );
    assert.ok(jobs);
    assert.deepEqual(await query('up == 0'), []);
  });

  test('a trace of the demo has its lines in Loki and its edge in the service graph', async () => {
    const [{ traceID }] = await until(
      'a trace',
      async () => {
        const q = '{ resource.service.name = "payments" } >> { } || { resource.service.name = "payments" }';
        const { traces = [] } = await json(`${at('TEMPO')}/api/search?${new URLSearchParams({ q })}`);
        return traces.length > 0 && traces;
      },
      patience,
    );
    const id = traceID.padStart(32, '0');
    const { trace } = await json(`${at('TEMPO')}/api/v2/traces/${id}`);
    assert.ok(spansOf(trace).some(({ service }) => service === 'payments'));
    await until(
      'its lines',
      async () => {
        const parameters = new URLSearchParams({ query: `{service_name="orders"} | trace_id = "${id}"`, since: '1h' });
        const { data } = await json(`${at('LOKI')}/loki/api/v1/query_range?${parameters}`);
        return data.result.length > 0;
      },
      patience,
    );
    await until(
      'the edge',
      async () => (await query('traces_service_graph_request_total{client="gateway",server="orders"}')).length > 0,
      patience,
    );
  });

  test('what one pushes as OTLP metrics is in Prometheus under the name that it would have had if it were scraped', async () => {
    const dataPoints = [{ asDouble: 7, timeUnixNano: String(BigInt(Date.now()) * 1_000_000n) }];
    const metrics = [{ name: 'shop.queue.length', gauge: { dataPoints } }];
    const attributes = [{ key: 'service.name', value: { stringValue: 'pushes' } }];
    const response = await fetch(`${at('OTLP_HTTP')}/v1/metrics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics }] }] }),
    });
    assert.equal(response.status, 200);
    await until('the metric', async () => (await query('shop_queue_length{job="pushes"}'))[0]?.value[1] === '7', patience);
  });

  test('Grafana: every data source answers, every dashboard is there, and who has no password can read only', async () => {
    const password = compose('exec', '-T', 'grafana', 'cat', '/var/lib/grafana/admin_password').trim();
    const admin = { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` };
    for (const uid of ['prometheus', 'loki', 'tempo'])
      assert.equal((await json(`${at('GRAFANA')}/api/datasources/uid/${uid}/health`, admin)).status, 'OK', uid);
    const found = await json(`${at('GRAFANA')}/api/search?type=dash-db&limit=1000`);
    assert.ok(found.length > 0);
    for (const { uid } of found)
      assert.ok((await json(`${at('GRAFANA')}/api/dashboards/uid/${uid}`)).dashboard.panels.length > 0);
    const write = await fetch(`${at('GRAFANA')}/api/folders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'mine' }),
    });
    assert.ok([401, 403].includes(write.status), String(write.status));
    const guess = { authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` };
    assert.equal((await fetch(`${at('GRAFANA')}/api/org`, { headers: guess })).status, 401);
  });

  test('the Watchdog reaches Alertmanager', async () => {
    await until(
      'it',
      async () => {
        const alerts = await json(`${at('ALERTMANAGER')}/api/v2/alerts`);
        return alerts.some(({ labels }: any) => labels.alertname === 'Watchdog');
      },
      patience,
    );
  });

  test('a backend that is dead is not well', async () => {
    compose('kill', 'loki');
    const { Health, State } = JSON.parse(compose('ps', '--all', '--format', 'json', 'loki').trim());
    assert.notEqual(`${State} ${Health}`, 'running healthy');
  });
});
