import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Metric } from '../../viewer/model.ts';
import { DecodeError, decoders } from '../../viewer/otlp/decode.ts';
import { bytes, double, fixed32, fixed64, int, message, sint, varint } from './proto-writer.ts';
import { plain } from './sdk-records.ts';

const TRACE = '5b8efff798038103d269b633813fc60c';
const SPAN = 'eee19b7ec3c1b174';
const TIME = 1_544_712_660_123_456_789n;
const trace = Buffer.from(TRACE, 'hex');
const span = Buffer.from(SPAN, 'hex');
const minimalSpan = message(bytes(1, trace), bytes(2, span));

/** `Export…Request` → `Resource…` → `Scope…` → record: field 1, 2, 2. */
const request = (...records: Buffer[]) => bytes(1, bytes(2, message(...records.map((record) => bytes(2, record)))));
const keyValue = (key: string, value: Buffer) => message(bytes(1, key), bytes(2, value));
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const jsonSpans = (...spans: unknown[]) => json({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

describe('metrics that the JavaScript SDK does not send', () => {
  const exemplar = {
    timeNs: TIME,
    value: 0.25,
    traceId: TRACE,
    spanId: SPAN,
    attributes: { user: 'a' },
  };
  const expected: Record<string, unknown> = {
    summary: {
      type: 'summary',
      points: [
        {
          startNs: 1n,
          timeNs: TIME,
          attributes: { a: 'b' },
          exemplars: [],
          flags: 1,
          count: 7,
          sum: 1.5,
          quantiles: [
            { quantile: 0.5, value: 0.1 },
            { quantile: 0.99, value: 3 },
          ],
        },
      ],
    },
    histogram: {
      type: 'histogram',
      temporality: 'delta',
      points: [
        {
          startNs: 0n,
          timeNs: TIME,
          attributes: {},
          exemplars: [exemplar],
          flags: 0,
          count: 3,
          sum: undefined,
          min: undefined,
          max: undefined,
          bounds: [0.5, 1],
          counts: [1, 0, 2],
        },
      ],
    },
    exponentialHistogram: {
      type: 'exponentialHistogram',
      temporality: 'cumulative',
      points: [
        {
          startNs: 0n,
          timeNs: TIME,
          attributes: {},
          exemplars: [{ ...exemplar, value: -3 }],
          flags: 0,
          count: 6,
          sum: 2,
          min: -1,
          max: 4,
          scale: -2,
          zeroCount: 1,
          zeroThreshold: 0.001,
          positive: { offset: -3, counts: [1, 2, 300] },
          negative: { offset: 0, counts: [] },
        },
      ],
    },
    sum: {
      type: 'sum',
      monotonic: true,
      temporality: 'cumulative',
      points: [{ startNs: 0n, timeNs: TIME, attributes: {}, exemplars: [], flags: 0, value: -42 }],
    },
  };

  it('are read from protobuf', () => {
    const exemplarHead = message(bytes(7, keyValue('user', bytes(1, 'a'))), fixed64(2, TIME), bytes(4, span), bytes(5, trace));
    const summary = message(
      fixed64(2, 1),
      fixed64(3, TIME),
      fixed64(4, 7),
      double(5, 1.5),
      bytes(6, message(double(1, 0.5), double(2, 0.1))),
      bytes(6, message(double(1, 0.99), double(2, 3))),
      bytes(7, keyValue('a', bytes(1, 'b'))),
      int(8, 1),
    );
    // Counts and bounds one by one instead of packed: both are legal.
    const histogram = message(
      fixed64(3, TIME),
      fixed64(4, 3),
      ...[1, 0, 2].map((n) => fixed64(6, n)),
      double(7, 0.5),
      double(7, 1),
      bytes(8, message(exemplarHead, double(3, 0.25))),
    );
    const exponential = message(
      fixed64(3, TIME),
      fixed64(4, 6),
      double(5, 2),
      sint(6, -2),
      fixed64(7, 1),
      bytes(8, message(sint(1, -3), bytes(2, message(varint(1), varint(2), varint(300))))),
      bytes(11, message(exemplarHead, fixed64(6, -3))),
      double(12, -1),
      double(13, 4),
      double(14, 0.001),
    );
    const body = request(
      message(bytes(1, 'summary'), bytes(11, bytes(1, summary))),
      message(bytes(1, 'histogram'), bytes(9, message(int(2, 1), bytes(1, histogram)))),
      message(bytes(1, 'exponentialHistogram'), bytes(10, message(bytes(1, exponential), int(2, 2)))),
      message(bytes(1, 'sum'), bytes(7, message(bytes(1, message(fixed64(3, TIME), fixed64(6, -42))), int(2, 2), int(3, 1)))),
    );
    check(decoders.metrics.protobuf(body).records);
  });

  it('are read from JSON', () => {
    const exemplar = {
      timeUnixNano: String(TIME),
      traceId: TRACE.toUpperCase(),
      spanId: SPAN,
      filteredAttributes: [{ key: 'user', value: { stringValue: 'a' } }],
    };
    const metrics = [
      {
        name: 'summary',
        summary: {
          dataPoints: [
            {
              startTimeUnixNano: 1,
              timeUnixNano: String(TIME),
              count: '7',
              sum: 1.5,
              quantileValues: [
                { quantile: 0.5, value: 0.1 },
                { quantile: 0.99, value: 3 },
              ],
              attributes: [{ key: 'a', value: { stringValue: 'b' } }],
              flags: 1,
            },
          ],
        },
      },
      {
        name: 'histogram',
        histogram: {
          aggregationTemporality: 'AGGREGATION_TEMPORALITY_DELTA',
          dataPoints: [
            {
              timeUnixNano: String(TIME),
              count: 3,
              bucketCounts: ['1', '0', '2'],
              explicitBounds: [0.5, 1],
              exemplars: [{ ...exemplar, asDouble: 0.25 }],
            },
          ],
        },
      },
      {
        name: 'exponentialHistogram',
        exponentialHistogram: {
          aggregationTemporality: 2,
          dataPoints: [
            {
              timeUnixNano: String(TIME),
              count: 6,
              sum: 2,
              min: -1,
              max: 4,
              scale: -2,
              zeroCount: '1',
              zeroThreshold: 0.001,
              positive: { offset: -3, bucketCounts: ['1', '2', '300'] },
              exemplars: [{ ...exemplar, asInt: '-3' }],
            },
          ],
        },
      },
      {
        name: 'sum',
        sum: {
          isMonotonic: true,
          aggregationTemporality: 2,
          dataPoints: [{ timeUnixNano: String(TIME), asInt: '-42' }],
        },
      },
    ];
    check(decoders.metrics.json(json({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })).records);
  });

  function check(records: Metric[]): void {
    const got = Object.fromEntries(
      records.map(({ name, description, unit, service, resource, scope, ...data }) => [name, plain(data)]),
    );
    assert.deepEqual(got, Object.fromEntries(Object.entries(expected).map(([name, data]) => [name, plain(data)])));
  }
});

describe('64 bit integers', () => {
  it('beyond 2^53 stay exact, in protobuf', () => {
    const attribute = (key: string, n: bigint) => bytes(9, keyValue(key, int(3, n)));
    const [{ attributes }] = decoders.traces.protobuf(
      request(
        message(minimalSpan, attribute('big', 2n ** 63n - 1n), attribute('negative', -(2n ** 63n)), attribute('small', -5n)),
      ),
    ).records;
    assert.deepEqual({ ...attributes }, { big: 2n ** 63n - 1n, negative: -(2n ** 63n), small: -5 });
  });

  it('stay exact in JSON, whether they are strings or bare numbers', () => {
    const body = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${TRACE}","spanId":"${SPAN}",
      "startTimeUnixNano": 1544712660123456789, "endTimeUnixNano":"1544712660123456790",
      "attributes":[{"key":"bare","value":{"intValue":9007199254740993}},
        {"key":"string","value":{"intValue":"-9007199254740993"}},
        {"key":"quoting","value":{"stringValue":"\\"intValue\\":9007199254740993}"}}]}]}]}]}`;
    const [decoded] = decoders.traces.json(Buffer.from(body)).records;
    assert.equal(decoded.startNs, 1544712660123456789n);
    assert.equal(decoded.durationMs, 0.000001);
    assert.deepEqual(
      { ...decoded.attributes },
      { bare: 9007199254740993n, string: -9007199254740993n, quoting: '"intValue":9007199254740993}' },
    );
  });
});

describe('protobuf of other senders', () => {
  it('may write the resource and the scope after the records', () => {
    const resource = bytes(1, bytes(1, keyValue('service.name', bytes(1, 'late'))));
    const scope = bytes(1, bytes(1, 'scope'));
    const scoped = bytes(2, message(bytes(2, minimalSpan), scope));
    const [decoded] = decoders.traces.protobuf(bytes(1, message(scoped, resource))).records;
    assert.equal(decoded.service, 'late');
    assert.equal(decoded.scope.name, 'scope');
  });

  it('may have fields that are not known yet, of every wire type', () => {
    const unknown = message(int(100, 2n ** 60n), fixed64(101, 1), bytes(102, 'x'), fixed32(103, 1));
    const [decoded] = decoders.traces.protobuf(
      message(unknown, request(message(unknown, minimalSpan, bytes(5, 'name'), unknown)), unknown),
    ).records;
    assert.equal(decoded.name, 'name');
  });

  it('treats a known field of another wire type as unknown', () => {
    const [decoded] = decoders.traces.protobuf(request(message(minimalSpan, int(5, 3), fixed64(6, 2)))).records;
    assert.equal(decoded.name, '');
    assert.equal(decoded.kind, 'unspecified');
  });
});

describe('ids', () => {
  it('that are broken cost the span, and the answer says why', () => {
    const bad = [message(bytes(2, span)), message(bytes(1, Buffer.alloc(16)), bytes(2, span)), bytes(1, trace)];
    const decoded = decoders.traces.protobuf(request(...bad, minimalSpan));
    assert.equal(decoded.records.length, 1);
    assert.equal(decoded.rejected, 3);
    assert.match(decoded.reason, /trace id: 32 hex digits, not all zero, wanted; got none/);

    const fromJson = decoders.traces.json(jsonSpans({ traceId: TRACE, spanId: 'xyz' }, { traceId: TRACE, spanId: SPAN }));
    assert.equal(fromJson.records.length, 1);
    assert.match(fromJson.reason, /span id: 16 hex digits.*got "xyz"/);
  });

  it('a parent of zeros is no parent', () => {
    const [decoded] = decoders.traces.json(jsonSpans({ traceId: TRACE, spanId: SPAN, parentSpanId: '0000000000000000' })).records;
    assert.equal(decoded.parentSpanId, '');
  });

  it('that are broken are left out of a log record, which is kept', () => {
    const { records, rejected } = decoders.logs.protobuf(request(message(bytes(5, bytes(1, 'hi')), bytes(9, 'abc'))));
    assert.equal(rejected, 0);
    assert.equal(records[0].body, 'hi');
    assert.equal(records[0].traceId, '');
  });
});

describe('bodies that are refused', () => {
  const refused: [string, () => unknown, RegExp][] = [
    ['a cut message', () => decoders.traces.protobuf(request(minimalSpan).subarray(0, 20)), /bytes wanted/],
    ['a varint without end', () => decoders.traces.protobuf(Buffer.alloc(12, 0xff)), /varint longer than 10 bytes/],
    ['field number 0', () => decoders.traces.protobuf(Buffer.from([0x02, 0x00])), /field number 0/],
    ['a group, which protobuf gave up', () => decoders.traces.protobuf(Buffer.from([0x0b])), /wire type 3/],
    ['no JSON', () => decoders.logs.json(Buffer.from('<html>')), /not JSON/],
    ['a JSON array', () => decoders.logs.json(Buffer.from('[]')), /no JSON object/],
    ['a wrong frame', () => decoders.traces.json(json({ resourceSpans: {} })), /resourceSpans: an array wanted/],
    ['a wrong type', () => decoders.traces.json(jsonSpans({ traceId: TRACE, spanId: SPAN, name: 7 })), /name: a string/],
    ['a time that is none', () => decoders.traces.json(jsonSpans({ startTimeUnixNano: '12.5' })), /an integer wanted/],
    ['bottomless protobuf values', () => decoders.logs.protobuf(request(bytes(5, nested(10_000)))), /nested deeper/],
    ['bottomless JSON values', () => decoders.logs.json(Buffer.from(nestedJson(10_000))), /nested deeper/],
    ['a million empty messages', () => decoders.traces.protobuf(emptySpans(1_100_000)), /more than 1000000 messages/],
  ];
  for (const [what, decode, message] of refused) {
    it(what, () => {
      assert.throws(decode, (error: Error) => {
        assert.ok(error instanceof DecodeError, String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }

  /** An array in an array in an array … */
  function nested(depth: number): Buffer {
    let value = bytes(1, 'x');
    for (let i = 0; i < depth; i++) value = bytes(5, bytes(1, value));
    return value;
  }

  function nestedJson(depth: number): string {
    const body = `${'{"arrayValue":{"values":['.repeat(depth)}{}${']}}'.repeat(depth)}`;
    return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${body}}]}]}]}`;
  }

  function emptySpans(count: number): Buffer {
    return bytes(1, bytes(2, Buffer.alloc(2 * count, Buffer.from([0x12, 0x00]))));
  }
});

