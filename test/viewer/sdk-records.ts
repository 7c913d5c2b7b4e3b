/** Generated records of the SDK, and what a decoder must make of them. */
import { SpanKind, SpanStatusCode, ValueType } from '@opentelemetry/api';
import { emptyResource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { AggregationTemporality, DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '__proto__', '<script>alert(1)</script>', '\u001b[31m', 'ünïcødé 🎈', 'x'.repeat(300)),
);
const integer = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.constantFrom(0, -1, 127, 128, 2 ** 31, 2 ** 53 - 1));
const scalar = fc.oneof(
  text,
  fc.boolean(),
  integer,
  fc.double().filter((n) => !Number.isInteger(n)),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.uint8Array({ maxLength: 12 }),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: false }),
  ),
}));
const attributes = fc.dictionary(text, value, { maxKeys: 6, noNullPrototype: false }) as fc.Arbitrary<any>;
const hex = (digits: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: digits, maxLength: digits })
    .map((all) => all.map((n) => n.toString(16)).join(''))
    .filter((id) => !/^0+$/.test(id));
const time = fc.tuple(fc.integer({ min: 0, max: 4e9 }), fc.integer({ min: 0, max: 999_999_999 }));
const count = fc.nat(2 ** 31);
const traceState = fc.constantFrom(undefined, { serialize: () => 'vendor=1,other=ü' });
const context = fc.record({
  traceId: hex(32),
  spanId: hex(16),
  traceFlags: fc.integer({ min: 0, max: 255 }),
  isRemote: fc.constantFrom(undefined, true, false),
  traceState,
}) as fc.Arbitrary<any>;
const resource = attributes.map((given) => resourceFromAttributes(given));
const scope = fc.record({ name: text, version: text, attributes }) as fc.Arbitrary<any>;

const span = fc.record({
  name: text,
  kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER),
  context,
  parentSpanContext: fc.option(context, { nil: undefined }),
  startTime: time,
  endTime: time,
  status: fc.record({
    code: fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR),
    message: text,
  }),
  attributes,
  links: fc.array(fc.record({ context, attributes }), { maxLength: 3 }),
  events: fc.array(fc.record({ time, name: text, attributes }), { maxLength: 3 }),
  droppedAttributesCount: count,
  droppedEventsCount: count,
  droppedLinksCount: count,
});

/** Spans of one resource and scope, so that the serialiser keeps their order. */
export const spans = fc
  .tuple(fc.array(span, { minLength: 1, maxLength: 4 }), resource, scope)
  .map(([all, resource, instrumentationScope]) =>
    all.map((one) => ({
      ...one,
      resource,
      instrumentationScope,
      spanContext: () => one.context,
      duration: [0, 0],
      ended: true,
    })),
  ) as unknown as fc.Arbitrary<ReadableSpan[]>;

