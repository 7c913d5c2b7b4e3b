import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, type Exit, spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';

const REQUESTS = 1000;
const AT_ONCE = 50;

/** @param crash what a request of `/crash` does; it is not answered */
const serve = (crash = '') => `
const server = require('node:http').createServer((request, response) => {
  if (request.url === '/crash') { ${crash}; return; }
  response.end('ok');
});
server.listen(0, '127.0.0.1', () => console.log('LISTEN ' + server.address().port));
`;

/** How an app may end after it has served; what was recorded is to arrive each time. */
const ENDINGS: readonly {
  readonly name: string;
  readonly code: string;
  readonly signal?: NodeJS.Signals;
  readonly path?: string;
  /** Body of the one fatal log record. */
  readonly fatal?: string;
}[] = [
  { name: 'SIGTERM without a handler', code: serve(), signal: 'SIGTERM' },
  { name: 'SIGINT without a handler', code: serve(), signal: 'SIGINT' },
  { name: 'SIGTERM, server.close()', code: `${serve()} process.on('SIGTERM', () => server.close());`, signal: 'SIGTERM' },
  {
    name: 'SIGTERM, process.exit(0) at once',
    code: `${serve()} process.on('SIGTERM', () => process.exit(0));`,
    signal: 'SIGTERM',
  },
  {
    name: 'an uncaught exception',
    code: serve(`throw new Error('boom')`),
    path: '/crash',
    fatal: 'Uncaught exception',
  },
  {
    name: 'an unhandled rejection',
    code: serve(`Promise.reject(new Error('boom'))`),
    path: '/crash',
    fatal: 'Unhandled rejection',
  },
  { name: 'process.exit(3) in a request', code: serve('process.exit(3)'), path: '/crash' },
];

const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-delivery-'));
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
let viewer: TestViewer;

before(async () => {
  viewer = await startViewer();
});
afterEach(() => viewer.clear());
after(async () => {
  agent.destroy();
  await viewer.close();
  rmSync(folder, { recursive: true, force: true });
});

function call(app: App, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ port: app.port, host: '127.0.0.1', path, agent }, (response) => {
      response
        .resume()
        .on('end', () => resolve(response.statusCode))
        .on('error', reject);
    }).on('error', reject);
  });
}

async function serveAndEnd(app: App, { signal, path }: (typeof ENDINGS)[number], requests: number): Promise<Exit> {
  const answers = await Promise.all(Array.from({ length: requests }, () => call(app, '/')));
  assert.ok(answers.every((status) => status === 200));
  if (signal) app.child.kill(signal);
  else await assert.rejects(call(app, path ?? ''));
  return app.exited;
}

for (const node of NODES) {
  describe(`on Node ${node.major}`, { skip: node.skip }, () => {
    for (const ending of ENDINGS) {
      test(`${ending.name}: everything recorded before arrives, and it ends as without the kit`, async () => {
        const file = join(folder, `${ENDINGS.indexOf(ending)}.cjs`);
        writeFileSync(file, ending.code);
        await using bare = await spawnApp({ args: [file], node: node.path, preload: false });
        const expected = await serveAndEnd(bare, ending, 1);

        // Queues that hold the burst, and a delay that only a flush can cut short.
        const env = {
          OTEL_BSP_SCHEDULE_DELAY: '60000',
          OTEL_BLRP_SCHEDULE_DELAY: '60000',
          OTEL_BSP_MAX_QUEUE_SIZE: '4096',
          OTEL_BLRP_MAX_QUEUE_SIZE: '4096',
        };
        await using app = await spawnApp({ args: [file], node: node.path, endpoint: viewer.url, env });
        const exit = await serveAndEnd(app, ending, REQUESTS);
        assert.deepEqual(exit, expected, app.stderr());
        const spans = viewer.spans({ kind: 'server' }).filter(({ attributes }) => attributes['url.path'] === '/');
        const lines = viewer.logs().filter(({ attributes }) => attributes['http.status'] === 200);
        assert.deepEqual({ spans: spans.length, lines: lines.length }, { spans: REQUESTS, lines: REQUESTS }, app.stderr());
        if (ending.fatal) {
          const fatal = viewer.logs().filter(({ severityNumber }) => severityNumber >= 21);
          const crashed = viewer.spans({ kind: 'server' }).find(({ attributes }) => attributes['url.path'] === '/crash');
          assert.deepEqual(
            fatal.map(({ body }) => body),
            [ending.fatal],
          );
          assert.equal(fatal[0].traceId, crashed?.traceId, 'of the request that crashed');
        }
      });
    }
  });
}

// Without a bound of the kit's own, these would go on for a minute: longer than the test waits.
const STUCK = { OTEL_EXPORTER_OTLP_TIMEOUT: '60000', O11Y_SHUTDOWN_TIMEOUT_MS: '300' };

describe('a collector that is no help', () => {
  for (const { name, code, signal } of ENDINGS.slice(0, 4)) {
    test(`one that never answers: ${name}`, { timeout: 12_000 }, async () => {
      viewer.respond({ hang: true });
      const file = join(folder, 'hangs.cjs');
      writeFileSync(file, code);
      await using bare = await spawnApp({ args: [file], preload: false });
      const expected = await serveAndEnd(bare, { name, code, signal }, 1);
      await using app = await spawnApp({ args: [file], endpoint: viewer.url, env: STUCK });
      assert.deepEqual(await serveAndEnd(app, { name, code, signal }, 10), expected);
      viewer.respond(undefined);
    });

    test(`none at all: ${name}`, { timeout: 12_000 }, async () => {
      const file = join(folder, 'alone.cjs');
      writeFileSync(file, code);
      await using bare = await spawnApp({ args: [file], preload: false });
      const expected = await serveAndEnd(bare, { name, code, signal }, 1);
      await using app = await spawnApp({ args: [file], env: { ...STUCK, O11Y_SHUTDOWN_TIMEOUT_MS: '60000' } });
      assert.deepEqual(await serveAndEnd(app, { name, code, signal }, 10), expected);
    });
  }
});
