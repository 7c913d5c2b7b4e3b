import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { freePort } from '../support/free-port.ts';
import { needs } from '../support/needs.ts';
import { installServers, metricsPage, type Program, scratchFolder, startProgram } from './program.ts';

const run = promisify(execFile);

/**
 * verdaccio, the npm registry server (Express 4, pino, a proxy by `http`): one as the origin, one that proxies it. A
 * package is published to the origin and installed through the proxy, by npm.
 */
suite('verdaccio', { skip: needs('npm') }, () => {
  const folder = scratchFolder('verdaccio');
  let viewer: TestViewer;
  let origin: Registry;
  let proxy: Registry;
  let token: string;

  before(async () => {
    await installServers();
    viewer = await startViewer();
    origin = await startRegistry('origin', '{}', '');
    proxy = await startRegistry('proxy', `{ origin: { url: ${origin.url} } }`, 'proxy: origin');
  });

  after(async () => {
    await Promise.all([origin?.program.stop(), proxy?.program.stop()]);
    await viewer?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Registry {
    readonly program: Program;
    readonly url: string;
  }

  async function startRegistry(name: string, uplinks: string, rule: string): Promise<Registry> {
    const cwd = join(folder, name);
    mkdirSync(cwd);
    writeFileSync(
      join(cwd, 'config.yaml'),
      `storage: ./storage
auth: { htpasswd: { file: ./htpasswd } }
uplinks: ${uplinks}
packages:
  '**':
    access: $all
    publish: $authenticated
    ${rule}
log: { type: stdout, format: json, level: http }
`,
    );
    const url = `http://127.0.0.1:${await freePort()}`;
    const program = await startProgram({
      script: 'verdaccio/bin/verdaccio',
      args: ['--config', 'config.yaml', '--listen', url.slice('http://'.length)],
      env: { OTEL_SERVICE_NAME: name },
      cwd,
      viewer,
      listening: /http address/,
    });
    return { program, url };
  }

  /** npm as a user runs it, with its own home, and without a preload of its own. */
  async function npm(cwd: string, registry: Registry, ...args: string[]): Promise<void> {
    const env = {
      ...process.env,
      HOME: folder,
      npm_config_cache: join(cwd, '.npm'),
      npm_config_userconfig: join(folder, '.npmrc'),
    };
    await run('npm', [...args, '--registry', registry.url, '--no-audit', '--no-fund'], { cwd, env, timeout: 60_000 });
  }

  function project(name: string, content: object): string {
    const cwd = join(folder, name);
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'package.json'), JSON.stringify(content));
    return cwd;
  }

  test('publishes and installs a package as it does without the preload', async () => {
    const login = await fetch(`${origin.url}/-/user/org.couchdb.user:ada`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'x-correlation-id': 'login-1' },
      body: JSON.stringify({ name: 'ada', password: 'correct horse' }),
    });
    assert.equal(login.status, 201);
    assert.equal(login.headers.get('x-correlation-id'), 'login-1');
    ({ token } = (await login.json()) as { token: string });
    writeFileSync(join(folder, '.npmrc'), `//${new URL(origin.url).host}/:_authToken=${token}\n`);

    const library = project('library', { name: 'left-and-right', version: '1.2.3' });
    writeFileSync(join(library, 'index.js'), 'module.exports = "both";\n');
    await npm(library, origin, 'publish');
    const app = project('app', { name: 'app', private: true });
    await npm(app, proxy, 'install', 'left-and-right');
    assert.equal(readFileSync(join(app, 'node_modules/left-and-right/index.js'), 'utf8'), 'module.exports = "both";\n');
  });

  test('names its spans by Express’ own route templates', async () => {
    for (const [service, name, status] of [
      ['origin', 'PUT /-/user/:org_couchdb_user/:_rev?/:revision?', 201],
      ['origin', 'GET /:package/:version?', 404], // npm publish looks whether the package is there.
      ['origin', 'PUT /:package/:_rev?/:revision?', 201],
      ['proxy', 'GET /:package/:version?', 200],
      ['proxy', 'GET /:package/-/:filename', 200],
    ] as const) {
      const route = name.slice(name.indexOf(' ') + 1);
      const attributes = { 'http.route': route, 'http.response.status_code': status };
      await viewer.waitForSpans({ service, name, kind: 'server', attributes }, { timeout: 15_000 });
    }
  });

  test('makes one trace of an install that the proxy passes on to the origin', async () => {
    const isPassedOn = (one: { service: string; name: string }) =>
      one.service === 'origin' && one.name === 'GET /:package/-/:filename';
    const trace = await viewer.waitForTrace((one) => one.spans.some(isPassedOn), { spans: 3, timeout: 15_000 });
    const [server] = trace.spans.filter((span) => span.service === 'proxy' && span.kind === 'server');
    const [client] = trace.children(server).filter((span) => trace.children(span).length > 0);
    assert.equal(client?.kind, 'client', `${trace}`);
    const [there] = trace.children(client);
    assert.deepEqual([there.service, there.kind], ['origin', 'server'], `${trace}`);
    assert.equal(there.attributes['correlation.id'], server.attributes['correlation.id']);
  });

  test('writes its own log lines with the ids of the request, and they arrive', async () => {
    const [span] = await viewer.waitForSpans({ attributes: { 'correlation.id': 'login-1' } }, { timeout: 15_000 });
    const lines = origin.program.json().filter((line) => line.correlation_id === 'login-1');
    assert.ok(lines.length > 0, origin.program.lines.join('\n'));
    for (const line of lines) assert.equal(line.trace_id, span.traceId);
    const records = await viewer.waitForLogs(
      { attributes: { correlation_id: 'login-1' } },
      { timeout: 15_000, count: lines.length },
    );
    assert.equal(records[0].traceId, span.traceId);
  });

  test('does not give away the password or the token', async () => {
    const everything = JSON.stringify([viewer.spans(), viewer.logs()], (_, value) =>
      typeof value === 'bigint' ? `${value}` : value,
    );
    assert.ok(token.length > 20);
    assert.ok(!everything.includes(token));
    assert.ok(!everything.includes('correct horse'));
  });

  test('counts its requests under the same routes as its spans', async () => {
    const page = await metricsPage(viewer, 'origin');
    const count = /^http_server_request_duration_seconds_count\{(.*)\} (\d+)$/gm;
    const series = [...page.matchAll(count)].map(([, labels, value]) => ({ labels, value: Number(value) }));
    const route = (template: string) => series.filter(({ labels }) => labels.includes(`http_route="${template}"`));
    assert.equal(route('/-/user/:org_couchdb_user/:_rev?/:revision?')[0]?.value, 1, page);
    const routes = new Set(series.map(({ labels }) => /http_route="([^"]*)"/.exec(labels)?.[1]));
    assert.ok(![...routes].some((one) => one?.includes('left-and-right')), `no raw path among ${[...routes].join(' ')}`);
    const requests = viewer.spans({ service: 'origin', kind: 'server' }).length;
    assert.equal(
      series.reduce((sum, { value }) => sum + value, 0),
      requests,
      'as many requests counted as spans arrived',
    );
  });

  test('ends on SIGTERM as it does without the preload', async () => {
    assert.deepEqual(await Promise.all([proxy.program.stop(), origin.program.stop()]), ['SIGTERM', 'SIGTERM']);
  });
});
