import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { until } from '../support/until.ts';
import { adminOf, ask } from './support.ts';

const { admin, health, diagnostics, stop } = adminOf({ OTEL_EXPORTER_PROMETHEUS_PORT: '0' });
let url = '';
before(async () => {
  url = (await admin.ready)!.url;
});
after(stop);

test('/metrics is Prometheus text, or OpenMetrics where it is asked for', async () => {
  const text = await ask(`${url}/metrics`);
  assert.equal(text.status, 200);
  assert.equal(text.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(text.body, /^# TYPE target_info gauge$/m);
  const open = await ask(`${url}/metrics?ignored=1`, { headers: { accept: 'application/openmetrics-text; version=1.0.0' } });
  assert.match(open.headers['content-type'] ?? '', /^application\/openmetrics-text/);
  assert.match(open.body, /# EOF\n$/);
});

test('live, ready and the report say what health says', async () => {
  assert.deepEqual(pick(await ask(`${url}/health/live`)), [200, { status: 'pass' }]);
  assert.deepEqual(pick(await ask(`${url}/health/ready`)), [503, { status: 'fail', output: 'starting' }]);
  health.setPhase('ready');
  assert.deepEqual(pick(await ask(`${url}/health/ready`)), [200, { status: 'pass' }]);
  const report = await ask(`${url}/health`);
  assert.equal(report.status, 200);
  assert.equal(report.headers['content-type'], 'application/health+json');
  assert.equal(report.headers['cache-control'], 'no-store');
  assert.equal(JSON.parse(report.body).serviceId, 'i-1');
});

test('a failing required check makes the report and readiness 503, and leaves liveness', async () => {
  health.setPhase('ready');
  const stopHealth = health.start();
  const remove = health.register('database', () => false);
  await until('the check has run', () => health.report().status === 'fail', { everyMs: 5 });
  const statuses = await Promise.all(['/health', '/health/ready', '/health/live'].map((path) => ask(url + path)));
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [503, 503, 200],
  );
  remove();
  stopHealth();
});

test('HEAD has the headers without the body; other methods and paths are refused', async () => {
  for (const path of ['/metrics', '/health', '/health/live', '/health/ready']) {
    const [get, head, post] = await Promise.all(['GET', 'HEAD', 'POST'].map((method) => ask(url + path, { method })));
    assert.deepEqual([head.status, head.body], [get.status, ''], path);
    assert.equal(head.headers['content-type'], get.headers['content-type']);
    assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD'], path);
  }
  for (const path of ['/', '/metrics/', '/metricsx', '/health/x', '/__proto__', '/constructor', '//', '/%']) {
    assert.equal((await ask(url + path)).status, 404, path);
  }
});

test('requests of no known form end with an answer or the connection, and the server goes on', async () => {
  const { port } = new URL(url);
  for (const bytes of [
    'GARBAGE\r\n\r\n',
    'GET // HTTP/1.1\r\nhost: x\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n',
    'GET http:// HTTP/1.1\r\nhost: x\r\n\r\n',
    `GET /metrics HTTP/1.1\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`,
  ]) {
    const socket = connect(Number(port), '127.0.0.1');
    let answer = '';
    socket
      .setEncoding('utf8')
      .on('data', (part) => (answer += part))
      .on('error', () => {});
    socket.end(bytes);
    await new Promise((resolve) => socket.once('close', resolve));
    // What is unread when the server closes may reset the connection before the answer is read.
    assert.match(answer, bytes.length > 1000 ? /^(HTTP\/1\.1 431 |$)/ : /^HTTP\/1\.1 4\d\d /, bytes.slice(0, 40));
  }
  assert.equal((await ask(`${url}/health/live`)).status, 200);
});

test('a page that cannot be made is a 500 that says why, and a line', async (t) => {
  const broken = adminOf(
    { OTEL_EXPORTER_PROMETHEUS_PORT: '0' },
    { metrics: { page: async () => Promise.reject(new Error('torn')), snapshot: async () => ({ families: [] }) } },
  );
  t.after(broken.stop);
  const { status, body } = await ask(`${(await broken.admin.ready)!.url}/metrics`);
  assert.deepEqual([status, body], [500, '/metrics could not be made: torn\n']);
  assert.deepEqual(broken.diagnostics.said, ['/metrics could not be made: torn']);
});

test('a reader that stops reading a page of 10 MB blocks nobody, and no page waits in memory', async (t) => {
  let made = 0;
  async function* chunks() {
    for (; made < 10 * 64; made++) yield `# ${'x'.repeat(16_382)}\n`;
  }
  const page = async () => ({ contentType: 'text/plain', chunks: chunks() });
  const big = adminOf({ OTEL_EXPORTER_PROMETHEUS_PORT: '0' }, { metrics: { page, snapshot: async () => ({ families: [] }) } });
  t.after(big.stop);
  const { port, url: at } = (await big.admin.ready)!;
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
  socket.pause();
  // What the kernel's buffers take is made, and then no more.
  let last = -1;
  await until('the page waits for its reader', () => {
    const waits = made > 0 && made === last;
    last = made;
    return waits;
  });
  assert.ok(made < 10 * 64, `${made} of ${10 * 64} pieces`);
  assert.equal((await ask(`${at}/health/live`)).status, 200);
  socket.destroy();
});

test('more connections than allowed are dropped, and the server goes on', async () => {
  const { port } = new URL(url);
  const sockets: Socket[] = Array.from({ length: 80 }, () => connect(Number(port), '127.0.0.1').on('error', () => {}));
  let closed = 0;
  for (const socket of sockets) socket.on('close', () => closed++);
  await until('some are dropped', () => closed >= 30, { everyMs: 10 });
  for (const socket of sockets) socket.destroy();
  await until('it answers again', async () => (await ask(`${url}/health/live`)).status === 200, { everyMs: 10 });
  assert.deepEqual(diagnostics.said, []);
});

function pick({ status, body }: { status: number; body: string }): [number, unknown] {
  return [status, JSON.parse(body)];
}
