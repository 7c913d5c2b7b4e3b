import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer as createTls } from 'node:https';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer as createSocket, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { backendOf } from '../../cli/doctor/backend.ts';
import { loadConfig } from '../../instrumentation/config.ts';
import { startViewerServer } from '../../viewer/viewer.ts';
import { freePort } from '../support/free-port.ts';

const { key, cert } = createRequire(import.meta.url)('../apps/fixtures/certificate.cjs');
const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function listen(server: NetServer): Promise<number> {
  after(() => {
    server.close();
    (server as Server).closeAllConnections?.();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const serve = async (handler: RequestListener) => `http://localhost:${await listen(createServer(handler))}`;
const ask = (endpoint: string, env: Record<string, string> = {}) =>
  backendOf(loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...env }).config);

test('the viewer is known by its name', async () => {
  const viewer = await startViewerServer({ port: 0, version: '9.9.9' });
  after(() => viewer.close());
  const found = await ask(viewer.url);
  assert.equal(found.length, 1);
  assert.equal(found[0].level, 'ok');
  assert.equal(found[0].text, 'traces, logs: the viewer 9.9.9 takes them');
  const [protobuf] = await ask(viewer.url, {
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
  });
  assert.equal(protobuf.level, 'ok');
});

test('a receiver gets the encoding, headers and compression of the settings, for each signal that is pushed', async () => {
  const seen: string[] = [];
  const url = await serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { authorization, 'content-type': type } = request.headers;
    seen.push(`${request.method} ${request.url} ${type} ${authorization} ${gunzipSync(Buffer.concat(chunks))}`);
    response.writeHead(200, { 'content-type': 'application/json', server: 'some-collector' }).end('{"partialSuccess":{}}');
  });
  const [found, ...others] = await ask(url, {
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_METRICS_EXPORTER: 'otlp',
  });
  assert.deepEqual(others, []);
  assert.equal(found.text, 'traces, logs, metrics: an OTLP receiver takes them (it says "some-collector")');
  assert.deepEqual(seen.sort(), [
    'POST /v1/logs application/json Bearer abc {"resourceLogs":[]}',
    'POST /v1/metrics application/json Bearer abc {"resourceMetrics":[]}',
    'POST /v1/traces application/json Bearer abc {"resourceSpans":[]}',
  ]);
});

for (const [status, says] of [
  [301, /redirect/],
  [401, /not authorised.*OTEL_EXPORTER_OTLP_HEADERS/s],
  [403, /not authorised/],
  [404, /no OTLP receiver at this path/],
  [415, /OTEL_EXPORTER_OTLP_PROTOCOL=http\/protobuf/],
  [503, /overloaded, or not up/],
  [400, /answers 400/],
  [200, /not as an OTLP receiver does/],
] as const) {
  test(`an answer ${status} that is no receiver's is a problem`, async () => {
    const [found] = await ask(await serve((_, response) => response.writeHead(status).end('<html>hello</html>')));
    assert.equal(found.level, 'problem');
    assert.match(`${found.text}\n${found.todo}`, says);
  });
}

test('nobody listens', async () => {
  const [found] = await ask(`http://localhost:${await freePort()}`);
  assert.match(found.text, /nobody listens there/);
  assert.match(found.todo ?? '', /o11y-kit view/);
});

test('a name that is not known', async () => {
  const [found] = await ask('http://collector.invalid:4318');
  assert.equal(found.level, 'problem');
  assert.match(found.text, /the name collector\.invalid is not known/);
});

test('a server that never answers', async () => {
  const [found] = await ask(await serve(() => {}), { OTEL_EXPORTER_OTLP_TIMEOUT: '100' });
  assert.match(found.text, /no answer within 100 ms/);
});

test('an answer that never ends is cut off', async () => {
  const url = await serve((_, response) => void response.writeHead(200).write('x'.repeat(100_000)));
  const [found] = await ask(url, { OTEL_EXPORTER_OTLP_TIMEOUT: '5000' });
  assert.match(found.text, /not as an OTLP receiver does/);
});

test('a gRPC port, and a port that hangs up', async () => {
  const [grpc] = await ask(`http://127.0.0.1:${await listen(createHttp2())}`);
  assert.equal(grpc.level, 'problem');
  assert.match(grpc.todo ?? '', /4318/);
  const [closed] = await ask(`http://127.0.0.1:${await listen(createSocket((socket) => socket.destroy()))}`);
  assert.match(closed.text, /closed without an answer/);
});

test('TLS: a certificate that nobody vouches for, one that is trusted, a missing file, and no TLS at all', async () => {
  const url = `https://localhost:${await listen(createTls({ key, cert }, (_, response) => response.end('{}')))}`;
  const [distrusted] = await ask(url);
  assert.match(distrusted.text, /TLS failed: .*DEPTH_ZERO_SELF_SIGNED_CERT/);
  assert.match(distrusted.todo ?? '', /OTEL_EXPORTER_OTLP_CERTIFICATE/);

  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, cert);
  const [trusted] = await ask(url, { OTEL_EXPORTER_OTLP_CERTIFICATE: ca });
  assert.equal(trusted.level, 'ok', trusted.text);

  const [missing] = await ask(url, { OTEL_EXPORTER_OTLP_CERTIFICATE: join(folder, 'none.pem') });
  assert.match(missing.text, /OTEL_EXPORTER_OTLP_CERTIFICATE: ENOENT/);

  const plain = await serve((_, response) => response.end('{}'));
  const [wrong] = await ask(plain.replace('http:', 'https:'));
  assert.match(wrong.text, /does not speak TLS/);
  assert.match(wrong.todo ?? '', /http:\/\//);
});

test('signals that go elsewhere are said, and nothing is asked for them', async () => {
  const found = await ask('http://collector.invalid', { OTEL_TRACES_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'console' });
  assert.deepEqual(
    found.map(({ level, subject, text }) => `${level} ${subject} ${text}`),
    ['note traces are not made: their exporter is "none"', 'note logs go to stdout'],
  );
});
