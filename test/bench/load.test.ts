import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { load } from '../../bench/lib/generator.ts';
import { readWrk } from '../../bench/lib/load.ts';
import { cpuOfStat } from '../../bench/lib/process.ts';

async function serve(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function answer(...[, response]: Parameters<RequestListener>): void {
  response.setHeader('content-length', 2);
  response.end('ok');
}

test('every request that the server saw is answered and counted, without a rate', async (t) => {
  let seen = 0;
  const port = await serve(t, (request, response) => {
    seen++;
    assert.equal(request.url, '/x');
    answer(request, response);
  });
  const { completed, failed, p50, p99 } = await load({ port, path: '/x', seconds: 0.3, connections: 4 });
  assert.ok(completed > 4);
  assert.equal(completed, seen);
  assert.equal(failed, 0);
  assert.ok(p50 > 0 && p99 >= p50);
});

test('at a rate, all that was due is either answered or said to be unsent', async (t) => {
  const port = await serve(t, answer);
  const { completed, failed, unsent } = await load({ port, path: '/', seconds: 0.5, connections: 8, rate: 100 });
  assert.equal(completed + failed + unsent, 50);
});

test('a server that answers on one connection only shows its queue in the latency and in what is unsent', async (t) => {
  const held: (() => void)[] = [];
  const port = await serve(t, (request, response) => {
    // The first answer is held back until the load is over.
    if (held.length === 0) held.push(() => answer(request, response));
    else answer(request, response);
  });
  const result = load({ port, path: '/', seconds: 0.3, connections: 1, rate: 100 });
  setTimeout(() => held[0]?.(), 400);
  const { completed, unsent, p99 } = await result;
  assert.equal(completed, 1);
  assert.equal(unsent, 29);
  assert.ok(p99 >= 300, `the queue's time is part of the latency, ${p99} ms`);
});

test('other answers and broken connections are failures', async (t) => {
  let seen = 0;
  const port = await serve(t, (request, response) => {
    seen++;
    if (seen === 1) response.destroy();
    else {
      response.statusCode = 500;
      answer(request, response);
    }
  });
  const { completed, failed } = await load({ port, path: '/', seconds: 0.2, connections: 2 });
  assert.equal(completed, 0);
  assert.equal(failed, seen);
});

test("wrk's report", () => {
  const report = `Running 2s test @ http://127.0.0.1:1/
  1 threads and 16 connections
  24012 requests in 2.01s, 5.50MB read
  Socket errors: connect 0, read 3, write 0, timeout 1
  Non-2xx or 3xx responses: 12
Requests/sec:  11946.3
`;
  assert.deepEqual(readWrk(report), { completed: 24000, seconds: 2.01, failed: 16 });
  assert.deepEqual(readWrk('  5 requests in 100.00ms, 1KB read'), { completed: 5, seconds: 0.1, failed: 0 });
  assert.throws(() => readWrk('unable to connect to 127.0.0.1:1 Connection refused'), /unable to connect/);
});

test('CPU time is read from /proc whatever the process is called', () => {
  const fields = (name: string) => `42 (${name}) S 1 42 42 0 -1 4194560 100 0 0 0 123 45 7 8 20 0 11 0 100 1 1`;
  for (const name of ['node', 'a b) c', ')) 9 9 (']) assert.equal(cpuOfStat(fields(name)), 1680, name);
});
