import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Span, startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { exchange, headerValues, open, request } from './raw.ts';

const { cert } = createRequire(import.meta.url)('../apps/fixtures/certificate.cjs') as { cert: string };
const FIXTURE = join(import.meta.dirname, 'apps/server.cjs');

let viewer: TestViewer;
before(async () => {
  viewer = await startViewer();
});
after(() => viewer.close());

let count = 0;
const newId = () => `server-${++count}`;

function spanOf(id: string): Promise<Span> {
  return viewer
    .waitForSpans({ kind: 'server', attributes: { 'correlation.id': id } }, { timeout: 15_000 })
    .then(([span]) => span);
}

for (const { major, path: node, skip } of NODES) {
  describe(`a server on Node ${major}`, { skip }, () => {
    let app: App;
    before(async () => {
      app = await spawnApp({ args: [FIXTURE], node, endpoint: viewer.url, env: { O11Y_ACCESS_LOG: 'off' } });
    });
    after(() => app?.kill());

    const raw = (method: string, target: string, headers?: Record<string, string | string[]>, body?: string) =>
      exchange(app.port, request(method, target, headers, body));

    describe('the correlation id is in the answer once, however its headers are set', () => {
      const ways = [
        ...['/plain', '/set-header', '/write-head-object', '/write-head-message', '/write-head-list', '/write-head-both'],
        ...['/flush-headers', '/204', '/304', '/404', '/500', '/trailers', '/early-hints', '/processing'],
      ];
      for (const path of ways) {
        it(path, async () => {
          const id = newId();
          assert.deepEqual(headerValues(await raw('GET', path, { 'x-correlation-id': id }), 'x-correlation-id'), [id]);
        });
      }
      for (const path of ['set-header', 'write-head-object', 'write-head-list', 'write-head-both']) {
        it(`but the app's own stands: ${path}`, async () => {
          const answer = await raw('GET', `/own/${path}`, { 'x-correlation-id': newId() });
          assert.deepEqual(headerValues(answer, 'x-correlation-id'), ['mine']);
        });
      }
    });

    describe('nothing else of an answer changes', () => {
      let bare: App;
      before(async () => {
        bare = await spawnApp({ args: [FIXTURE], node, preload: false });
      });
      after(() => bare?.kill());

      const comparable = (answer: string) => answer.replace(/^(x-correlation-id|date): .*\r\n/gim, '');
      const rows: [method: string, path: string][] = [
        ...['/plain', '/set-header', '/write-head-message', '/write-head-list', '/204', '/304', '/500'].map(
          (path) => ['GET', path] as [string, string],
        ),
        ...['/trailers', '/early-hints', '/processing', '/half', '/destroyed', '/by-hand'].map(
          (path) => ['GET', path] as [string, string],
        ),
        ['HEAD', '/plain'],
        ['OPTIONS', '/plain'],
        ['PURGE', '/plain'],
      ];
      for (const [method, path] of rows) {
        it(`${method} ${path}`, async () => {
          const [own, other] = await Promise.all([
            raw(method, path),
            exchange(bare.port, request(method, path)).catch((error) => String(error)),
          ]);
          assert.equal(comparable(own), comparable(other));
        });
      }

      it('a body with Expect: 100-continue', async () => {
        const text = request('POST', '/echo', { expect: '100-continue', 'content-length': '5' }, 'hello');
        const [own, other] = await Promise.all([exchange(app.port, text), exchange(bare.port, text)]);
        assert.match(own, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
        assert.equal(comparable(own), comparable(other));
      });
    });

    it('a span has the attributes of the semantic conventions', async () => {
      const id = newId();
      const answer = await raw('GET', '/plain?a=1&token=abc', {
        'x-correlation-id': id,
        'user-agent': 'test/1',
        host: 'shop.example:8080',
      });
      assert.match(answer, /^HTTP\/1\.1 200/);
      const { name, kind, status, attributes, parentSpanId, links } = await spanOf(id);
      const { 'network.peer.port': peerPort, ...rest } = attributes;
      assert.deepEqual(
        { name, kind, status: status.code, parentSpanId, links },
        { name: 'GET', kind: 'server', status: 'unset', parentSpanId: '', links: [] },
      );
      assert.equal(typeof peerPort, 'number');
      assert.deepEqual(
        { ...rest },
        {
          'http.request.method': 'GET',
          'http.response.status_code': 200,
          'url.path': '/plain',
          'url.query': 'a=1&token=[redacted]',
          'url.scheme': 'http',
          'server.address': 'shop.example',
          'server.port': 8080,
          'client.address': '127.0.0.1',
          'network.peer.address': '127.0.0.1',
          'network.protocol.version': '1.1',
          'user_agent.original': 'test/1',
          'correlation.id': id,
        },
      );
    });

    const STATUS: [path: string, status: number, code: string, error: string | undefined][] = [
      ['/404', 404, 'unset', undefined],
      ['/500', 500, 'error', '500'],
      ['/304', 304, 'unset', undefined],
      ['/half', 200, 'unset', 'aborted'],
    ];
    for (const [path, status, code, error] of STATUS) {
      it(`${path}: status ${status}, span ${code}`, async () => {
        const id = newId();
        await raw('GET', path, { 'x-correlation-id': id });
        const span = await spanOf(id);
        assert.deepEqual(
          [span.attributes['http.response.status_code'], span.status.code, span.attributes['error.type']],
          [status, code, error],
        );
      });
    }

    for (const path of ['/never', '/late', '/destroyed']) {
      it(`${path}: ends as aborted, without a status, when the connection is gone`, async () => {
        const id = newId();
        const text = request('GET', path, { 'x-correlation-id': id });
        if (path === '/destroyed') await exchange(app.port, text);
        else {
          const held = http.get({ port: app.port, host: '127.0.0.1', path, headers: { 'x-correlation-id': id }, agent: false });
          held.on('error', () => {});
          await new Promise((resolve) => held.once('finish', resolve));
          // The server has it when another request on a later connection was answered.
          await raw('GET', '/plain');
          held.destroy();
        }
        const span = await spanOf(id);
        assert.deepEqual([span.attributes['http.response.status_code'], span.attributes['error.type']], [undefined, 'aborted']);
        assert.equal(span.attributes['client.address'], '127.0.0.1');
      });
    }

    it('a pipelined request whose turn never comes is ended with its connection', async () => {
      const second = newId();
      const pipelined = await open(
        app.port,
        request('GET', '/early-hints', { connection: 'keep-alive' }) +
          request('GET', '/never', { connection: 'keep-alive' }) +
          request('GET', '/plain', { 'x-correlation-id': second, connection: 'keep-alive' }),
        /200 OK[\s\S]*ok/,
      );
      pipelined.destroy();
      const span = await spanOf(second);
      assert.equal(span.attributes['error.type'], 'aborted');
      const active = /http_server_active_requests\{http_request_method="GET"\} (\d+)/.exec(await app.metrics());
      assert.equal(active?.[1], '0', 'no request is left in flight');
    });

    it('an event stream ends its span with its headers, and is counted while it is open', async () => {
      const id = newId();
      const socket = await open(app.port, request('GET', '/sse', { 'x-correlation-id': id }), /data: 1/);
      const span = await spanOf(id);
      assert.equal(span.attributes['http.response.status_code'], 200);
      const before = await app.metrics();
      assert.match(before, /^http_server_open_streams\{http_route="",network_protocol_name="sse"\} 1$/m);
      socket.destroy();
      const page = await until('the stream to be closed', async () => {
        const text = await app.metrics();
        return text.includes('network_protocol_name="sse"} 0') && text;
      });
      const samples = (text: string) => text.match(/^http_server_request_duration_seconds_count.*$/gm);
      assert.deepEqual(samples(page), samples(before), 'the stream is no sample of the latency');
    });

    const UPGRADES: [target: string, method: string, status: number | undefined][] = [
      ['/ws', 'GET', 101],
      ['/ws-later', 'GET', 401],
      ['/ws-refused', 'GET', undefined],
    ];
    for (const [target, method, status] of UPGRADES) {
      it(`an upgrade ends with what the app answers: ${target}`, async () => {
        const id = newId();
        const headers = { 'x-correlation-id': id, connection: 'upgrade', upgrade: 'websocket' };
        await exchange(app.port, request(method, target, headers), /101 Switching[\s\S]*\r\n\r\n/).catch(() => {});
        const span = await spanOf(id);
        assert.equal(span.attributes['http.response.status_code'], status);
        assert.equal(span.attributes['error.type'], status === undefined ? 'aborted' : undefined);
      });
    }

    it('a tunnel (CONNECT)', async () => {
      const id = newId();
      await exchange(app.port, request('CONNECT', 'db.example:5432', { 'x-correlation-id': id }), /Established/);
      const span = await spanOf(id);
      assert.deepEqual([span.name, span.attributes['http.response.status_code']], ['CONNECT', 200]);
    });

    it('a log line of the app carries the ids of its span', async () => {
      const id = newId();
      await raw('GET', '/log', { 'x-correlation-id': id });
      const span = await spanOf(id);
      const [record] = await viewer.waitForLogs({ body: 'hello', attributes: { correlation_id: id } }, { timeout: 15_000 });
      assert.deepEqual([record.traceId, record.spanId, record.flags], [span.traceId, span.spanId, 1]);
    });
  });

  for (const kind of ['subclass', 'https', 'http2']) {
    describe(`a server of the kind ${kind} on Node ${major}`, { skip }, () => {
      it('HTTP/1', async () => {
        await using app = await spawnApp({ args: [FIXTURE], node, endpoint: viewer.url, env: { KIND: kind } });
        const id = newId();
        const module = kind === 'subclass' ? http : https;
        const options = {
          port: app.port,
          host: '127.0.0.1',
          path: '/id',
          headers: { 'x-correlation-id': id },
          ca: cert,
          agent: false,
        };
        const { headers, body } = await new Promise<{ headers: http.IncomingHttpHeaders; body: string }>((resolve, reject) => {
          module
            .get(options, (res) => {
              let body = '';
              res.on('data', (chunk) => (body += chunk)).on('end', () => resolve({ headers: res.headers, body }));
            })
            .once('error', reject);
        });
        assert.deepEqual([headers['x-correlation-id'], body], [id, id]);
        const span = await spanOf(id);
        assert.equal(span.attributes['url.scheme'], kind === 'subclass' ? 'http' : 'https');
        assert.equal(span.attributes['network.protocol.version'], '1.1');
      });

      if (kind !== 'http2') return;
      it('HTTP/2', async () => {
        await using app = await spawnApp({ args: [FIXTURE], node, endpoint: viewer.url, env: { KIND: kind } });
        const id = newId();
        const session = http2.connect(`https://127.0.0.1:${app.port}`, { ca: cert });
        const stream = session.request({ ':path': '/id?sig=s3', 'x-correlation-id': id });
        const [headers] = (await Promise.all([
          new Promise((resolve, reject) => stream.once('response', resolve).once('error', reject)),
          new Promise((resolve) => stream.resume().once('close', resolve)),
        ])) as [http.IncomingHttpHeaders, unknown];
        session.close();
        assert.equal(headers['x-correlation-id'], id);
        const { attributes } = await spanOf(id);
        assert.deepEqual(
          [attributes['url.scheme'], attributes['network.protocol.version'], attributes['url.query'], attributes['server.port']],
          ['https', '2', 'sig=[redacted]', app.port],
        );
      });
    });
  }
}
