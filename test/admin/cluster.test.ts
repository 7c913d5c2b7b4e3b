import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { NODES } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { ask } from './support.ts';

const PRELOAD = join(import.meta.dirname, '../../dist/preload.mjs');
const WORKERS = 3;

const root = mkdtempSync(join(tmpdir(), 'o11y-kit-cluster-'));
after(() => rmSync(root, { recursive: true, force: true }));

const server = `
const http = require('node:http');
http.createServer((request, response) => {
  if (request.url === '/kill') process.kill(process.pid, 'SIGKILL');
  response.setHeader('connection', 'close').end(String(process.pid));
}).listen(Number(process.env.PORT), '127.0.0.1');
`;
const primary = (setup = '') => `
const cluster = require('node:cluster');
if (cluster.isPrimary) {
  ${setup}
  // Whatever a worker says on its channel: the kit is to say nothing there.
  cluster.on('message', (worker, message) => console.log('message', JSON.stringify(message)));
  cluster.on('exit', () => cluster.fork());
  for (let n = 0; n < ${WORKERS}; n++) cluster.fork();
} else { ${server} }
`;

/** Starts an app in a folder of its own, with a folder for scrape addresses. */
async function start(node: string, code: string, { preload }: { preload: boolean }) {
  const folder = mkdtempSync(join(root, 'app-'));
  const targets = join(folder, 'targets');
  mkdirSync(targets);
  writeFileSync(join(folder, 'app.cjs'), code);
  writeFileSync(join(folder, 'package.json'), '{"name":"clustered","version":"1.0.0"}');
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    PORT: String(port),
    O11Y_QUIET: '1',
    O11Y_TARGETS_DIR: targets,
    OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    O11Y_ACCESS_LOG: 'off',
  };
  const child = spawn(node, [...(preload ? ['--import', PRELOAD] : []), 'app.cjs'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output.text += part));
  return { child, output, port, targets, url: `http://127.0.0.1:${port}` };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}

const addresses = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8'))[0].targets);

/** Sum over all lines of a metric. */
async function sum(folder: string, line: RegExp): Promise<number> {
  const pages = await Promise.all(addresses(folder).map((address) => ask(`http://${address}/metrics`)));
  return pages
    .flatMap(({ body }) => body.split('\n').filter((text) => line.test(text)))
    .reduce((total, text) => total + Number(text.split(' ').at(-1)), 0);
}

