import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Span, startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';
import { exchange, request } from './raw.ts';
import { startTarget, type Target } from './target.ts';

const FIXTURE = join(import.meta.dirname, 'apps/client.cjs');

let viewer: TestViewer;
let target: Target;
before(async () => {
  viewer = await startViewer();
  target = await startTarget();
});
after(async () => {
  target.close();
  await viewer.close();
});

interface Row {
  /** Status code that the app saw, and its span with it. */
  readonly status?: number;
  /** Error that the app saw. */
  readonly error?: string;
  /** `error.type` of the span, where it is not the error that the app saw or the status from 400 on. */
  readonly type?: string;
  /** Client spans under the server span; 1 if absent. */
  readonly spans?: number;
  readonly body?: string;
  /** Nothing arrives at the target. */
  readonly unsent?: boolean;
  /** The app gives up, perhaps before its request has arrived. */
  readonly cut?: boolean;
  /** First Node.js version on which this works. */
  readonly since?: number;
}

const ROWS: Readonly<Record<string, Row>> = {
  get: { status: 200, body: 'ok' },
  url: { status: 200 },
  text: { status: 200 },
  post: { status: 200, body: 'hello' },
  'headers as a list': { status: 200 },
  'headers as pairs': { status: 200 },
  'setHeader afterwards': { status: 200 },
  'flushed headers': { status: 200 },
  head: { status: 200, body: '' },
  https: { status: 200 },
  'kept alive': { status: 200, spans: 2 },
  404: { status: 404 },
  500: { status: 500 },
  204: { status: 204 },
  redirect: { status: 302 },
  refused: { error: 'ECONNREFUSED', unsent: true },
  'no such host': { error: 'ENOTFOUND', unsent: true },
  reset: { error: 'ECONNRESET' },
  half: { status: 200, error: 'ECONNRESET' },
  aborted: { error: 'ABORT_ERR', cut: true },
  destroyed: { error: 'closed', type: 'ECONNRESET', cut: true },
  timeout: { error: 'ETIMEDOUT', cut: true },
  upgrade: { status: 101 },
  tunnel: { status: 200 },
  two: { status: 200, spans: 2 },
  fetch: { status: 200, body: 'ok' },
  'fetch post': { status: 200, body: 'hello' },
  'fetch 500': { status: 500 },
  'fetch refused': { error: 'ECONNREFUSED', unsent: true },
  'fetch reset': { error: 'ECONNRESET', type: '' },
  'fetch aborted': { error: 'TimeoutError', type: '', cut: true },
  'fetch half': { error: 'UND_ERR_SOCKET', type: '' },
  'fetch redirect': { status: 200, spans: 2 },
  'fetch never read': { status: 200 },
  'undici 6': { status: 200, body: 'ok' },
  'undici 7': { status: 200, body: 'ok', since: 22 },
  'undici pool': { status: 200, spans: 3, since: 22 },
};

let count = 0;

