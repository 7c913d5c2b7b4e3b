import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';
import { until } from '../support/until.ts';

const FIXTURE = join(import.meta.dirname, 'apps/http2.cjs');

let viewer: TestViewer;
before(async () => {
  viewer = await startViewer();
});
after(() => viewer.close());

interface Answer {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  readonly rawIds: string[];
  readonly body: string;
  readonly code: number;
}

interface Row {
  readonly path: string;
  readonly status?: number;
  /** `error.type` of the span. */
  readonly error?: string;
  /** The id in the answer, where it is not that of the request. */
  readonly own?: string;
  readonly since?: number;
}

const ROWS: readonly Row[] = [
  { path: '/respond', status: 200 },
  { path: '/nothing', status: 200 },
  { path: '/own', status: 200, own: 'mine' },
  { path: '/list', status: 200, since: 24 },
  { path: '/sensitive', status: 200 },
  { path: '/file', status: 200 },
  { path: '/fd', status: 200 },
  { path: '/push', status: 200 },
  { path: '/informed', status: 200 },
  { path: '/trailers', status: 200 },
  { path: '/500', status: 500, error: '500' },
  { path: '/reset', error: 'aborted' },
  { path: '/half', status: 200, error: 'aborted' },
];

let count = 0;

for (const { major, path: node, skip } of NODES) {
  describe(`an HTTP/2 server on Node ${major}`, { skip }, () => {
    let app: App;
    let session: http2.ClientHttp2Session;
    before(async () => {
      app = await spawnApp({ args: [FIXTURE], node, endpoint: viewer.url, env: { O11Y_ACCESS_LOG: 'off' } });
      session = http2.connect(`http://127.0.0.1:${app.port}`);
    });
    after(() => {
      session?.destroy();
      return app?.kill();
    });

    function send(path: string, id: string): Promise<Answer> {
      return new Promise((resolve) => {
        const stream = session.request({ ':path': path, 'x-correlation-id': id });
        let headers: Answer['headers'] = {};
        let rawIds: string[] = [];
        let body = '';
        stream.on('response', (got, _flags, raw: string[] = []) => {
          headers = got;
          rawIds = raw.filter((_, i) => i % 2 === 1 && raw[i - 1] === 'x-correlation-id');
        });
        stream.on('data', (chunk) => (body += chunk));
        stream.on('error', () => {});
        stream.on('close', () => resolve({ headers, rawIds, body, code: stream.rstCode }));
      });
    }

    const newId = () => `h2-${major}-${++count}`;
    const spanOf = async (id: string) =>
      (await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': id } }, { timeout: 15_000 }))[0];

    for (const { path, status, error, own, since } of ROWS) {
      // Headers as a list came to Node after that: there is no such row before.
      if (since !== undefined && major < since) continue;
      it(path, async () => {
        const id = newId();
        const answer = await send(path, id);
        assert.equal(answer.headers[':status'], status);
        if (status !== undefined) assert.equal(answer.headers['x-correlation-id'], own ?? id);
        if (answer.rawIds.length > 0) assert.equal(answer.rawIds.length, 1, 'once');
        if (path === '/respond' || path === '/push') assert.equal(answer.body, id, 'the handler runs in the context');
        if (path === '/sensitive') assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
        if (path === '/file' || path === '/fd') assert.match(answer.body, /every way that a stream can be answered/);
        const span = await spanOf(id);
        assert.deepEqual(
          [span.attributes['http.response.status_code'], span.attributes['error.type'], span.attributes['url.path']],
          [status, error, path],
        );
        assert.equal(viewer.spans({ attributes: { 'url.path': '/pushed.css' } }).length, 0, 'nobody asked for what is pushed');
      });
    }

    it('a stream that is never answered ends with its session', async () => {
      const id = newId();
      const other = http2.connect(`http://127.0.0.1:${app.port}`);
      other.on('error', () => {});
      other.request({ ':path': '/never', 'x-correlation-id': id }).on('error', () => {});
      // Streams of one session come in order, so the first has begun when the second is answered.
      await new Promise((resolve) => other.request({ ':path': '/nothing' }).resume().on('close', resolve));
      other.destroy();
      const span = await spanOf(id);
      assert.deepEqual([span.attributes['error.type'], span.attributes['client.address']], ['aborted', '127.0.0.1']);
    });

    it('an event stream ends its span with its headers, and is counted while it is open', async () => {
      const id = newId();
      const stream = session.request({ ':path': '/sse', 'x-correlation-id': id });
      await new Promise((resolve) => stream.once('data', resolve));
      assert.equal((await spanOf(id)).attributes['http.response.status_code'], 200);
      const open = async () => /^http_server_open_streams\{.*"sse"\} (\d)/m.exec(await app.metrics())?.[1];
      assert.equal(await open(), '1');
      stream.close();
      await until('the stream to be closed', async () => (await open()) === '0');
    });

    it('no request is left in flight', async () => {
      await until('all to be ended', async () => {
        const active = /^http_server_active_requests\{http_request_method="GET"\} (\d+)/m.exec(await app.metrics());
        return active?.[1] === '0';
      });
    });
  });
}
