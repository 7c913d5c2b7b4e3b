import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { sdkSpan } from './sdk-span.ts';

const TRACE = 'a'.repeat(32);

let viewer: TestViewer;
beforeEach(async () => {
  viewer = await startViewer();
});
afterEach(() => viewer.close());

function send(...spans: ReadableSpan[]): Promise<Response> {
  return post('/v1/traces', Buffer.from(JsonTraceSerializer.serializeRequest(spans)!));
}

function post(path: string, body: Uint8Array | string): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(viewer.url + path, { method: 'POST', headers, body });
}

function sendLog(body: unknown, attributes: object[] = [], severityNumber = 9): Promise<Response> {
  const record = { timeUnixNano: '1', severityNumber, severityText: 'x', body, attributes };
  return post('/v1/logs', JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }));
}

describe('waiting', () => {
  it('resolves with what is there already', async () => {
    await send(sdkSpan({ name: 'here' }));
    const [span] = await viewer.waitForSpans({ name: 'here' });
    assert.equal(span.service, 'shop');
  });

  it('resolves once enough spans have come', async () => {
    const waiting = viewer.waitForSpans({ name: /^GET/ }, { count: 2 });
    await send(sdkSpan({ name: 'GET /a' }), sdkSpan({ name: 'POST /a' }));
    await send(sdkSpan({ name: 'GET /b' }));
    assert.deepEqual(
      (await waiting).map((span) => span.name),
      ['GET /a', 'GET /b'],
    );
  });

  it('for a trace goes on until no span lacks its parent', async () => {
    const waiting = viewer.waitForTrace(TRACE);
    await send(sdkSpan({ traceId: TRACE, name: 'child', spanId: 'c'.repeat(16), parentSpanId: 'b'.repeat(16) }));
    await send(sdkSpan({ traceId: TRACE, name: 'root', spanId: 'b'.repeat(16) }));
    const trace = await waiting;
    assert.equal(trace.root?.name, 'root');
    assert.deepEqual(
      trace.children(trace.root!).map((span) => span.name),
      ['child'],
    );
  });

  it('for a trace by predicate finds the one that fits', async () => {
    await send(sdkSpan({ name: 'other' }), sdkSpan({ name: 'wanted', traceId: TRACE }));
    const trace = await viewer.waitForTrace(({ root }) => root?.name === 'wanted');
    assert.equal(trace.traceId, TRACE);
  });

  it('rejects with what did arrive, and points at the line that waited', async () => {
    await send(sdkSpan({ name: 'something else' }));
    await assert.rejects(viewer.waitForSpans({ name: 'wanted' }, { timeout: 20 }), (error: Error) => {
      assert.match(error.message, /20 ms in vain for: 1 span\(s\) like {"name":"wanted"}/);
      assert.match(error.message, /1 span\(s\) and 0 log record\(s\) came in 1 request/);
      assert.match(error.message, /something else {2}shop internal 5ms/);
      assert.match(error.stack ?? '', /testing\.test\.ts/);
      return true;
    });
  });

  it('rejects when the viewer is closed', async () => {
    const waiting = assert.rejects(viewer.waitForLogs(1), /closed while waiting/);
    await viewer.close();
    await waiting;
  });
});

describe('filters', () => {
  it('compare attributes of every type, and absence', async () => {
    await send(sdkSpan({ name: 'a', attributes: { n: 200, list: [1, 'x'], text: 'hello' } }), sdkSpan({ name: 'b' }));
    const names = (filter: Parameters<TestViewer['spans']>[0]) => viewer.spans(filter).map((span) => span.name);
    assert.deepEqual(names({ attributes: { n: 200, list: [1, 'x'], text: /ell/ } }), ['a']);
    assert.deepEqual(names({ attributes: { n: 201 } }), []);
    assert.deepEqual(names({ attributes: { n: undefined } }), ['b']);
    assert.deepEqual(
      names((span) => span.name === 'b'),
      ['b'],
    );
    assert.deepEqual(names({ service: 'shop', kind: 'internal', status: 'unset', scope: 'test' }), ['a', 'b']);
  });

  it('find log records by text, severity and attributes', async () => {
    await sendLog({ stringValue: 'card declined' }, [{ key: 'order', value: { intValue: '7' } }], 17);
    await sendLog({ kvlistValue: { values: [{ key: 'deep', value: { boolValue: true } }] } });
    assert.equal(viewer.logs({ body: /declined/, attributes: { order: 7 } }).length, 1);
    assert.equal(viewer.logs({ minSeverity: 17 }).length, 1);
    assert.equal(viewer.logs({ body: '{"deep":true}' }).length, 1);
  });
});

