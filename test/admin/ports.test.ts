import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer, type Server } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { bind } from '../../instrumentation/admin/bind.ts';
import { type Machine, place } from '../../instrumentation/admin/hosts.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { adminOf, ask } from './support.ts';

const portOf = (server: Server) => (server.address() as { port: number }).port;

test('without a setting it takes the next free port, within bounds', async (t) => {
  const [first, second] = [adminOf(), adminOf()];
  t.after(first.stop);
  t.after(second.stop);
  const [a, b] = [await first.admin.ready, await second.admin.ready];
  assert.ok(a && b);
  assert.notEqual(a.port, b.port);
  for (const { port } of [a, b]) assert.ok(port >= 9464 && port < 9464 + 50, String(port));
  assert.equal((await ask(`${b.url}/health/live`)).status, 200);
});

test('a port that is set by hand is used as it is or not at all, and one line says why', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { admin, diagnostics, stop } = adminOf({ OTEL_EXPORTER_PROMETHEUS_PORT: String(portOf(taken)) });
  t.after(stop);
  assert.equal(await admin.ready, undefined);
  assert.equal(admin.address(), undefined);
  assert.equal(diagnostics.said.length, 1);
  assert.match(
    diagnostics.said[0],
    /^O11Y_PORT_TAKEN: OTEL_EXPORTER_PROMETHEUS_PORT: port \d+ cannot be used \(listen EADDRINUSE.*the app runs on\.$/,
  );
});

test('a host that this machine does not have is said, too', async (t) => {
  const { admin, diagnostics, stop } = adminOf({ OTEL_EXPORTER_PROMETHEUS_HOST: '203.0.113.7' });
  t.after(stop);
  assert.equal(await admin.ready, undefined);
  assert.match(diagnostics.said[0], /EADDRNOTAVAIL/);
});

test('the app gets the port that it asks for, even in the very turn in which the kit starts', async (t) => {
  const port = await freePort();
  const { admin, stop } = adminOf({ OTEL_EXPORTER_PROMETHEUS_PORT: String(port) });
  t.after(stop);
  const app = createHttp((_request, response) => response.end('the app')).listen(port, '127.0.0.1');
  t.after(() => app.close());
  await once(app, 'listening');
  assert.equal((await ask(`http://127.0.0.1:${port}/`)).body, 'the app');
  assert.equal(await admin.ready, undefined);
});

test('a port of its own choice it leaves for the next one, whichever way the app names the port; local sockets and port 0 do not matter', async (t) => {
  const { admin, stop } = adminOf();
  t.after(stop);
  await admin.ready;
  const forms: ((server: Server, port: number) => Server)[] = [
    (server, port) => server.listen(port),
    (server, port) => server.listen(String(port)),
    (server, port) => server.listen({ port, host: '127.0.0.1', exclusive: true }),
    (server, port) => server.listen(port, 'localhost', 1),
  ];
  for (const listen of forms) {
    const { port } = admin.address()!;
    const server = listen(createServer(), port);
    t.after(() => server.close());
    await once(server, 'listening');
    assert.equal(portOf(server), port);
    await until('it listens elsewhere', () => admin.address() !== undefined, { everyMs: 5 });
    assert.notEqual(admin.address()?.port, port);
    assert.equal((await ask(`${admin.address()!.url}/health/live`)).status, 200);
  }
  const before = admin.address();
  for (const where of [0, { path: `\0o11y-kit-test-${process.pid}` }]) {
    const server = createServer().listen(where as number);
    t.after(() => server.close());
    await once(server, 'listening');
  }
  assert.deepEqual(admin.address(), before);
});

test('a port set by hand that the app wants goes to the app, and nothing is served elsewhere', async (t) => {
  const port = await freePort();
  const { admin, diagnostics, stop } = adminOf({ OTEL_EXPORTER_PROMETHEUS_PORT: String(port) });
  t.after(stop);
  assert.equal((await admin.ready)?.port, port);
  const app = createServer().listen(port);
  t.after(() => app.close());
  await once(app, 'listening');
  assert.equal(admin.address(), undefined);
  assert.match(
    diagnostics.said[0],
    new RegExp(`^O11Y_PORT_TAKEN: the app listens on port ${port} itself: /metrics and /health are no longer served`),
  );
});