describe('texts that come again and again', () => {
  it('are each what was sent, however many and however alike they are', () => {
    // More than are kept for comparison, so that many fall on the same place; ASCII, beyond it, and longer than is looked up.
    const texts = Array.from({ length: 6000 }, (_, n) => [`key.${n}`, `${n}.yek`, `ü${n}`, `${'x'.repeat(38)}${n}`]).flat();
    for (const all of [texts, texts.toReversed()]) {
      const pairs = all.map((text) => bytes(9, keyValue(text, bytes(1, text))));
      const { records } = decoders.traces.protobuf(request(message(minimalSpan, ...pairs)));
      assert.deepEqual(
        Object.entries(records[0].attributes),
        all.map((text) => [text, text]),
      );
    }
  });

  it('are keys like any other where a plain object would have them already', () => {
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const span = message(minimalSpan, bytes(9, keyValue(key, bytes(1, 'x'))));
      for (const { records } of [
        decoders.traces.protobuf(request(span)),
        decoders.traces.json(jsonSpans({ traceId: TRACE, spanId: SPAN, attributes: [{ key, value: { stringValue: 'x' } }] })),
      ]) {
        assert.deepEqual(Object.entries(records[0].attributes), [[key, 'x']]);
        assert.equal(records[0].resource[key], undefined);
      }
    }
  });
});
