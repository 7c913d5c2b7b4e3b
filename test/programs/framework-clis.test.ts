import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { freePort } from '../support/free-port.ts';
import { needs } from '../support/needs.ts';
import {
  installServers,
  metricsPage,
  type Program,
  type ProgramOptions,
  scratchFolder,
  serversFolder,
  startProgram,
} from './program.ts';

interface Row {
  readonly name: string;
  readonly app: string;
  start(port: number): Pick<ProgramOptions, 'script' | 'args' | 'listening'>;
  /** What the program's end is without the preload. */
  readonly end: number | string;
}

/** Servers of frameworks' own command lines: they load the framework and the user's app in their own way. */
const ROWS: readonly Row[] = [
  {
    // close-with-grace handles the signals; pino by Fastify's logger.
    name: 'fastify-cli',
    app: `export default async function (app, _options) {
  app.get('/users/:id', async (request) => { request.log.info('found ' + request.params.id); return { id: request.params.id }; });
  app.get('/broken', async () => { throw new TypeError('broken'); });
}`,
    start: (port) => ({
      script: 'fastify-cli/cli.js',
      args: ['start', '--address', '127.0.0.1', '--port', `${port}`, '--log-level', 'info', 'app.mjs'],
      listening: /Server listening at/,
    }),
    end: 0,
  },
  {
    // ESM all the way; the app is bundled by esbuild and imported from memory.
    name: '@hono/cli',
    app: `import { Hono } from 'hono';
const app = new Hono();
app.get('/users/:id', (c) => { console.log('found ' + c.req.param('id')); return c.json({ id: c.req.param('id') }); });
app.get('/broken', () => { throw new TypeError('broken'); });
export default app;`,
    start: (port) => ({
      script: '@hono/cli/dist/cli.js',
      args: ['serve', 'app.mjs', '--port', `${port}`],
      listening: /Listening on/,
    }),
    end: 'SIGTERM',
  },
];

for (const row of ROWS) {
  suite(row.name, { skip: needs('npm') }, () => {
    const folder = scratchFolder('framework-cli');
    const service = 'shop-users';
    let viewer: TestViewer;
    let program: Program;
    let url: string;

    before(async () => {
      await installServers();
      viewer = await startViewer();
      const cwd = join(folder, 'app');
      mkdirSync(cwd);
      writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'app', type: 'module' }));
      writeFileSync(join(cwd, 'app.mjs'), row.app);
      symlinkSync(join(serversFolder, 'node_modules'), join(cwd, 'node_modules'));
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      program = await startProgram({ ...row.start(port), env: { OTEL_SERVICE_NAME: service }, cwd, viewer });
    });

    after(async () => {
      await program?.stop();
      await viewer?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test('span, metrics and log line of a request agree', async () => {
      const response = await fetch(`${url}/users/7`, { headers: { 'x-correlation-id': 'call-7' } });
      assert.deepEqual(await response.json(), { id: '7' });
      assert.equal(response.headers.get('x-correlation-id'), 'call-7');
      const name = 'GET /users/:id';
      const [span] = await viewer.waitForSpans(
        { service, kind: 'server', attributes: { 'correlation.id': 'call-7' } },
        { timeout: 15_000 },
      );
      assert.equal(span.name, name);
      assert.equal(span.attributes['http.route'], '/users/:id');
      const [record] = await viewer.waitForLogs({ service, body: 'found 7' }, { timeout: 15_000 });
      assert.equal(record.traceId, span.traceId);
      assert.equal(record.attributes.correlation_id, 'call-7');
      const page = await metricsPage(viewer, service);
      assert.match(page, /^http_server_request_duration_seconds_count\{.*http_route="\/users\/:id".*\} 1$/m);
    });

    test('an error of a handler is on its span', async () => {
      const response = await fetch(`${url}/broken`);
      assert.equal(response.status, 500);
      const [span] = await viewer.waitForSpans({ service, name: 'GET /broken', kind: 'server' }, { timeout: 15_000 });
      assert.equal(span.status.code, 'error');
      const [event] = span.events.filter(({ name }) => name === 'exception');
      assert.equal(event?.attributes['exception.message'], 'broken');
    });

    test('ends on SIGTERM as it does without the preload', async () => {
      assert.equal(await program.stop(), row.end);
    });
  });
}
