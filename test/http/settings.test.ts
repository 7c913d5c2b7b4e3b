import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { exchange, headerValues, request } from './raw.ts';
import { FIXTURE, type Headers, PARENT, spanFor as spanAt, startServer, TRACE } from './server-app.ts';

let viewer: TestViewer;
before(async () => {
  viewer = await startViewer();
});
after(() => viewer.close());

const start = (env?: Record<string, string>) => startServer(viewer, env);
const spanFor = (app: App, headers: Headers, target?: string, method?: string) => spanAt(viewer, app, headers, target, method);

describe('settings', () => {
  async function run<T>(env: Record<string, string>, use: (app: App) => Promise<T>): Promise<T> {
    await using app = await start(env);
    return await use(app);
  }

  it('O11Y_TRUST_INBOUND=off: a new trace with a link; the correlation id is kept, baggage is not', async () => {
    await run({ O11Y_TRUST_INBOUND: 'off' }, async (app) => {
      const span = await spanFor(app, { traceparent: `00-${TRACE}-${PARENT}-00`, baggage: 'correlation.id=kept-1,tenant=evil' });
      assert.notEqual(span.traceId, TRACE);
      assert.deepEqual([span.parentSpanId, span.links.map(({ traceId, spanId }) => [traceId, spanId])], ['', [[TRACE, PARENT]]]);
      assert.equal(span.attributes['correlation.id'], 'kept-1');
    });
  });

  const FORMATS: [propagators: string, headers: Headers][] = [
    ['b3', { b3: `${TRACE}-${PARENT}-1` }],
    ['b3', { 'x-b3-traceid': TRACE, 'x-b3-spanid': PARENT, 'x-b3-sampled': '1' }],
    ['b3multi', { 'x-b3-traceid': TRACE, 'x-b3-spanid': PARENT, 'x-b3-sampled': '1' }],
    ['b3multi', { b3: `${TRACE}-${PARENT}-d` }],
    ['jaeger', { 'uber-trace-id': `${TRACE}:${PARENT}:0:1` }],
    ['jaeger,tracecontext', { traceparent: `00-${TRACE}-${PARENT}-01` }],
  ];
  for (const [propagators, headers] of FORMATS) {
    it(`OTEL_PROPAGATORS=${propagators} reads ${Object.keys(headers).join(', ')}`, async () => {
      await run({ OTEL_PROPAGATORS: propagators }, async (app) => {
        const span = await spanFor(app, headers);
        assert.deepEqual([span.traceId, span.parentSpanId], [TRACE, PARENT]);
      });
    });
  }

  it('OTEL_PROPAGATORS=none reads nothing, but the correlation header', async () => {
    await run({ OTEL_PROPAGATORS: 'none' }, async (app) => {
      const span = await spanFor(app, {
        traceparent: `00-${TRACE}-${PARENT}-01`,
        baggage: 'correlation.id=no',
        'x-correlation-id': 'still-1',
      });
      assert.notEqual(span.traceId, TRACE);
      assert.equal(span.attributes['correlation.id'], 'still-1');
    });
  });

  const DROPPING: Record<string, [env: Record<string, string>, headers: Headers]> = {
    always_off: [{ OTEL_TRACES_SAMPLER: 'always_off' }, { traceparent: `00-${TRACE}-${PARENT}-01` }],
    'traceidratio 0': [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, {}],
    'parentbased_always_off at the root': [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, {}],
  };
  for (const [name, [env, headers]] of Object.entries(DROPPING)) {
    it(`sampling drops the span alone: ${name}`, async () => {
      await run(env, async (app) => {
        const id = `dropped-${name.replaceAll(' ', '-')}`;
        const answer = await exchange(app.port, request('GET', '/log', { ...headers, 'x-correlation-id': id }));
        assert.deepEqual(headerValues(answer, 'x-correlation-id'), [id]);
        const [record] = await viewer.waitForLogs({ body: 'hello', attributes: { correlation_id: id } }, { timeout: 15_000 });
        assert.match(record.traceId, headers.traceparent ? new RegExp(TRACE) : /^[0-9a-f]{32}$/);
        assert.equal(record.flags, 0);
        const page = await app.metrics('application/openmetrics-text');
        assert.match(page, /http_server_request_duration_seconds_count\{http_request_method="GET",[^}]*\} 1/);
        assert.doesNotMatch(page, /# \{.*trace_id/, 'no exemplar of what nobody can look up');
        assert.match(page, /^o11y_exported_total\{signal="traces"\} 0/m);
      });
      assert.deepEqual(viewer.spans({ attributes: { 'correlation.id': `dropped-${name.replaceAll(' ', '-')}` } }), []);
    });
  }

  it('parentbased_always_off follows a caller that samples', async () => {
    await run({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, async (app) => {
      assert.equal((await spanFor(app, { traceparent: `00-${TRACE}-${PARENT}-01` })).traceId, TRACE);
    });
  });

  it('OTEL_TRACES_EXPORTER=none: no span, ids and samples as ever, and the flags of the caller are handed on', async () => {
    await run({ OTEL_TRACES_EXPORTER: 'none' }, async (app) => {
      await exchange(app.port, request('GET', '/log', { traceparent: `00-${TRACE}-${PARENT}-ff`, 'x-correlation-id': 'none-1' }));
      const [record] = await viewer.waitForLogs({ body: 'hello', attributes: { correlation_id: 'none-1' } }, { timeout: 15_000 });
      assert.deepEqual([record.traceId, record.flags], [TRACE, 1]);
      assert.match(await app.metrics(), /http_server_request_duration_seconds_count\{http_request_method="GET",[^}]*\} 1/);
    });
    assert.deepEqual(viewer.spans({ attributes: { 'correlation.id': 'none-1' } }), []);
  });

  it('OTEL_TRACES_EXPORTER=console writes spans to stdout, without secrets, and sends none', async () => {
    await run({ OTEL_TRACES_EXPORTER: 'console' }, async (app) => {
      await exchange(app.port, request('GET', '/plain?token=not-to-be-told', { 'x-correlation-id': 'console-1' }));
      const line = app.json().find(({ span }) => span !== undefined);
      assert.ok(line, app.stdout());
      assert.deepEqual([line.scope.name, line.span.name, line.span.kind], ['o11y-kit', 'GET', 2]);
      assert.doesNotMatch(app.stdout(), /not-to-be-told/);
    });
    assert.deepEqual(viewer.spans({ attributes: { 'correlation.id': 'console-1' } }), []);
  });

  it('limits of attributes', async () => {
    const env = { OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '10', OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '8' };
    await run(env, async (app) => {
      await exchange(app.port, request('GET', '/plain?a=0123456789', { 'x-correlation-id': 'limit-1' }));
      const [span] = await viewer.waitForSpans(
        { kind: 'server', attributes: { 'url.query': 'a=01234567' } },
        { timeout: 15_000 },
      );
      assert.equal(Object.keys(span.attributes).length, 8);
      assert.ok(span.dropped.attributes > 0);
    });
  });

  it('OTEL_SDK_DISABLED=true: nothing happens', async () => {
    await using app = await spawnApp({ args: [FIXTURE], endpoint: viewer.url, env: { OTEL_SDK_DISABLED: 'true' } });
    const requests = viewer.requests;
    assert.deepEqual(headerValues(await exchange(app.port, request('GET', '/plain')), 'x-correlation-id'), []);
    assert.equal(app.stderr(), '');
    assert.equal(viewer.requests, requests);
  });
});