for (const { major, path: node, skip } of NODES) {
  describe(`a client on Node ${major}`, { skip }, () => {
    let app: App;
    before(async () => {
      app = await spawnApp({ args: [FIXTURE], node, endpoint: viewer.url, env: { O11Y_ACCESS_LOG: 'off' } });
    });
    after(() => app?.kill());

    /** Runs one case and returns what the app saw, what arrived, and the spans. */
    async function run(name: string, spans = 1) {
      const id = `client-${major}-${++count}`;
      target.take();
      const headers = { 'x-correlation-id': id, 'x-to': JSON.stringify(target.to), baggage: 'user=7' };
      const answer = await exchange(app.port, request('GET', `/${encodeURIComponent(name)}`, headers));
      assert.match(answer, /^HTTP\/1\.1 200/, answer);
      const result = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, ''));
      const [server] = await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': id } }, { timeout: 15_000 });
      const own = (span: Span) => span.kind === 'client' && span.traceId === server.traceId;
      const clients = spans === 0 ? [] : await viewer.waitForSpans(own, { count: spans, timeout: 15_000 });
      return { id, result, server, clients, own, arrived: target.take() };
    }

    for (const [name, row] of Object.entries(ROWS)) {
      // A library that asks for a later Node is no row of an earlier one.
      if (row.since !== undefined && major < row.since) continue;
      it(name, async () => {
        const { id, result, server, clients, arrived } = await run(name, row.spans);
        assert.equal(result.status, row.status, JSON.stringify(result));
        assert.equal(result.error, row.error);
        if (row.body !== undefined) assert.equal(result.body, row.body);
        assert.deepEqual(result.ids, [id], 'every callback runs in the context of the request');
        assert.equal(clients.length, row.spans ?? 1);
        for (const span of clients) {
          assert.equal(span.parentSpanId, server.spanId);
          assert.equal(span.attributes['correlation.id'], id);
          assert.ok(span.durationMs >= 0 && span.startNs >= server.startNs, 'it begins after its parent');
        }
        const span = clients.at(-1) as Span;
        const failure = row.type ?? row.error ?? ((row.status ?? 0) >= 400 ? String(row.status) : undefined);
        if (row.type === '') assert.match(String(span.attributes['error.type']), /\w/);
        else assert.equal(span.attributes['error.type'], failure);
        assert.equal(span.status.code, failure === undefined ? 'unset' : 'error');
        if (row.error === undefined || row.status !== undefined)
          assert.equal(span.attributes['http.response.status_code'], row.status);
        if (!row.cut) assert.equal(arrived.length, row.unsent ? 0 : clients.length);
        for (const [i, message] of arrived.entries()) {
          const { headers, rawHeaders } = message;
          const parents = clients.map((each) => `00-${each.traceId}-${each.spanId}-01`);
          assert.ok(parents.includes(String(headers.traceparent)), `${headers.traceparent} is a client span's, of request ${i}`);
          assert.equal(headers['x-correlation-id'], id);
          assert.match(String(headers.baggage), new RegExp(`correlation\\.id=${id}`));
          for (const header of ['traceparent', 'x-correlation-id', 'baggage']) {
            assert.equal(
              rawHeaders.filter((each, at) => at % 2 === 0 && each.toLowerCase() === header).length,
              1,
              `${header} once`,
            );
          }
        }
      });
    }

    it('a span has the attributes of the semantic conventions', async () => {
      const { id, clients } = await run('get');
      const [{ name, kind, attributes }] = clients;
      assert.deepEqual([name, kind], ['GET', 'client']);
      assert.deepEqual(
        { ...attributes },
        {
          'http.request.method': 'GET',
          'http.response.status_code': 200,
          'server.address': '127.0.0.1',
          'server.port': target.to.port,
          'url.full': `${target.to.url}/ok?token=[redacted]&a=1`,
          'correlation.id': id,
        },
      );
    });

    it('user and password of a URL are recorded nowhere', async () => {
      const { clients, arrived } = await run('text');
      assert.match(String(arrived[0].headers.authorization), /^Basic /);
      assert.doesNotMatch(JSON.stringify(clients[0].attributes), /secret/);
    });

    it('https', async () => {
      const { clients } = await run('https');
      assert.equal(clients[0].attributes['url.full'], `https://localhost:${target.to.securePort}/ok`);
    });

    it('a response that nobody reads ends its span with the connection', async () => {
      const { result, clients } = await run('never read');
      assert.equal(result.status, 200);
      assert.equal(clients[0].attributes['http.response.status_code'], 200);
    });

    it('headers that the app sets itself stay as they are', async () => {
      const { arrived } = await run('own headers');
      const { traceparent, baggage, 'x-correlation-id': correlationId } = arrived[0].headers;
      assert.deepEqual([traceparent, correlationId, baggage], ['mine', 'mine', 'mine=1']);
      assert.equal((await run('own headers later')).arrived[0].headers.traceparent, 'mine');
      assert.equal((await run('fetch own headers')).arrived[0].headers.traceparent, 'mine');
    });

    for (const name of ['suppressed', 'fetch suppressed']) {
      it(`where tracing is suppressed nothing is recorded or sent along: ${name}`, async () => {
        const { result, own, arrived } = await run(name, 0);
        assert.equal(result.status, 200);
        assert.deepEqual(
          [arrived[0].headers.traceparent, arrived[0].headers.baggage, arrived[0].headers['x-correlation-id']],
          [undefined, undefined, undefined],
        );
        assert.deepEqual(viewer.spans(own), []);
      });
    }

    it('a stranger gets the trace context, and neither baggage nor the correlation id', async () => {
      const { clients, arrived } = await run('public');
      const { headers } = arrived[0];
      assert.deepEqual([headers.baggage, headers['x-correlation-id']], [undefined, undefined]);
      assert.match(String(headers.traceparent), new RegExp(clients[0].spanId));
      assert.equal(clients[0].attributes['server.address'], 'api.example.com');
    });

    it('a request through a proxy is one to its target', async () => {
      const { clients, arrived } = await run('through a proxy');
      assert.deepEqual([arrived[0].headers.baggage, arrived[0].headers['x-correlation-id']], [undefined, undefined]);
      assert.equal(clients[0].attributes['url.full'], 'http://api.example.com/v1?token=[redacted]');
    });

    it('baggage cannot break out of its header', async () => {
      const { arrived } = await run('baggage');
      assert.deepEqual([arrived[0].headers['x-evil'], arrived[0].headers.baggage], [undefined, undefined]);
      assert.equal((await run('a lone surrogate in baggage', 0)).result.status, 200);
    });

    // Node 20 does not tell where that was: see docs/node-20.md.
    if (major >= 22) {
      it('a request belongs to where it was made', async () => {
        const { server, clients } = await run('elsewhere made');
        assert.equal(clients[0].parentSpanId, server.spanId);
      });
    }

    it('baggage that came in goes on, with the correlation id', async () => {
      const { id, arrived } = await run('get');
      assert.equal(arrived[0].headers.baggage, `user=7,correlation.id=${id}`);
    });

    it('the histogram has one sample for each request', async () => {
      const page = await app.metrics();
      const samples = page
        .split('\n')
        .filter((line) => line.startsWith('http_client_request_duration_seconds_count'))
        .map((line) => line.replace(/server_port="\d+"/, 'server_port="…"'));
      assert.ok(
        samples.some((line) => /server_address="127\.0\.0\.1",.*status_code="200",error_type=""/.test(line)),
        samples.join('\n'),
      );
      assert.doesNotMatch(samples.join(), /ok|token/);
    });
  });
}