test('all hosts share one port; one that the machine does not have is left out', async () => {
  const handler: RequestListener = (_request, response) => response.end('here');
  const bound = bind(handler, ['127.0.0.1', '203.0.113.7', '127.0.0.2'], 0);
  assert.equal(await bound.listening, true);
  for (const host of ['127.0.0.1', '127.0.0.2']) assert.equal((await ask(`http://${host}:${bound.port}/`)).body, 'here');
  const clash = bind(handler, ['127.0.0.3', '127.0.0.2'], bound.port);
  await assert.rejects(clash.listening, { code: 'EADDRINUSE' });
  const free = bind(handler, ['127.0.0.3'], bound.port);
  assert.equal(await free.listening, true, 'the attempt before has left nothing open');
  free.close();
  bound.close();
});

test('stop frees the port at once', async () => {
  const { admin, stop } = adminOf({ OTEL_EXPORTER_PROMETHEUS_PORT: '0' });
  const { port } = (await admin.ready)!;
  await ask(`${admin.address()!.url}/health/live`);
  stop();
  assert.equal(admin.address(), undefined);
  const next = createServer().listen(port, '127.0.0.1');
  await once(next, 'listening');
  next.close();
});

test('nothing of it keeps the process alive, not even a reader in the middle of a page', () => {
  const script = `
    import { connect } from 'node:net';
    import { adminOf } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'support.ts')).href)};
    const held = setInterval(() => {}, 1000);
    const { admin } = adminOf({ OTEL_EXPORTER_PROMETHEUS_PORT: '0' });
    const { port } = await admin.ready;
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('GET /metrics HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.unref();
    clearInterval(held);
  `;
  const { status, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.deepEqual([status, signal], [0, null], stderr);
});

const address = (ip: string, internal = false) => [{ address: ip, family: 'IPv4', internal } as NetworkInterfaceInfo];
const host: Machine = {
  platform: 'linux',
  container: false,
  interfaces: { lo: address('127.0.0.1', true), eth0: address('198.51.100.4') },
};

test('on a host it listens on loopback, and where Docker is on Linux, at its address too', () => {
  const config = { adminHost: '', surroundings: {} } as Parameters<typeof place>[0];
  assert.deepEqual(place(config, host), { hosts: ['127.0.0.1'], reachable: '127.0.0.1', local: '127.0.0.1' });
  const docker: Machine = { ...host, interfaces: { ...host.interfaces, docker0: address('172.17.0.1') } };
  assert.deepEqual(place(config, docker), { hosts: ['127.0.0.1', '172.17.0.1'], reachable: '172.17.0.1', local: '127.0.0.1' });
  assert.deepEqual(place(config, { ...docker, platform: 'darwin' }), {
    hosts: ['127.0.0.1'],
    reachable: '127.0.0.1',
    local: '127.0.0.1',
  });
});

test('in a container it listens on all interfaces; a host set by hand stands alone', () => {
  const config = { adminHost: '', surroundings: {} } as Parameters<typeof place>[0];
  const container: Machine = { ...host, container: true };
  assert.deepEqual(place(config, container), { hosts: [undefined], reachable: '198.51.100.4', local: '127.0.0.1' });
  assert.deepEqual(place({ ...config, adminHost: '10.0.0.9' }, container), {
    hosts: ['10.0.0.9'],
    reachable: '10.0.0.9',
    local: '10.0.0.9',
  });
  assert.deepEqual(place({ ...config, adminHost: '0.0.0.0' }, host), {
    hosts: ['0.0.0.0'],
    reachable: '198.51.100.4',
    local: '127.0.0.1',
  });
  assert.deepEqual(place(config, { ...container, interfaces: {} }), {
    hosts: [undefined],
    reachable: '127.0.0.1',
    local: '127.0.0.1',
  });
});