describe('injected answers', () => {
  it('a status is sent with its headers, and nothing is stored', async () => {
    viewer.respond({ status: 503, headers: { 'retry-after': '2' }, body: 'busy' });
    const answer = await send(sdkSpan());
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '2');
    assert.equal(await answer.text(), 'busy');
    assert.equal(viewer.spans().length, 0);
    assert.equal(viewer.requests, 1);
  });

  it('a function decides for each request', async () => {
    viewer.respond(({ signal, number }) => (signal === 'traces' && number === 1 ? { status: 429 } : undefined));
    assert.equal((await send(sdkSpan())).status, 429);
    assert.equal((await send(sdkSpan())).status, 200);
    viewer.respond(undefined);
    assert.equal(viewer.spans().length, 1);
  });

  it('a delay stores, a reset breaks the connection, a hang never answers', async () => {
    viewer.respond({ delayMs: 1 });
    assert.equal((await send(sdkSpan())).status, 200);
    assert.equal(viewer.spans().length, 1);
    viewer.respond({ reset: true });
    await assert.rejects(send(sdkSpan()));
    viewer.respond({ hang: true });
    const hanging = assert.rejects(send(sdkSpan()));
    await viewer.waitForRequests(3);
    await viewer.close();
    await hanging;
    assert.equal(viewer.spans().length, 1);
  });
});

describe('metrics', () => {
  const point = (route: string, asInt: number) => ({
    attributes: [{ key: 'http.route', value: { stringValue: route } }],
    timeUnixNano: '1',
    asInt,
  });
  const body = (...dataPoints: object[]) => {
    const sum = { isMonotonic: true, aggregationTemporality: 2, dataPoints };
    const metrics = [{ name: 'shop.orders', unit: '{order}', sum }];
    return JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
  };

  it('are found by either spelling, with their latest value', async () => {
    await post('/v1/metrics', body(point('/a', 1), point('/b', 5)));
    await post('/v1/metrics', body(point('/a', 2)));
    assert.equal(viewer.metric('shop_orders_total', { http_route: '/a' })?.value, 2);
    assert.equal(viewer.metric('shop.orders', { http_route: '/b' })?.value, 5);
    assert.equal(viewer.metric('shop_orders_total', { http_route: '/c' }), undefined);
    assert.throws(() => viewer.metric('shop_orders_total'), /2 series of shop_orders_total match.*\n.*"\/a"/);
  });

  it('can be waited for', async () => {
    const waiting = viewer.waitForMetric('shop.orders', { http_route: '/a' }, { until: ({ value }) => value >= 3 });
    await post('/v1/metrics', body(point('/a', 1)));
    await post('/v1/metrics', body(point('/a', 3)));
    assert.equal((await waiting).value, 3);
    await assert.rejects(viewer.waitForMetric('nope', {}, { timeout: 10 }), /Metrics that came: shop_orders_total/);
  });
});

describe('metrics pages', () => {
  it('that a process announces are read while a metric is waited for, and on request', async () => {
    let jobs = 0;
    const app = createServer((_, res) => res.end(`# TYPE jobs_total counter\njobs_total{queue="mail"} ${++jobs}\n`));
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}/metrics`;
    const waiting = viewer.waitForMetric('jobs_total', { queue: 'mail' }, { until: ({ value }) => value >= 2 });
    await send(sdkSpan({ resource: { 'o11y.metrics.url': url } }));
    const { value, service, type } = await waiting;
    assert.ok(value >= 2);
    assert.deepEqual([service, type], ['shop', 'sum']);
    await viewer.scrape();
    assert.ok(viewer.metric('jobs_total')!.value > value);
    app.closeAllConnections();
    await new Promise((resolve) => app.close(resolve));
    await assert.rejects(viewer.waitForMetric('other', {}, { timeout: 200 }), /came: jobs_total\n.*metrics: .*ECONNREFUSED/);
  });

  it('on other machines are left alone', async () => {
    await send(sdkSpan({ resource: { 'o11y.metrics.url': 'http://192.0.2.1/metrics' } }));
    await viewer.scrape();
    assert.deepEqual(viewer.metrics('jobs_total'), []);
  });
});

describe('bounds', () => {
  it('the oldest spans go, and are counted', async () => {
    const small = await startViewer({ maxRecords: 3 });
    const spans = Array.from({ length: 5 }, (_, i) => sdkSpan({ name: `span ${i}` }));
    const body = JsonTraceSerializer.serializeRequest(spans)!;
    await fetch(`${small.url}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    assert.deepEqual(
      small.spans().map((span) => span.name),
      ['span 2', 'span 3', 'span 4'],
    );
    assert.equal(small.dropped, 2);
    await small.close();
  });

  it('both loopback addresses are served on one port', async () => {
    await send(sdkSpan({ name: 'v4' }));
    const body = JsonTraceSerializer.serializeRequest([sdkSpan({ name: 'v6' })])!;
    const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    const reached = await fetch(`http://[::1]:${viewer.port}/v1/traces`, options).catch(() => undefined);
    // A machine without IPv6 has nothing to serve there.
    if (reached)
      assert.deepEqual(
        viewer.spans().map((span) => span.name),
        ['v4', 'v6'],
      );
  });

  it('a given port that is taken is an error, never another port', async () => {
    await assert.rejects(startViewer({ port: viewer.port }), { code: 'EADDRINUSE' });
  });
});
