import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { HealthView, ServiceView, Status, Target } from '../../viewer/api-types.ts';
import { parseHealth } from '../../viewer/scrape/health.ts';
import { startViewerServer, type Viewer } from '../../viewer/viewer.ts';
import { until } from '../support/until.ts';
import { sdkSpan } from './sdk-span.ts';
import { api, postJson } from './viewer-client.ts';

const HEALTH = {
  status: 'warn',
  version: '1.0.0',
  uptime: 12,
  checks: {
    postgres: [
      { componentType: 'datastore', status: 'pass', observedValue: 3, observedUnit: 'ms', time: '2026-01-01T00:00:00Z' },
    ],
    cache: [{ status: 'warn', output: 'slow', durationMs: 40 }],
  },
};

let app: Server;
let address: string;
let requests = 0;
let jobs = 0;
let accept = '';
before(async () => {
  app = createServer((req, res) => {
    if (req.url === '/health') res.writeHead(200).end(JSON.stringify(HEALTH));
    else if (req.url === '/redirect') res.writeHead(302, { location: 'http://example.com/' }).end();
    else {
      accept = req.headers.accept ?? '';
      res.end(`# TYPE jobs_total counter\njobs_total ${(jobs += 5)}\ntarget_info{service_name="named"} 1\n`);
    }
    requests++;
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
});
after(() => {
  app.closeAllConnections();
  app.close();
});

let viewer: Viewer;
const start = async (scrape: string[] = []) => {
  viewer = await startViewerServer({ port: 0, version: '0', scrape, scrapeIntervalMs: 50 });
};
beforeEach(() => {
  requests = 0;
});
afterEach(() => viewer.close());

async function announce(url: string): Promise<void> {
  const body = JsonTraceSerializer.serializeRequest([sdkSpan({ resource: { 'o11y.metrics.url': url } })])!;
  await postJson(`${viewer.url}/v1/traces`, body);
}
const targets = async (): Promise<Target[]> => (await api<Status>(viewer.url, 'status')).targets;
const when = (state: Target['state']) =>
  until(`a target that is ${state}`, async () => (await targets()).find((one) => one.state === state));

describe('the scraper', () => {
  it('reads the address that a service announces, and its health beside it', async () => {
    await start();
    await announce(`${address}/metrics`);
    const target = await when('up');
    assert.equal(target.service, 'shop');
    assert.equal(target.source, 'announced');
    assert.match(accept, /application\/openmetrics-text.*text\/plain/);
    const view = await until('growth of jobs_total', async () => {
      const series = await api<{ series: { values: number[] }[] }>(viewer.url, 'series?service=shop&name=jobs_total');
      return series.series[0].values.some((value) => value > 0) && api<ServiceView>(viewer.url, 'service?name=shop');
    });
    assert.deepEqual(
      view.targets.map(({ url }) => url),
      [`${address}/metrics`],
    );
    const { services } = await until('a health report', async () => {
      const health = await api<HealthView>(viewer.url, 'health');
      return health.services[0].status !== 'unknown' && health;
    });
    assert.deepEqual(
      { ...services[0], checkedAt: 0 },
      {
        service: 'shop',
        instance: new URL(address).host,
        url: `${address}/health`,
        status: 'warn',
        checkedAt: 0,
        version: '1.0.0',
        uptimeSeconds: 12,
        checks: [
          { name: 'postgres', status: 'pass', latencyMs: 3, output: '', time: '2026-01-01T00:00:00Z' },
          { name: 'cache', status: 'warn', latencyMs: 40, output: 'slow', time: '' },
        ],
        error: '',
      },
    );
    assert.equal(view.summary.service, 'shop');
  });

  it('fetches nothing that is not on this machine, whoever announces it', async () => {
    await start();
    const foreign = ['http://example.com/metrics', 'http://192.0.2.1:9464/metrics', 'http://127.0.0.1.nip.io/metrics'];
    for (const url of [...foreign, 'file:///etc/passwd', 'https://localhost/metrics', 'nonsense']) await announce(url);
    const all = await targets();
    assert.equal(all.length, 6);
    assert.ok(all.every(({ state }) => state === 'refused'));
    assert.match(all[0].error, /not this machine: .*--scrape http:\/\/example.com\/metrics/);
    assert.equal(requests, 0);
  });

  it('asks a process that announces another address of this machine over loopback', async (t) => {
    const own = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal);
    if (own === undefined) return t.skip('this machine has loopback only');
    await start();
    await announce(`http://${own.address}:${new URL(address).port}/metrics`);
    const { url } = await when('up');
    assert.equal(new URL(url).hostname, own.address);
    return undefined;
  });

  it('reads addresses given by hand, and takes the service’s name from the page', async () => {
    await start([`${address}/metrics`]);
    const target = await when('up');
    assert.deepEqual([target.service, target.source], ['named', 'given']);
  });

  it('follows no redirect, and says why a target is down', async () => {
    await start([`${address}/redirect`]);
    assert.match((await when('down')).error, /status 302/);
  });

  it('says that nothing listens', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    await start([`http://127.0.0.1:${port}/metrics`]);
    assert.match((await when('down')).error, /nothing listens there/);
    const { services } = await api<HealthView>(viewer.url, 'health');
    assert.equal(services[0].status, 'unreachable');
  });

  it('keeps to a bounded number of targets', async () => {
    await start();
    for (let i = 0; i < 130; i++) await announce(`http://127.0.0.${i + 1}:1/metrics`);
    assert.equal((await targets()).length, 100);
  });
});

describe('a health page', () => {
  it('may use other words', () => {
    assert.equal(parseHealth('{"status":"UP"}')?.status, 'pass');
    assert.equal(parseHealth('{"status":"unhealthy","checks":{"db":"down","x":{"status":"ok"}}}')?.checks.length, 2);
  });

  it('that is none is not taken for one', () => {
    for (const body of ['', 'OK', '[]', '{}', 'null', '{"status":7}', '{"status":"constructor"}', '<html>']) {
      assert.equal(parseHealth(body), undefined, body);
    }
  });
});