export const logs = fc
  .tuple(
    fc.array(
      fc.record({
        hrTime: time,
        hrTimeObserved: time,
        severityNumber: fc.integer({ min: 0, max: 24 }),
        severityText: text,
        body: value,
        eventName: text,
        attributes,
        droppedAttributesCount: count,
        spanContext: fc.option(context, { nil: undefined }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    resource,
    scope,
  )
  .map(([all, resource, instrumentationScope]) =>
    all.map((one) => ({ ...one, resource, instrumentationScope })),
  ) as unknown as fc.Arbitrary<ReadableLogRecord[]>;

const number = fc.record({ attributes, startTime: time, endTime: time });
const statistics = { count, sum: fc.double(), min: fc.double(), max: fc.double() };
const histogram = fc.record({
  ...statistics,
  buckets: fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 5 }).chain((boundaries) =>
    fc.record({
      boundaries: fc.constant(boundaries),
      counts: fc.array(count, { minLength: boundaries.length + 1, maxLength: boundaries.length + 1 }),
    }),
  ),
});
const side = fc.record({ offset: fc.integer({ min: -1000, max: 1000 }), bucketCounts: fc.array(count, { maxLength: 9 }) });
const exponential = fc.record({
  ...statistics,
  scale: fc.integer({ min: -10, max: 20 }),
  zeroCount: count,
  positive: side,
  negative: side,
});
const temporality = fc.constantFrom(AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE);
const metric = fc
  .tuple(
    fc.record({ name: text.filter((name) => name !== ''), description: text, unit: text }),
    temporality,
    fc.boolean(),
    fc.oneof(
      points(DataPointType.GAUGE, ValueType.DOUBLE, fc.double()),
      points(DataPointType.GAUGE, ValueType.INT, integer),
      points(DataPointType.SUM, ValueType.INT, integer),
      points(DataPointType.SUM, ValueType.DOUBLE, fc.double()),
      points(DataPointType.HISTOGRAM, ValueType.DOUBLE, histogram),
      points(DataPointType.EXPONENTIAL_HISTOGRAM, ValueType.DOUBLE, exponential),
    ),
  )
  .map(([descriptor, aggregationTemporality, isMonotonic, { valueType, ...rest }]) => ({
    ...rest,
    descriptor: { ...descriptor, valueType },
    aggregationTemporality,
    isMonotonic,
  }));

function points(dataPointType: DataPointType, valueType: ValueType, of: fc.Arbitrary<unknown>) {
  return fc
    .array(fc.tuple(number, of), { minLength: 1, maxLength: 3 })
    .map((all) => ({ dataPointType, valueType, dataPoints: all.map(([head, value]) => ({ ...head, value })) }));
}

export const metrics = fc
  .tuple(resource, fc.array(fc.tuple(scope, fc.array(metric, { maxLength: 3 })), { maxLength: 2 }))
  .map(([resource, scopes]) => ({
    resource,
    scopeMetrics: scopes.map(([scope, metrics]) => ({ scope, metrics })),
  })) as unknown as fc.Arbitrary<ResourceMetrics>;

// ---- what must come out ---------------------------------------------------------------------------------------------

const KINDS = ['internal', 'server', 'client', 'producer', 'consumer'];
const STATUS = ['unset', 'ok', 'error'];

export function expectedSpan(span: any): unknown {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const startNs = nanos(span.startTime);
  const endNs = nanos(span.endTime);
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? '',
    name: span.name,
    kind: KINDS[span.kind],
    startNs,
    endNs,
    durationMs: Number(endNs - startNs) / 1e6,
    status: { code: STATUS[span.status.code], message: span.status.message },
    attributes: span.attributes,
    events: span.events.map(({ time, name, attributes }: any) => ({ timeNs: nanos(time), name, attributes })),
    links: span.links.map(({ context, attributes }: any) => ({
      traceId: context.traceId,
      spanId: context.spanId,
      traceState: context.traceState?.serialize() ?? '',
      flags: flags(context.traceFlags, context.isRemote),
      attributes,
    })),
    ...origin(span.resource, span.instrumentationScope),
    flags: flags(traceFlags, span.parentSpanContext?.isRemote),
    traceState: traceState?.serialize() ?? '',
    dropped: {
      attributes: span.droppedAttributesCount,
      events: span.droppedEventsCount,
      links: span.droppedLinksCount,
    },
  };
}

export function expectedLog(log: any): unknown {
  const timeNs = nanos(log.hrTime);
  const observedNs = nanos(log.hrTimeObserved);
  return {
    timeNs: timeNs === 0n ? observedNs : timeNs,
    observedNs,
    severityNumber: log.severityNumber,
    severityText: log.severityText,
    body: log.body,
    attributes: log.attributes,
    traceId: log.spanContext?.traceId ?? '',
    spanId: log.spanContext?.spanId ?? '',
    flags: log.spanContext?.traceFlags ?? 0,
    eventName: log.eventName,
    ...origin(log.resource, log.instrumentationScope),
    dropped: log.droppedAttributesCount,
  };
}

export function expectedMetric({ resource, scopeMetrics }: any): unknown[] {
  return scopeMetrics.flatMap(({ scope, metrics }: any) =>
    metrics.map((metric: any) => {
      const { name, description, unit } = metric.descriptor;
      const head = { name, description, unit, ...origin(resource, scope) };
      const temporality = ['delta', 'cumulative'][metric.aggregationTemporality];
      const points = metric.dataPoints.map(expectedPoint);
      switch (metric.dataPointType) {
        case DataPointType.GAUGE:
          return { ...head, type: 'gauge', points };
        case DataPointType.SUM:
          return { ...head, type: 'sum', monotonic: metric.isMonotonic, temporality, points };
        case DataPointType.HISTOGRAM:
          return { ...head, type: 'histogram', temporality, points };
        default:
          return { ...head, type: 'exponentialHistogram', temporality, points };
      }
    }),
  );
}

function expectedPoint({ attributes, startTime, endTime, value }: any): unknown {
  const head = { attributes, startNs: nanos(startTime), timeNs: nanos(endTime), exemplars: [], flags: 0 };
  if (typeof value === 'number') return { ...head, value };
  const { buckets, positive, negative, ...rest } = value;
  if (buckets) return { ...head, ...rest, bounds: buckets.boundaries, counts: buckets.counts };
  const side = ({ offset, bucketCounts }: any) => ({ offset, counts: bucketCounts });
  return { ...head, ...rest, zeroThreshold: 0, positive: side(positive), negative: side(negative) };
}

function origin(resource: any, scope: any) {
  const all = resource.attributes ?? emptyResource().attributes;
  const name = all['service.name'];
  return {
    resource: all,
    service: typeof name === 'string' && name !== '' ? name : 'unknown_service',
    scope: { name: scope.name, version: scope.version, attributes: scope.attributes },
  };
}

function nanos([seconds, rest]: [number, number]): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(rest);
}

function flags(traceFlags: number, isRemote: boolean | undefined): number {
  return traceFlags | 0x100 | (isRemote ? 0x200 : 0);
}

/** Objects as maps, so that `__proto__` and missing prototypes compare; -0 as 0. */
export function plain(value: any): unknown {
  if (typeof value === 'number') return value + 0;
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(plain);
  return new Map(Object.keys(value).map((key) => [key, plain(value[key])]));
}
