import assert from 'node:assert/strict';
import test from 'node:test';
import { Counter } from '../../bench/lib/counts.ts';
import { countDatadog, decodeMsgpack } from '../../bench/lib/datadog.ts';
import { countEnvelope } from '../../bench/lib/sentry.ts';
import { decoders } from '../../viewer/otlp/decode.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const attribute = (key: string) => ({ key, value: { stringValue: 'x' } });

function otlpSpan(id: number, kind: number, ...keys: string[]) {
  const spanId = id.toString(16).padStart(16, '0');
  return {
    traceId: TRACE,
    spanId,
    name: 's',
    kind,
    startTimeUnixNano: '1',
    endTimeUnixNano: '2',
    attributes: keys.map(attribute),
  };
}

function sendSpans(counter: Counter, spans: object[]): void {
  const body = Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
  counter.otlpSpans(decoders.traces.json(body).records);
}

function sendHistogram(counter: Counter, name: string, aggregationTemporality: number, route: string, count: number): void {
  const attributes = [{ key: 'http.route', value: { stringValue: route } }];
  const dataPoints = [
    { attributes, count: String(count), sum: 1, timeUnixNano: '2', explicitBounds: [1], bucketCounts: [String(count), '0'] },
  ];
  const metrics = [{ name, histogram: { aggregationTemporality, dataPoints } }];
  counter.otlpMetrics(
    decoders.metrics.json(Buffer.from(JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }))).records,
  );
}

test('spans of OTLP are told apart: server, query, outgoing request, and all others', () => {
  const counter = new Counter();
  sendSpans(counter, [
    otlpSpan(1, 2),
    otlpSpan(2, 3, 'db.system.name', 'db.query.text'),
    otlpSpan(3, 3, 'db.system', 'db.statement'),
    otlpSpan(4, 3, 'db.system'),
    otlpSpan(5, 3, 'http.request.method'),
    otlpSpan(6, 1),
  ]);
  assert.deepEqual(counter.totals.spans, { server: 1, pg: 2, fetch: 1, other: 2 });
});

test('a span that is sent twice counts once', () => {
  const counter = new Counter();
  sendSpans(counter, [otlpSpan(1, 2)]);
  sendSpans(counter, [otlpSpan(1, 2), otlpSpan(2, 2)]);
  assert.equal(counter.totals.spans.server, 2);
});

test('of cumulative series the last state counts, of delta series the sum, of other metrics nothing', () => {
  const counter = new Counter();
  sendHistogram(counter, 'http.server.request.duration', 2, '/a', 3);
  sendHistogram(counter, 'http.server.request.duration', 2, '/a', 10);
  sendHistogram(counter, 'http.server.request.duration', 2, '/b', 5);
  sendHistogram(counter, 'http.server.duration', 1, '/a', 100);
  sendHistogram(counter, 'http.server.duration', 1, '/a', 100);
  sendHistogram(counter, 'http.client.request.duration', 2, '/a', 1000);
  assert.equal(counter.totals.requests, 215);
});

test('log records without a trace do not count', () => {
  const counter = new Counter();
  counter.otlpLogs([{ traceId: TRACE }, { traceId: '' }]);
  assert.equal(counter.totals.logs, 1);
});

/** Only what the test needs of msgpack's writing side. */
function pack(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.concat([Buffer.from([0xd9, Buffer.byteLength(value)]), Buffer.from(value)]);
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(9, 0xcf);
    bytes.writeBigUInt64BE(value, 1);
    return bytes;
  }
  if (Array.isArray(value)) return Buffer.concat([Buffer.from([0xdd, 0, 0, 0, value.length]), ...value.map(pack)]);
  const entries = Object.entries(value as object).flat();
  return Buffer.concat([Buffer.from([0xdf, 0, 0, 0, entries.length / 2]), ...entries.map(pack)]);
}

test("dd-trace's spans are told apart by their kind and type", () => {
  let id = 2n ** 63n;
  const span = (type: string, kind?: string) => ({ trace_id: 1n, span_id: id++, type, meta: kind ? { 'span.kind': kind } : {} });
  const counter = new Counter();
  const traces = [
    [span('web', 'server'), span('web'), span('sql', 'client'), span('http', 'client')],
    [span('web', 'server'), span('tcp', 'client')],
  ];
  countDatadog(pack(traces), counter);
  assert.deepEqual(counter.totals.spans, { server: 2, pg: 1, fetch: 1, other: 2 });
});

test('msgpack: every type that its specification encodes in an example of ours', () => {
  const cases: [string, unknown][] = [
    ['07', 7],
    ['ff', -1],
    ['c0', null],
    ['c2', false],
    ['c3', true],
    ['a3616263', 'abc'],
    ['da0003616263', 'abc'],
    ['db00000003616263', 'abc'],
    ['ccff', 255],
    ['cdffff', 65535],
    ['ceffffffff', 4294967295],
    ['cfffffffffffffffff', 2n ** 64n - 1n],
    ['d080', -128],
    ['d18000', -32768],
    ['d280000000', -2147483648],
    ['d38000000000000000', -(2n ** 63n)],
    ['ca3fc00000', 1.5],
    ['cb3ff8000000000000', 1.5],
    ['9201a161', [1, 'a']],
    ['dc000101', [1]],
  ];
  for (const [hex, value] of cases) assert.deepEqual(decodeMsgpack(Buffer.from(hex, 'hex')), value, hex);
  assert.deepEqual({ ...(decodeMsgpack(Buffer.from('81a16101', 'hex')) as object) }, { a: 1 });
  assert.deepEqual({ ...(decodeMsgpack(Buffer.from('de0001a16101', 'hex')) as object) }, { a: 1 });
  assert.throws(() => decodeMsgpack(Buffer.from('a36162', 'hex')), RangeError);
  assert.throws(() => decodeMsgpack(Buffer.from('c1', 'hex')), /type 0xc1/);
});

test("Sentry's envelopes: spans of both shapes and log records, among items of other types", () => {
  const item = (type: string, payload: object, sized: boolean) => {
    const text = JSON.stringify(payload);
    return `${JSON.stringify(sized ? { type, length: Buffer.byteLength(text) } : { type })}\n${text}\n`;
  };
  const op = (value: string, more = {}) => ({ 'sentry.op': { value, type: 'string' }, ...more });
  const envelope = [
    '{"dsn":"http://public@127.0.0.1/1"}\n',
    item('session', { status: 'ok', text: 'größer' }, true),
    item(
      'transaction',
      {
        contexts: { trace: { op: 'http.server', span_id: '01' } },
        spans: [
          { op: 'db', span_id: '02', data: { 'db.statement': 'select 1' } },
          { op: 'db', span_id: '03', data: {} },
        ],
      },
      false,
    ),
    item(
      'span',
      {
        items: [
          { span_id: '04', attributes: op('http.server') },
          { span_id: '05', attributes: op('http.client') },
          { span_id: '06', attributes: op('db', { 'db.query.text': { value: 'select 1' } }) },
        ],
      },
      true,
    ),
    item('log', { items: [{ trace_id: TRACE, body: 'a' }, { body: 'b' }] }, false),
  ];
  const counter = new Counter();
  countEnvelope(Buffer.from(envelope.join('')), counter);
  assert.deepEqual(counter.totals, { spans: { server: 2, pg: 2, fetch: 1, other: 1 }, logs: 1, requests: 0 });
});
