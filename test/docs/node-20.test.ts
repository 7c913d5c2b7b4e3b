import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';
import { until } from '../support/until.ts';

const apps = join(import.meta.dirname, 'apps');
const dist = join(import.meta.dirname, '../../dist');
const scratch = mkdtempSync(join(tmpdir(), 'node-20-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const [old, current] = [20, 24].map((major) => NODES.find((node) => node.major === major)!);
const skip = old.skip || current.skip;

/** Runs a program to its end, without anything of this process's environment but PATH. */
function run(node: string, args: readonly string[]) {
  const env = { PATH: process.env.PATH, HOME: scratch };
  return spawnSync(node, args, { encoding: 'utf8', timeout: 20_000, cwd: scratch, env });
}

/** Runs a program with a source of its own on both versions. @returns what they print, in one line each */
function both(name: string, source: string, flags: readonly string[] = []): [string, string] {
  const file = join(scratch, name);
  writeFileSync(file, source);
  return [old, current].map(({ path }) => {
    const { stdout, stderr } = run(path, [...flags, file]);
    return stdout.trim() || (/\b\w*Error\b/.exec(stderr)?.[0] ?? stderr);
  }) as [string, string];
}

describe('docs/node-20.md', { skip, concurrency: 2 }, () => {
  it('has a row for each thing that is checked here', () => {
    const rows = readFileSync(join(import.meta.dirname, '../../docs/node-20.md'), 'utf8').match(/^\| [^-|].*\|$/gm) ?? [];
    assert.equal(rows.length, 8);
  });

  it('TypeScript without a tool fails on 20 and runs on 24', () => {
    const [before, now] = both('app.ts', 'const answer: number = 42; console.log(answer);');
    assert.match(before, /Error/);
    assert.equal(now, '42');
  });

  it('an outgoing request belongs to where it is sent from on 20, to where it was made on 24', async () => {
    assert.equal(await pooledIsChild(old.path), false);
    assert.equal(await pooledIsChild(current.path), true);
  });

  it('behind --require, an ES module that still awaits is ready on 20, and not on 24', { timeout: 60_000 }, async () => {
    const waiting: ServerResponse[] = [];
    const holder = createServer((_, response) => void waiting.push(response)).listen(0, '127.0.0.1');
    await until('the holder listens', () => holder.listening);
    const env = { HELD_BY: `http://127.0.0.1:${(holder.address() as AddressInfo).port}/` };
    const start = (node: string, preload: 'require' | 'import') =>
      spawnApp({ node, preload, args: [join(apps, 'held.mjs')], ready: false, env });
    await using imported = await start(old.path, 'import');
    await using later = await start(current.path, 'require');
    await using required = await start(old.path, 'require');
    const ready = async (app: typeof later) => (await fetch(`${await app.adminUrl()}/health/ready`)).status;

    await until('all three await', () => waiting.length === 3);
    await until('the one on 20 is ready', async () => (await ready(required)) === 200, { timeoutMs: 20_000 });
    assert.equal(await ready(imported), 503);
    assert.equal(await ready(later), 503);
    for (const response of waiting) response.end();
    await until('all are ready', async () => (await ready(imported)) === 200 && (await ready(later)) === 200, {
      timeoutMs: 20_000,
    });
    holder.close();
    holder.closeAllConnections();
  });

  it('hooks of modules are synchronous on 24 alone', () => {
    const source = "console.log(typeof require('node:module').registerHooks)";
    assert.deepEqual(both('hooks.cjs', source), ['undefined', 'function']);
  });

  it('view --db ends with a sentence on 20', () => {
    const { status, stderr } = run(old.path, [join(dist, 'cli.mjs'), 'view', '--port', '0', '--db', join(scratch, 'x.db')]);
    assert.equal(status, 1);
    assert.match(stderr, /--db needs Node 22\.13 or later/);
    assert.deepEqual(both('sqlite.mjs', "await import('node:sqlite'); console.log('there')", ['--no-warnings']), [
      'Error',
      'there',
    ]);
  });

  it('o11y-kit/testing works on 20, `await using` does not parse', () => {
    const testing = JSON.stringify(join(dist, 'testing.mjs'));
    const head = `import { startViewer } from ${testing};`;
    assert.deepEqual(
      both('close.mjs', `${head} const viewer = await startViewer(); console.log(typeof viewer.url); await viewer.close();`),
      ['string', 'string'],
    );
    assert.deepEqual(both('using.mjs', `${head} { await using viewer = await startViewer(); console.log(typeof viewer.url); }`), [
      'SyntaxError',
      'string',
    ]);
  });

  it('the channels that are named are published on 24 alone', () => {
    const source = `
      const { subscribe } = require('node:diagnostics_channel');
      const http = require('node:http');
      const http2 = require('node:http2');
      const seen = [];
      const names = ['http.client.request.created', 'http.server.response.created', 'http2.server.stream.created',
        'console.log', 'tracing:module.import:start', 'tracing:module.require:start'];
      for (const name of names) subscribe(name, () => seen.includes(name) || seen.push(name));
      console.log();
      require('node:net');
      import('node:os').then(() => {
        const one = http.createServer((_, response) => response.end()).listen(0, '127.0.0.1', () => {
          http.get({ host: '127.0.0.1', port: one.address().port, agent: false }, (response) => response.resume().on('end', () => one.close()));
        });
        const two = http2.createServer((_, response) => response.end()).listen(0, '127.0.0.1', () => {
          const session = http2.connect('http://127.0.0.1:' + two.address().port);
          session.request().resume().on('end', () => { session.close(); two.close(); }).end();
        });
      });
      process.on('exit', () => console.log(seen.length));`;
    assert.deepEqual(both('channels.cjs', source), ['0', '6']);
  });
});

/** Whether the span of the request that pooled.cjs sends is a child of the request that it was made in. */
async function pooledIsChild(node: string): Promise<boolean> {
  const viewer: TestViewer = await startViewer();
  try {
    await using app = await spawnApp({ node, args: [join(apps, 'pooled.cjs')], endpoint: viewer.url });
    await (await fetch(`http://127.0.0.1:${app.port}/made`)).text();
    const [client] = await viewer.waitForSpans({ kind: 'client' });
    const [server] = await viewer.waitForSpans((span) => span.kind === 'server' && span.attributes['url.path'] === '/made');
    return client.traceId === server.traceId && client.parentSpanId === server.spanId;
  } finally {
    await viewer.close();
  }
}
