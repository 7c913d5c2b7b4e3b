import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { createSpanEncoder } from '../../instrumentation/export/otlp-json.ts';
import type { SpanRecord } from '../../instrumentation/export/span-record.ts';
import { createRedactor } from '../../instrumentation/redaction.ts';
import { createProcessor } from '../../instrumentation/traces/processor.ts';
import { KitSpan, type SpanLimits } from '../../instrumentation/traces/span.ts';

const LIMITS: SpanLimits = { attributes: 4, attributeLength: 8, events: 3, links: 2 };
const CONTEXT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };

/** The span of the request path, and the SDK's, under the same limits. */
function kitSpan(records: SpanRecord[]): KitSpan {
  const home = { limits: LIMITS, version: '1', push: (record: SpanRecord) => void records.push(record) };
  return new KitSpan(home, 'first', SpanKind.SERVER, CONTEXT, undefined, performance.now());
}

function sdkSpan(records: SpanRecord[]): Span {
  const provider = new TracerProvider({
    spanLimits: {
      attributeCountLimit: LIMITS.attributes,
      attributeValueLengthLimit: LIMITS.attributeLength,
      eventCountLimit: LIMITS.events,
      linkCountLimit: LIMITS.links,
      attributePerEventCountLimit: LIMITS.attributes,
      attributePerLinkCountLimit: LIMITS.attributes,
    },
    spanProcessors: [createProcessor((record) => void records.push(record))],
  });
  return provider.getTracer('o11y-kit', '1').startSpan('first', { kind: SpanKind.SERVER });
}

const value = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.integer(),
  fc.boolean(),
  fc.array(fc.string({ maxLength: 12 }), { maxLength: 3 }),
  fc.array(fc.integer(), { maxLength: 3 }),
  // What is no attribute is left out.
  fc.constantFrom(undefined, null, { a: 1 }, () => {}, [1, 'mixed']),
) as fc.Arbitrary<any>;
const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', '');
const attributes = fc.dictionary(key, value, { maxKeys: 7 });
const time = fc.integer({ min: 1_700_000_000_000, max: 1_800_000_000_000 });

type Step = (span: Span) => unknown;
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(key, value).map(
    ([k, v]): Step =>
      (span) =>
        span.setAttribute(k, v),
  ),
  attributes.map(
    (all): Step =>
      (span) =>
        span.setAttributes(all),
  ),
  fc.tuple(fc.string(), attributes, time).map(
    ([name, all, at]): Step =>
      (span) =>
        span.addEvent(name, all, at),
  ),
  fc.tuple(fc.string(), time).map(
    ([name, at]): Step =>
      (span) =>
        span.addEvent(name, at),
  ),
  attributes.map(
    (all): Step =>
      (span) =>
        span.addLink({ context: CONTEXT, attributes: all }),
  ),
  fc.string().map(
    (name): Step =>
      (span) =>
        span.updateName(name),
  ),
  fc
    .tuple(
      fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR),
      fc.option(fc.string(), { nil: undefined }),
    )
    .map(
      ([code, message]): Step =>
        (span) =>
          span.setStatus({ code, message }),
    ),
  time.map(
    (at): Step =>
      (span) =>
        span.recordException({ name: 'E', message: 'm', code: 'C' }, at),
  ),
);

/** What two spans have in common that did the same. */
function comparable({ traceId, spanId, start, end, parentIsRemote, ...rest }: SpanRecord): unknown {
  return JSON.parse(JSON.stringify({ ...rest, statusMessage: rest.statusMessage || undefined }));
}

test("the span of the request path ends as the SDK's does after the same calls", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const ours: SpanRecord[] = [];
      const theirs: SpanRecord[] = [];
      for (const span of [kitSpan(ours), sdkSpan(theirs)]) {
        for (const each of steps) each(span);
        span.end();
        span.setAttribute('late', 1).updateName('late').end();
      }
      assert.equal(ours.length, 1);
      assert.deepEqual(comparable(ours[0]), comparable(theirs[0]));
    }),
    { numRuns: 2000 },
  );
});

describe('what no type allows does no harm', () => {
  const HOSTILE: Record<string, (span: any) => unknown> = {
    'setAttributes of nothing': (span) => span.setAttributes(undefined) && span.setAttributes(null),
    'setStatus of nothing': (span) => span.setStatus() && span.setStatus(null),
    'links that are none': (span) => span.addLinks(null) && span.addLink() && span.addLink({}) && span.addLinks([null]),
    'an exception that is none': (span) =>
      [undefined, null, 42, 'text', Symbol('s'), {}].map((each) => span.recordException(each)),
    'an exception whose properties throw': (span) =>
      span.recordException({
        get message() {
          throw new Error('no');
        },
      }),
    'an event of nothing': (span) => span.addEvent() && span.addEvent('x', null) && span.addEvent('x', 'text'),
    'names that are none': (span) => span.updateName(undefined).updateName(Symbol('s').description),
    'keys that are none': (span) => span.setAttribute(undefined, 1).setAttribute(Symbol('s'), 1).setAttribute(7, 1),
  };
  for (const [name, call] of Object.entries(HOSTILE)) {
    it(name, () => {
      const records: SpanRecord[] = [];
      const span = kitSpan(records);
      call(span);
      span.end();
      assert.equal(records.length, 1);
      JSON.parse(createSpanEncoder(createRedactor())(records[0]).json);
    });
  }

  it('an attribute called __proto__, on a span and on an event', () => {
    const records: SpanRecord[] = [];
    const span = kitSpan(records);
    const hostile = Object.defineProperty({}, '__proto__', { value: 'x', enumerable: true });
    span.setAttributes(hostile).addEvent('e', hostile);
    span.end();
    const { json } = createSpanEncoder()(records[0]);
    assert.equal(json.match(/"key":"__proto__","value":\{"stringValue":"x"\}/g)?.length, 2);
    assert.equal(({} as any).x, undefined);
  });

  it('an end before the start', () => {
    const records: SpanRecord[] = [];
    kitSpan(records).end(1);
    assert.deepEqual(records[0].end, records[0].start);
  });
});

