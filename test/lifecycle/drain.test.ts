import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { NODES } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { AppFolder } from './apps.ts';

const app = `
const http = require('node:http');
const held = [];
const server = http.createServer((request, response) => {
  if (request.url === '/phase') response.end(globalThis.kitFixture.health.phase());
  else if (request.url === '/release') { response.end(); held.forEach((release) => release()); }
  else held.push(() => response.end('answered'));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

const folder = new AppFolder();
before(() => folder.prepare());
after(() => folder.remove());

async function start(node: string, env: Record<string, string>) {
  const file = join(folder.path, 'served.cjs');
  writeFileSync(file, app);
  const child = spawn(node, ['--import', folder.preload, file], { env, stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000 });
  const lines: string[] = [];
  const reader = createInterface(child.stdout).on('line', (line) => lines.push(line));
  const closed = once(child, 'close');
  await once(reader, 'line');
  const port = Number(lines[0]);
  // Kept alive: an idle connection is not to hold the process up.
  const agent = new Agent({ keepAlive: true });
  const fetchText = (path: string) =>
    new Promise<string>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path, agent }, (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (part) => (text += part))
          .on('end', () => resolve(text));
      }).on('error', reject);
    });
  return { child, lines, closed, fetchText, done: () => agent.destroy() };
}

for (const node of NODES) {
  describe(`on Node ${node.major}`, { skip: node.skip }, () => {
    test('with a shutdown delay, it is not ready first, still serves, and finishes what is in flight', async () => {
      const { child, closed, fetchText, lines, done } = await start(node.path, { O11Y_SHUTDOWN_DELAY_MS: '500' });
      await until('ready', async () => (await fetchText('/phase')) === 'ready', { everyMs: 10 });
      const slow = fetchText('/slow');
      child.kill('SIGTERM');
      await until('not ready', async () => (await fetchText('/phase')) === 'draining', { everyMs: 10 });
      await fetchText('/release');
      assert.equal(await slow, 'answered');
      assert.deepEqual(await closed, [null, 'SIGTERM']);
      assert.deepEqual(lines.slice(-4), [
        'kit: info SIGTERM: stopping',
        'kit: flush begins, draining',
        'kit: flushed',
        'kit: end',
      ]);
      done();
    });

    test('a request that never ends is waited for within the bound', async () => {
      const env = { O11Y_SHUTDOWN_DELAY_MS: '1', O11Y_SHUTDOWN_TIMEOUT_MS: '1300' };
      const { child, closed, fetchText, lines, done } = await start(node.path, env);
      const slow = assert.rejects(fetchText('/slow'));
      await fetchText('/phase');
      child.kill('SIGTERM');
      assert.deepEqual(await closed, [null, 'SIGTERM']);
      await slow;
      assert.ok(lines.includes('kit: error Requests were still in flight when the time to drain was over'), lines.join('\n'));
      assert.equal(lines.at(-1), 'kit: end');
      done();
    });
  });
}
