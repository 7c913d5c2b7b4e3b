import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { spawnApp } from '../support/app.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-settings-'));
const server = join(folder, 'server.cjs');
writeFileSync(
  server,
  `const server = require('node:http').createServer((req, res) => res.end('ok'));
   server.listen(0, '127.0.0.1', () => console.log('LISTEN ' + server.address().port));`,
);

test('the heap limit is the one at which V8 gives up, not that with the young generation', async () => {
  await using app = await spawnApp({ args: ['--max-old-space-size=100', server] });
  assert.match(await app.metrics(), /^nodejs_heap_size_limit_bytes 104857600$/m);
});

test('health is served where metrics are not', async () => {
  await using app = await spawnApp({ args: [server], env: { OTEL_METRICS_EXPORTER: 'none' } });
  const url = await until('the address', () => /http:\/\/\S+(?=\/health)/.exec(app.stderr())?.[0]);
  const ready = await until('readiness', async () => {
    const response = await fetch(`${url}/health/ready`);
    return response.status === 200 ? response : undefined;
  });
  assert.deepEqual(await ready.json(), { status: 'pass' });
  const page = await fetch(`${url}/metrics`);
  assert.equal(page.status, 404);
  assert.match(await page.text(), /OTEL_METRICS_EXPORTER/);
});

test('a script that crashes leaves its stdout to its result', async () => {
  await using app = await spawnApp({ args: ['-e', 'console.log("result"); throw new Error("broken")'], ready: false });
  assert.deepEqual(await app.exited, { code: 1, signal: null });
  assert.equal(app.stdout(), 'result\n');
});