describe('attributes that spans share', () => {
  const shared = { attributes: { 'http.route': '/x', 'server.port': 80 }, count: 2, longest: 2 };
  const written = (span: KitSpan, records: SpanRecord[]): string[] => {
    span.end();
    return JSON.parse(createSpanEncoder(createRedactor())(records[0]).json).attributes.map(({ key }: { key: string }) => key);
  };

  it('are written beside its own', () => {
    const records: SpanRecord[] = [];
    const span = kitSpan(records).setAttribute('a', 1);
    assert.equal(span.share(shared), true);
    assert.deepEqual(written(span.setAttribute('b', 2), records).sort(), ['a', 'b', 'http.route', 'server.port']);
  });

  it('are written alone', () => {
    const records: SpanRecord[] = [];
    const span = kitSpan(records);
    span.share(shared);
    assert.deepEqual(written(span, records), ['http.route', 'server.port']);
  });

  it('count against the limit', () => {
    const records: SpanRecord[] = [];
    const span = kitSpan(records);
    span.share(shared);
    assert.equal(written(span.setAttributes({ a: 1, b: 2, c: 3 }), records).length, LIMITS.attributes);
    assert.equal(records[0].droppedAttributes, 1);
  });

  const ROWS: [why: string, prepare: (span: KitSpan) => unknown, longest: number][] = [
    ['one of their keys is set already', (span) => span.setAttribute('http.route', '/own'), 2],
    ['they are more than there is room for', (span) => span.setAttributes({ a: 1, b: 2, c: 3 }), 2],
    ['one of them is too long', () => {}, LIMITS.attributeLength + 1],
    ['the span has ended', (span) => span.end(), 2],
  ];
  for (const [why, prepare, longest] of ROWS) {
    it(`are not taken where ${why}`, () => {
      const span = kitSpan([]);
      prepare(span);
      assert.equal(span.share({ ...shared, longest }), false);
    });
  }
});

describe('secrets do not leave with a span', () => {
  const encode = createSpanEncoder(createRedactor(['ssn']));
  const ROWS: [key: string, value: any, expected: any][] = [
    ['http.request.header.authorization', ['Bearer abc'], ['[redacted]']],
    ['user.password', 'abc', '[redacted]'],
    ['user.ssn', 'abc', 'abc'],
    ['ssn', 'abc', '[redacted]'],
    ['db.query.text', 'set password=abc where a=1', 'set password=[redacted] where a=1'],
    ['note', 'Bearer abcdefgh', 'Bearer [redacted]'],
    [
      'url.full',
      'https://ann:abc@x.example/a?sig=abc&b=1#token=abc',
      'https://[redacted]@x.example/a?sig=[redacted]&b=1#token=[redacted]',
    ],
    ['http.url', 'https://x.example/?access_token=abc', 'https://x.example/?access_token=[redacted]'],
    ['url.query', 'api_key=abc', 'api_key=[redacted]'],
    ['gen_ai.usage.input_tokens', 5, 5],
  ];
  for (const [key, given, expected] of ROWS) {
    it(key, () => {
      const records: SpanRecord[] = [];
      const span = kitSpan(records);
      span.end();
      const unlimited = { ...records[0], attributes: { [key]: given } };
      const [attribute] = JSON.parse(encode(unlimited).json).attributes;
      const { stringValue, intValue, arrayValue } = attribute.value;
      assert.deepEqual(
        stringValue ?? (intValue === undefined ? arrayValue.values.map((each: any) => each.stringValue) : Number(intValue)),
        expected,
      );
    });
  }

  it('in the message and the stack of an exception, and in the status', () => {
    const records: SpanRecord[] = [];
    const span = new KitSpan(
      {
        limits: { ...LIMITS, attributes: 10, attributeLength: 10_000 },
        version: '1',
        push: (record) => void records.push(record),
      },
      'x',
      SpanKind.CLIENT,
      CONTEXT,
      undefined,
      performance.now(),
    );
    const error = new Error('connect postgres://app:s3cret@db/x failed');
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    span.end();
    assert.doesNotMatch(encode(records[0]).json, /s3cret/);
  });
});
