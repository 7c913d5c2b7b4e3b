import assert from 'node:assert/strict';
import test from 'node:test';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import fc from 'fast-check';
import { createSpanEncoder } from '../../instrumentation/export/otlp-json.ts';
import { readSpans } from '../../instrumentation/export/otlp-json-read.ts';
import type { SpanRecord } from '../../instrumentation/export/span-record.ts';

const encodeSpan = createSpanEncoder();
const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.maxSafeInteger(),
  // Beyond the safe integers a whole number is a double here, where the official serializer writes an integer it does not have.
  fc.double({ noDefaultInfinity: true, noNaN: true }).filter((each) => !Number.isInteger(each) || Number.isSafeInteger(each)),
  fc.boolean(),
  fc.array(fc.string(), { maxLength: 4 }),
  fc.array(fc.maxSafeInteger(), { maxLength: 4 }),
);
const attributes = fc.dictionary(fc.string({ minLength: 1, maxLength: 40 }), value, { maxKeys: 12 });
const time = fc.tuple(
  fc.integer({ min: 1_500_000_000, max: 2_100_000_000 }),
  fc.integer({ min: 0, max: 999_999_999 }),
) as fc.Arbitrary<[number, number]>;
const count = fc.integer({ min: 0, max: 9 });

const span: fc.Arbitrary<SpanRecord> = fc.record({
  traceId: hex(32),
  spanId: hex(16),
  parentSpanId: fc.option(hex(16), { nil: undefined }),
  parentIsRemote: fc.boolean(),
  traceFlags: fc.constantFrom(0, 1),
  traceState: fc.constantFrom(undefined, 'vendor=1,other=a'),
  name: fc.string({ unit: 'binary' }),
  kind: fc.integer({ min: 0, max: 4 }),
  start: time,
  end: time,
  statusCode: fc.integer({ min: 0, max: 2 }),
  statusMessage: fc.option(fc.string(), { nil: undefined }),
  attributes,
  events: fc.array(fc.record({ name: fc.string(), time, attributes, droppedAttributesCount: count }), { maxLength: 3 }),
  links: fc.array(
    fc.record({
      context: fc.record({
        traceId: hex(32),
        spanId: hex(16),
        traceFlags: fc.constantFrom(0, 1),
        isRemote: fc.boolean(),
        traceState: fc.constantFrom(undefined, 'vendor=1,other=a'),
      }),
      attributes,
      droppedAttributesCount: count,
    }),
    { maxLength: 3 },
  ),
  droppedAttributes: count,
  droppedEvents: count,
  droppedLinks: count,
  scope: fc.string({ minLength: 1 }),
  scopeVersion: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
});

/** What may stand or be missing without a difference, once every number is told apart from its spelling. */
function normal(json: any): any {
  if (Array.isArray(json)) return json.map(normal);
  if (typeof json !== 'object' || json === null) return json;
  const entries = Object.entries(json)
    .filter(
      ([key, each]) =>
        !(/^dropped/.test(key) && each === 0) && !(['events', 'links'].includes(key) && (each as unknown[]).length === 0),
    )
    .filter(([key, each]) => !(key === 'message' && each === '') && each !== undefined)
    .map(([key, each]) => [key, key === 'intValue' ? String(each) : normal(each)]);
  return Object.fromEntries(entries);
}

test('a span is written as the official JSON serializer writes it', () => {
  const resource = resourceFromAttributes({});
  fc.assert(
    fc.property(span, (record) => {
      const { scope, json } = encodeSpan(record);
      const [readable] = readSpans({ scope, spans: new TextEncoder().encode(json), count: 1 }, resource);
      const official = JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest([readable])!)).resourceSpans[0]
        .scopeSpans[0];
      assert.deepEqual(normal(JSON.parse(json)), normal(official.spans[0]));
      assert.deepEqual(normal(JSON.parse(scope)), normal(official.scope));
    }),
    { numRuns: 2000 },
  );
});

test('values that JSON does not know are written as protobuf maps them', () => {
  const { json } = encodeSpan({ ...fc.sample(span, 1)[0], attributes: { nan: Number.NaN, far: -Infinity, big: 2 ** 60 } });
  const values = Object.fromEntries(JSON.parse(json).attributes.map(({ key, value: each }: any) => [key, each]));
  assert.deepEqual(values, { nan: { doubleValue: 'NaN' }, far: { doubleValue: '-Infinity' }, big: { doubleValue: 2 ** 60 } });
});

test('a time is written to the nanosecond', () => {
  const [one] = fc.sample(span, 1);
  fc.assert(
    fc.property(time, time, (start, end) => {
      const { startTimeUnixNano, endTimeUnixNano } = JSON.parse(encodeSpan({ ...one, start, end }).json);
      const nanos = ([seconds, rest]: readonly [number, number]) => BigInt(seconds) * 1_000_000_000n + BigInt(rest);
      assert.deepEqual([BigInt(startTimeUnixNano), BigInt(endTimeUnixNano)], [nanos(start), nanos(end)]);
    }),
  );
});

test('whatever an app gives for a time is written as one', () => {
  const any = fc.tuple(fc.double(), fc.double()) as fc.Arbitrary<[number, number]>;
  const [one] = fc.sample(span, 1);
  fc.assert(
    fc.property(any, any, (start, end) => {
      const { json } = encodeSpan({ ...one, start, end });
      const { startTimeUnixNano, endTimeUnixNano } = JSON.parse(json);
      for (const text of [startTimeUnixNano, endTimeUnixNano]) {
        assert.match(text, /^\d{10,20}$/);
        assert.ok(BigInt(text) < 2n ** 64n);
      }
    }),
    {
      examples: [
        [
          [Number.NaN, 1.5],
          [Infinity, 1e9],
        ],
        [
          [-1, -1],
          [1e300, 5e9],
        ],
      ],
    },
  );
});

test('a key called __proto__ is a key like any other', () => {
  const own = Object.defineProperty({}, '__proto__', { value: 'x', enumerable: true });
  const { json } = encodeSpan({ ...fc.sample(span, 1)[0], attributes: own });
  assert.deepEqual(JSON.parse(json).attributes, [{ key: '__proto__', value: { stringValue: 'x' } }]);
});
