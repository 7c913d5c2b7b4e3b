import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startViewer } from '../../viewer/testing.ts';
import { spawnApp } from '../support/app.ts';

test('the name that an app without a router gives its span stands', async () => {
  const code = `const { trace } = require('@opentelemetry/api');
    const server = require('node:http').createServer((request, response) => {
      trace.getActiveSpan().updateName('GET /orders');
      response.end();
    });
    server.listen(0, '127.0.0.1', () => console.log('LISTEN', server.address().port));`;
  await using viewer = await startViewer();
  await using app = await spawnApp({ args: ['--eval', code], endpoint: viewer.url });
  await (await fetch(`http://127.0.0.1:${app.port}/orders`)).arrayBuffer();
  const [span] = await viewer.waitForSpans({ kind: 'server' });
  assert.equal(span.name, 'GET /orders');
});
