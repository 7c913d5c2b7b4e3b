import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startViewer } from '../../viewer/testing.ts';

const preload = pathToFileURL(join(import.meta.dirname, '../../dist/preload.mjs')).href;

test('the name that an app without a router gives its span stands', async () => {
  const code = `const { trace } = require('@opentelemetry/api');
    const server = require('node:http').createServer((request, response) => {
      trace.getActiveSpan().updateName('GET /orders');
      response.end();
    });
    server.listen(0, '127.0.0.1', () => process.send(server.address().port));`;
  await using viewer = await startViewer();
  const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url, O11Y_QUIET: '1', OTEL_EXPORTER_PROMETHEUS_PORT: '0' };
  const child = spawn(process.execPath, ['--import', preload, '--eval', code], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const [port] = await once(child, 'message');
    await (await fetch(`http://127.0.0.1:${port}/orders`)).arrayBuffer();
    const [span] = await viewer.waitForSpans({ kind: 'server' });
    assert.equal(span.name, 'GET /orders');
  } finally {
    child.kill('SIGKILL');
  }
});