const REQUESTS = /^http_server_request_duration_seconds_count\{/;

async function send(url: string, count: number): Promise<Set<string>> {
  const pids = new Set<string>();
  for (let n = 0; n < count; n++) pids.add((await ask(`${url}/`)).body);
  return pids;
}

for (const node of NODES) {
  describe(`on Node ${node.major}`, { skip: node.skip }, () => {
    test('a primary with the kit serves the sum of all workers, and it never falls', async (t) => {
      const { child, output, url, targets } = await start(node.path, primary(), { preload: true });
      t.after(() => stop(child));
      await until('the primary announces itself', () => addresses(targets).length === 1);
      const [address] = addresses(targets);
      await until('ready', async () => (await ask(`http://${address}/health/ready`)).status === 200);
      const reported = async () => JSON.parse((await ask(`http://${address}/health`)).body).checks.memory.length;
      await until('all workers have reported', async () => (await reported()) === 1 + WORKERS);

      const pids = await send(url, 30);
      assert.equal(pids.size, WORKERS, 'every worker has served some');
      assert.deepEqual(addresses(targets), [address], 'one address for all');
      assert.equal(await sum(targets, REQUESTS), 30, output.text);
      assert.equal(await sum(targets, /^nodejs_version_info\{.*worker="(primary|1|2|3)"/), 1 + WORKERS);

      await assert.rejects(ask(`${url}/kill`));
      await until('a worker less', async () => (await reported()) === WORKERS || (await send(url, WORKERS)).size > 0);
      const before = await sum(targets, REQUESTS);
      assert.ok(before >= 30, `${before} after a worker was killed`);
      // The sum goes on where it was, in the slot of the one that was killed.
      const replaced = await until('the new worker serves', async () => {
        const now = await send(url, 3 * WORKERS);
        return [...now].some((pid) => !pids.has(pid)) && now.size === WORKERS && (await reported()) === 1 + WORKERS;
      });
      assert.ok(replaced);
      const then = await sum(targets, REQUESTS);
      await send(url, 10);
      assert.equal(await sum(targets, REQUESTS), then + 10);
      assert.equal(await sum(targets, /^nodejs_version_info\{.*worker="(primary|1|2|3)"/), 1 + WORKERS);

      // What a worker has served since the last look goes to the primary before a signal ends the worker.
      const last = await send(url, 20);
      process.kill(Number([...last][0]), 'SIGTERM');
      const three = async () => (await reported()) === 1 + WORKERS;
      await until('it is gone', async () => !(await three()), { everyMs: 5 });
      await until('it is replaced', three);
      assert.equal(await sum(targets, REQUESTS), then + 30);
      assert.doesNotMatch(output.text, /^message/m, 'the channel between primary and workers is the app’s');

      await stop(child);
      assert.deepEqual(addresses(targets), [], 'the announcement goes with the process');
    });

    test('under a primary without the kit every worker serves its own numbers on a port of its own', async (t) => {
      const setup = `cluster.setupPrimary({ execArgv: ['--import', ${JSON.stringify(PRELOAD)}] });`;
      const { child, output, url, targets } = await start(node.path, primary(setup), { preload: false });
      t.after(() => stop(child));
      await until('all workers announce themselves', () => addresses(targets).length === WORKERS);
      const pids = await until('all workers serve', async () => {
        const seen = await send(url, WORKERS);
        return seen.size === WORKERS && seen;
      });
      assert.ok(pids);
      const before = await sum(targets, REQUESTS);
      await send(url, 30);
      assert.equal(new Set(addresses(targets)).size, WORKERS);
      assert.equal(await sum(targets, REQUESTS), before + 30, output.text);
    });
  });
}

const appRequire = createRequire(new URL('../apps/package.json', import.meta.url));

test('pm2 in cluster mode: every worker has an address of its own, none is lost', async (t) => {
  const folder = mkdtempSync(join(root, 'pm2-'));
  const targets = join(folder, 'targets');
  mkdirSync(targets);
  writeFileSync(join(folder, 'app.cjs'), server);
  writeFileSync(join(folder, 'package.json'), '{"name":"managed","version":"1.0.0"}');
  const [port, other] = [await freePort(), await freePort()];
  const pm2 = join(dirname(appRequire.resolve('pm2/package.json')), 'bin/pm2');
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    PM2_HOME: join(folder, 'home'),
    NODE_OPTIONS: `--import ${PRELOAD}`,
    O11Y_QUIET: '1',
    O11Y_TARGETS_DIR: targets,
    OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
  };
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [pm2, ...args], { cwd: folder, env, encoding: 'utf8', timeout: 60_000 });
  t.after(() => run('kill'));
  const app = { script: 'app.cjs', instances: WORKERS, exec_mode: 'cluster' };
  // One is named by its package.json, the other by a variable that pm2 itself hands over.
  const apps = [
    { ...app, name: 'one', env: { PORT: port } },
    { ...app, name: 'two', env: { PORT: other, OTEL_SERVICE_NAME: 'by-variable' } },
  ];
  writeFileSync(join(folder, 'ecosystem.config.cjs'), `module.exports = ${JSON.stringify({ apps })};`);
  const started = run('start', 'ecosystem.config.cjs');
  assert.equal(started.status, 0, started.stderr + started.stdout);
  await until('all workers announce themselves', () => addresses(targets).length === 2 * WORKERS, { timeoutMs: 30_000 });
  const services = readdirSync(targets).map((name) => name.replace(/-\d+\.json$/, ''));
  const expected = ['by-variable', 'managed'].flatMap((name) => Array(WORKERS).fill(name));
  assert.deepEqual(services.sort(), expected, 'pm2 itself is none');
  const url = `http://127.0.0.1:${port}`;
  await until('all workers serve', async () => (await send(url, WORKERS)).size === WORKERS);
  const before = await sum(targets, REQUESTS);
  await send(url, 30);
  assert.equal(await sum(targets, REQUESTS), before + 30);
});
