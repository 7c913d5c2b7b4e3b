import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { reasonNotToStart } from '../../instrumentation/guard.ts';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type AppOptions, type Exit, spawnApp } from '../support/app.ts';
import { findProgram, needs } from '../support/needs.ts';
import { NODES } from '../support/nodes.ts';

const DIST = join(import.meta.dirname, '../../dist');
const PRELOAD = pathToFileURL(join(DIST, 'preload.mjs')).href;
const PINO = join(import.meta.dirname, '../../node_modules/pino');

let folder: string;
let viewer: TestViewer;
before(async () => {
  viewer = await startViewer();
  folder = mkdtempSync(join(tmpdir(), 'o11y-kit-guard-'));
  const files: Record<string, string> = {
    'package.json': JSON.stringify({ name: 'guarded', version: '1.0.0', scripts: { app: 'node app.cjs' } }),
    'app.cjs': `console.log('app', globalThis[Symbol.for('o11y-kit.api')] !== undefined);`,
    'worker.cjs': `require('node:worker_threads').parentPort?.postMessage('worker ' + (globalThis[Symbol.for('o11y-kit.api')] !== undefined));`,
    // A worker of a file, one with the app's flags said anew, one of a text.
    'workers.cjs': `
      const { Worker } = require('node:worker_threads');
      const file = require.resolve('./worker.cjs');
      const workers = [
        new Worker(file),
        new Worker(file, { execArgv: process.execArgv }),
        new Worker(require('node:fs').readFileSync(file, 'utf8'), { eval: true }),
      ];
      for (const worker of workers) worker.on('message', console.log).on('error', (error) => console.log(String(error)));`,
    'transport.cjs': `
      const pino = require(${JSON.stringify(PINO)});
      const logger = pino(pino.transport({ targets: [{ target: 'pino/file', options: { destination: 1 } }] }));
      logger.info('through a transport');`,
    'parent.cjs': `
      const { fork } = require('node:child_process');
      fork(require.resolve('./app.cjs')).on('exit', (code) => console.log('parent saw ' + code));`,
    'nested/app.cjs': `require('../app.cjs');`,
  };
  mkdirSync(join(folder, 'nested'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await viewer.close();
});

async function run(
  args: string[],
  options: Partial<AppOptions> = {},
): Promise<Exit & { stdout: string; starts: number; stderr: string }> {
  await using app = await spawnApp({ args, cwd: folder, endpoint: viewer.url, ready: false, ...options });
  const exit = await app.exited;
  const starts = app.stdout().match(/^app true$/gm)?.length ?? 0;
  return { ...exit, stdout: app.stdout(), stderr: app.stderr(), starts };
}

const viaOptions = { preload: false as const, env: { NODE_OPTIONS: `--import ${PRELOAD}` } };

for (const { major, path: node, skip } of NODES) {
  describe(`where the preload starts on Node ${major}`, { skip }, () => {
    for (const [way, options] of Object.entries({ '--import': {}, NODE_OPTIONS: viaOptions })) {
      it(`once in an app, by ${way}`, async () => {
        const { code, stdout, stderr } = await run(['app.cjs'], { node, ...options });
        assert.deepEqual([code, stdout], [0, 'app true\n'], stderr);
      });

      it(`not in the app's worker threads, by ${way}`, async () => {
        const { code, stdout, stderr } = await run(['workers.cjs'], { node, ...options });
        assert.deepEqual([code, stdout], [0, 'worker false\n'.repeat(3)], stderr);
        assert.equal(stderr.match(/^o11y-kit \d/gm)?.length, 1, stderr);
      });

      it(`not in the thread of a pino transport, by ${way}; the line is written and shipped once`, async () => {
        viewer.clear();
        const { code, stdout, stderr } = await run(['transport.cjs'], { node, ...options });
        assert.equal(code, 0, stderr);
        assert.ok((stderr.match(/^o11y-kit \d/gm)?.length ?? 0) <= 1, stderr);
        assert.equal(stdout.match(/through a transport/g)?.length, 1);
        assert.equal(viewer.logs({ body: 'through a transport' }).length, 1);
      });
    }

    it('in a forked child as in its parent', async () => {
      const { stdout, starts, stderr } = await run(['parent.cjs'], { node });
      assert.equal(stdout, 'app true\nparent saw 0\n', stderr);
      assert.equal(starts, 1);
    });

    it('once where it is loaded by --require and by --import, with a word about it', async () => {
      const { code, starts, stderr } = await run(['--require', join(DIST, 'preload.cjs'), 'app.cjs'], { node });
      assert.deepEqual([code, starts], [0, 1], stderr);
      assert.equal(stderr.match(/O11Y_ALREADY_STARTED/g)?.length, 1);
    });

    it('once where it is imported under two addresses; under one, without a word', async () => {
      const twice = await run(['--import', `${PRELOAD}?again`, 'app.cjs'], { node });
      assert.deepEqual([twice.code, twice.starts, twice.stderr.match(/O11Y_ALREADY_STARTED/g)?.length], [0, 1, 1], twice.stderr);
      const same = await run(['--import', PRELOAD, 'app.cjs'], { node });
      assert.deepEqual([same.code, same.starts, same.stderr.includes('ALREADY')], [0, 1, false], same.stderr);
    });

    it('by --require too', async () => {
      const { code, stdout, stderr } = await run(['app.cjs'], { node, preload: 'require' });
      assert.deepEqual([code, stdout], [0, 'app true\n'], stderr);
    });

    it('in a text from the command line', async () => {
      const { code, stdout, stderr } = await run(['-e', "require('./app.cjs')"], { node });
      assert.deepEqual([code, stdout], [0, 'app true\n'], stderr);
    });
  });
}

describe('package managers under NODE_OPTIONS', { skip: needs('npm') }, () => {
  for (const [name, args] of [
    ['npm run', ['run', '--silent', 'app']],
    ['npm exec', ['exec', '--offline', '-c', 'node app.cjs']],
  ] as const) {
    it(`${name} starts nothing, the app that it runs does`, async () => {
      const npm = findProgram('npm') as string;
      const { code, stdout, starts, stderr } = await run([npm, ...args], viaOptions);
      assert.deepEqual([code, stdout.trim(), starts], [0, 'app true', 1], stderr);
      assert.doesNotMatch(stderr, /: npm |: npm@/);
    });
  }
});

describe('which entries are tools', () => {
  const process = { version: 'v24.1.0', main: true, internal: false, started: false };
  const refused = (entry: string) => reasonNotToStart({ ...process, entry }) === '';
  const TOOLS = [
    ...[
      '/usr/bin/npm',
      '/usr/lib/node_modules/npm/bin/npm-cli.js',
      '/usr/bin/npx',
      'C:\\Program Files\\nodejs\\node_modules\\npm\\bin\\npx-cli.js',
    ],
    ...[
      '/opt/yarn/bin/yarn.js',
      '/a/.yarn/releases/yarn-4.1.0.cjs',
      '/usr/lib/node_modules/corepack/dist/pnpm.js',
      '/a/node_modules/pnpm/bin/pnpm.cjs',
    ],
    ...[
      '/a/node_modules/.bin/nodemon',
      '/a/node_modules/nodemon/bin/nodemon.js',
      '/a/node_modules/.bin/tsc',
      '/a/node_modules/tsx/dist/cli.mjs',
    ],
    ...['/a/node_modules/.bin/concurrently', '/usr/lib/node_modules/pm2/bin/pm2', '/usr/lib/node_modules/pm2/lib/Daemon.js'],
    ...['/a/node_modules/o11y-kit/dist/cli.mjs', '/a/node_modules/.bin/o11y-kit'],
  ];
  for (const entry of TOOLS) it(`yes: ${entry}`, () => assert.equal(refused(entry), true));

  const APPS = [
    ...['/app/server.js', '/app/npm-registry/server.js', '/app/yarn-shop.js', '/home/npm/app.js', '/app/tools/pnpm/index.js'],
    ...['/a/node_modules/pm2/lib/ProcessContainerFork.js', '/a/node_modules/pm2/lib/ProcessContainer.js'],
    ...['/a/node_modules/verdaccio/bin/verdaccio', '/a/node_modules/.bin/next', '/a/node_modules/tsx-app/index.js'],
  ];
  for (const entry of APPS) it(`no: ${entry}`, () => assert.equal(refused(entry), false));

  for (const version of ['v18.20.4', 'v20.5.1', 'v0.10.48']) {
    it(`Node ${version} is too old, and says so`, () => {
      assert.match(String(reasonNotToStart({ ...process, version, entry: '/a.js' })), /O11Y_UNSUPPORTED_NODE: Node\.js v.*20\.6/);
    });
  }
  for (const version of ['v20.6.0', 'v22.15.0', 'v26.0.0-nightly', 'v100.0.0']) {
    it(`Node ${version} is not`, () => assert.equal(reasonNotToStart({ ...process, version, entry: '/a.js' }), undefined));
  }
});
