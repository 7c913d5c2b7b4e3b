import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import type { App } from '../support/app.ts';
import { exchange, headerValues, request } from './raw.ts';
import { type Headers, PARENT, spanFor as spanAt, startServer, TRACE } from './server-app.ts';

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let viewer: TestViewer;
before(async () => {
  viewer = await startViewer();
});
after(() => viewer.close());

const start = (env?: Record<string, string>) => startServer(viewer, env);
const spanFor = (app: App, headers: Headers, target?: string, method?: string) => spanAt(viewer, app, headers, target, method);

describe('trace context that comes in', () => {
  let app: App;
  before(async () => {
    app = await start();
  });
  after(() => app?.kill());

  it('is continued: trace, parent, state', async () => {
    const span = await spanFor(app, { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=1,other=a' });
    assert.deepEqual([span.traceId, span.parentSpanId, span.traceState], [TRACE, PARENT, 'vendor=1,other=a']);
    assert.equal(span.flags & 0x300, 0x300, 'its parent is known to be remote');
  });

  it('of a later version is continued, with what it has more', async () => {
    const span = await spanFor(app, { traceparent: `cc-${TRACE}-${PARENT}-01-what-the-future-brings` });
    assert.deepEqual([span.traceId, span.parentSpanId], [TRACE, PARENT]);
  });

  const BAD: Record<string, Headers> = {
    'too short': { traceparent: `00-${TRACE.slice(1)}-${PARENT}-01` },
    'too long': { traceparent: `00-${TRACE}-${PARENT}-01-more` },
    'upper case': { traceparent: `00-${TRACE.toUpperCase()}-${PARENT}-01` },
    'a trace id of zeros': { traceparent: `00-${'0'.repeat(32)}-${PARENT}-01` },
    'a span id of zeros': { traceparent: `00-${TRACE}-${'0'.repeat(16)}-01` },
    'version ff': { traceparent: `ff-${TRACE}-${PARENT}-01` },
    'no hex': { traceparent: `00-${'g'.repeat(32)}-${PARENT}-01` },
    'two of them': { traceparent: [`00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01`] },
    empty: { traceparent: '' },
    'a megabyte': { traceparent: '0'.repeat(1_000_000) },
    'state alone': { tracestate: 'vendor=1' },
  };
  for (const [name, headers] of Object.entries(BAD)) {
    it(`a new trace begins where it is bad: ${name}`, async () => {
      const span = await spanFor(app, headers);
      assert.notEqual(span.traceId, TRACE);
      assert.match(span.traceId, /^[0-9a-f]{32}$/);
      assert.equal(span.parentSpanId, '');
    });
  }

  it('a tracestate that is no such thing costs the state alone', async () => {
    const span = await spanFor(app, { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: '\u00ff=;;,,=,a b=<script>' });
    assert.deepEqual([span.traceId, span.traceState], [TRACE, '']);
  });

  it('not sampled by the caller: no span, but the ids go on', async () => {
    const before = viewer.spans().length;
    const answer = await exchange(
      app.port,
      request('GET', '/log', { traceparent: `00-${TRACE}-${PARENT}-00`, 'x-correlation-id': 'quiet-1' }),
    );
    assert.deepEqual(headerValues(answer, 'x-correlation-id'), ['quiet-1']);
    const [record] = await viewer.waitForLogs({ body: 'hello', attributes: { correlation_id: 'quiet-1' } }, { timeout: 15_000 });
    assert.deepEqual([record.traceId, record.flags], [TRACE, 0]);
    await spanFor(app, {});
    assert.equal(viewer.spans().length, before + 1, 'the one that was sampled');
  });
});

describe('the correlation id that comes in', () => {
  let app: App;
  before(async () => {
    app = await start();
  });
  after(() => app?.kill());

  const KEPT: Record<string, [Headers, string]> = {
    'the header': [{ 'x-correlation-id': 'order-7:retry.1_a' }, 'order-7:retry.1_a'],
    '128 characters': [{ 'x-correlation-id': 'a'.repeat(128) }, 'a'.repeat(128)],
    'x-request-id': [{ 'x-request-id': 'req-1' }, 'req-1'],
    'the header before x-request-id': [{ 'x-request-id': 'req-1', 'x-correlation-id': 'cor-1' }, 'cor-1'],
    'x-request-id where the header is bad': [{ 'x-request-id': 'req-2', 'x-correlation-id': '<b>' }, 'req-2'],
    baggage: [{ baggage: 'user=7,correlation.id=bag-1' }, 'bag-1'],
  };
  for (const [name, [headers, id]] of Object.entries(KEPT)) {
    it(`is kept: ${name}`, async () => {
      assert.equal((await spanFor(app, headers)).attributes['correlation.id'], id);
    });
  }

  const REPLACED: Record<string, Headers> = {
    missing: {},
    empty: { 'x-correlation-id': '' },
    '129 characters': { 'x-correlation-id': 'a'.repeat(129) },
    'a megabyte': { 'x-correlation-id': 'a'.repeat(1_000_000) },
    markup: { 'x-correlation-id': '<script>alert(1)</script>' },
    'a space': { 'x-correlation-id': 'a b' },
    'a quote': { 'x-correlation-id': 'a"b' },
    'bytes beyond ASCII': { 'x-correlation-id': '\u00e4\u00f6' },
    'two of them': { 'x-correlation-id': ['one', 'two'] },
    'a header in baggage': { baggage: 'correlation.id=a%0d%0aset-cookie:%20x=1' },
    'an escape sequence': { baggage: 'correlation.id=%1b[31m' },
  };
  for (const [name, headers] of Object.entries(REPLACED)) {
    it(`is replaced: ${name}`, async () => {
      const { attributes } = await spanFor(app, headers);
      assert.match(String(attributes['correlation.id']), UUID7);
    });
  }

  it('a line break in it ends the header, as HTTP says, and goes no further', async () => {
    const answer = await exchange(app.port, request('GET', '/plain', { 'x-correlation-id': 'a\r\nx-evil: 1' }));
    assert.deepEqual(headerValues(answer, 'x-correlation-id'), ['a']);
    assert.deepEqual(headerValues(answer, 'x-evil'), []);
  });

  it('another header by O11Y_CORRELATION_HEADER, with its own spelling in the answer', async () => {
    await using other = await start({ O11Y_CORRELATION_HEADER: 'X-Trace-Key' });
    const answer = await exchange(other.port, request('GET', '/id', { 'x-trace-key': 'key-1' }));
    assert.match(answer, /\r\nX-Trace-Key: key-1\r\n/);
    assert.match(answer, /key-1$/);
    assert.deepEqual(headerValues(answer, 'x-correlation-id'), []);
  });
});

describe('hostile requests', () => {
  let app: App;
  before(async () => {
    app = await start();
  });
  after(() => app?.kill());

  it('a method that nobody knows is one name for all of them', async () => {
    const span = await spanFor(app, {}, '/plain', 'PROPFIND');
    assert.deepEqual(
      [span.name, span.attributes['http.request.method'], span.attributes['http.request.method_original']],
      ['HTTP', '_OTHER', 'PROPFIND'],
    );
    assert.match(await app.metrics(), /http_server_request_duration_seconds_count\{http_request_method="_OTHER",/);
  });

  it('markup in the path stays in the path', async () => {
    const span = await spanFor(app, {}, '/<script>alert(1)</script>?q=<b>');
    assert.deepEqual([span.name, span.attributes['url.path']], ['GET', '/<script>alert(1)</script>']);
    assert.doesNotMatch(await app.metrics(), /<script/);
  });

  const QUERIES: [query: string, expected: string][] = [
    ['a=1&b=2', 'a=1&b=2'],
    ['token=abc', 'token=[redacted]'],
    ['a=1&access_token=abc,def;ghi&b=2', 'a=1&access_token=[redacted]&b=2'],
    ['%74oken=abc', '%74oken=[redacted]'],
    ['user%5Bpassword%5D=x&user[password]=y', 'user%5Bpassword%5D=[redacted]&user[password]=[redacted]'],
    ['sig=abc&X-Amz-Signature=def&AWSAccessKeyId=ghi', 'sig=[redacted]&X-Amz-Signature=[redacted]&AWSAccessKeyId=[redacted]'],
    ['next=/login?token=abc', 'next=/login?token=[redacted]'],
    ['next=https%3A%2F%2Fx.example%2F%3Ftoken%3Dabc', 'next=[redacted]'],
    ['a=1;password=x', 'a=1;password=[redacted]'],
    ['q=eyJhbGciOi.eyJzdWIiOj.c2lnbmF0', 'q=[redacted]'],
    ['q=%zz&token=%zz', 'q=%zz&token=[redacted]'],
    ['token=&q', 'token=&q'],
    ['max_tokens=5', 'max_tokens=5'],
  ];
  for (const [query, expected] of QUERIES) {
    it(`secrets in a query are not recorded: ${query}`, async () => {
      assert.equal((await spanFor(app, {}, `/plain?${query}`)).attributes['url.query'], expected);
    });
  }

  it('a token in the path is not recorded', async () => {
    const span = await spanFor(app, {}, '/reset/eyJhbGciOi.eyJzdWIiOj.c2lnbmF0');
    assert.equal(span.attributes['url.path'], '/reset/[redacted]');
  });

  it('a whole URL as target, as proxies get it', async () => {
    const span = await spanFor(app, {}, 'http://ann:secret@other.example/x?y=1');
    assert.equal(span.attributes['url.path'], 'http://[redacted]@other.example/x');
  });

  it('a Host header and addresses that are none', async () => {
    const span = await spanFor(app, {
      host: '<b>:99999',
      'x-forwarded-for': '<script>, 10.0.0.1',
      'user-agent': 'x'.repeat(9000),
    });
    assert.equal(span.attributes['client.address'], '127.0.0.1');
    assert.equal(String(span.attributes['user_agent.original']).length, 4096);
  });

  it('the address that a proxy forwards is the client, the connection is the peer', async () => {
    const { attributes } = await spanFor(app, { 'x-forwarded-for': '203.0.113.7, 10.0.0.1' });
    assert.deepEqual([attributes['client.address'], attributes['network.peer.address']], ['203.0.113.7', '127.0.0.1']);
  });

  it('ten thousand entries of baggage', async () => {
    await spanFor(app, { baggage: Array.from({ length: 10_000 }, (_, i) => `k${i}=v`).join(',') });
  });

  it('baggage called __proto__', async () => {
    await spanFor(app, { baggage: '__proto__=1,constructor=2,correlation.id=proto-1' });
  });

  it('the app is well, and nothing was said about requests that could not be observed', () => {
    assert.equal(app.child.exitCode, null);
    assert.doesNotMatch(app.stderr(), /could not be observed|rror/);
  });
});
