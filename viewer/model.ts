/**
 * Decoded telemetry: one shape for what protobuf and JSON bodies carry.
 *
 * Times are nanoseconds since the epoch as `bigint`, because a double cannot hold them.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto
 */

/** An OTLP `AnyValue`. Integers beyond 2^53 are `bigint`, all other numbers are `number`. */
export type Value = string | number | bigint | boolean | null | Uint8Array | Value[] | { [key: string]: Value };

/** Attributes by key; the object has no prototype, so that a key such as `__proto__` is a key like any other. */
export type Attributes = { [key: string]: Value };

export type SpanKind = 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';
export type StatusCode = 'unset' | 'ok' | 'error';

/** The instrumentation scope that made a record. */
export interface Scope {
  name: string;
  version: string;
  attributes: Attributes;
}

/** Who sent a record: resource attributes, and the service's name taken from them. */
export interface Resource {
  /** `service.namespace/service.name` where both are set, else `service.name`, else `unknown_service`. */
  service: string;
  attributes: Attributes;
}

export interface SpanEvent {
  timeNs: bigint;
  name: string;
  attributes: Attributes;
}

export interface SpanLink {
  traceId: string;
  spanId: string;
  traceState: string;
  flags: number;
  attributes: Attributes;
}

export interface Span {
  /** 32 lower-case hex digits. */
  traceId: string;
  /** 16 lower-case hex digits. */
  spanId: string;
  /** 16 lower-case hex digits, or empty for a root span. */
  parentSpanId: string;
  name: string;
  kind: SpanKind;
  startNs: bigint;
  endNs: bigint;
  /** `endNs - startNs` in milliseconds; negative where the sender's clock was set back. */
  durationMs: number;
  status: { code: StatusCode; message: string };
  attributes: Attributes;
  events: SpanEvent[];
  links: SpanLink[];
  /** Resource attributes. */
  resource: Attributes;
  service: string;
  scope: Scope;
  /** W3C trace flags in the low byte, OTLP's own flags above. */
  flags: number;
  traceState: string;
  /** What the sender cut off by its own limits. */
  dropped: { attributes: number; events: number; links: number };
}

export interface LogRecord {
  /** When it happened; the time it was observed where the sender gave no other. */
  timeNs: bigint;
  observedNs: bigint;
  /** 1–24 (9 info, 13 warn, 17 error), 0 if unknown. */
  severityNumber: number;
  severityText: string;
  body: Value;
  attributes: Attributes;
  /** 32 lower-case hex digits, or empty. */
  traceId: string;
  /** 16 lower-case hex digits, or empty. */
  spanId: string;
  flags: number;
  eventName: string;
  service: string;
  /** Resource attributes. */
  resource: Attributes;
  scope: Scope;
  /** Attributes that the sender cut off. */
  dropped: number;
}

export interface Exemplar {
  timeNs: bigint;
  value: number;
  /** Empty where the exemplar has no span. */
  traceId: string;
  spanId: string;
  attributes: Attributes;
}

export type Temporality = 'unspecified' | 'delta' | 'cumulative';

interface Point {
  startNs: bigint;
  timeNs: bigint;
  attributes: Attributes;
  exemplars: Exemplar[];
  flags: number;
}

export interface NumberPoint extends Point {
  value: number;
}

export interface HistogramPoint extends Point {
  count: number;
  sum: number | undefined;
  min: number | undefined;
  max: number | undefined;
  /** Upper bounds; there is one more count than bounds, the last for what is above them all. */
  bounds: number[];
  counts: number[];
}

export interface ExponentialPoint extends Point {
  count: number;
  sum: number | undefined;
  min: number | undefined;
  max: number | undefined;
  scale: number;
  zeroCount: number;
  zeroThreshold: number;
  positive: { offset: number; counts: number[] };
  negative: { offset: number; counts: number[] };
}

export interface SummaryPoint extends Point {
  count: number;
  sum: number;
  quantiles: { quantile: number; value: number }[];
}

interface MetricHead {
  name: string;
  description: string;
  unit: string;
  service: string;
  /** Resource attributes. */
  resource: Attributes;
  scope: Scope;
}

/** A metric as it came, under the sender's own name (`http.server.request.duration`). */
export type Metric = MetricHead &
  (
    | { type: 'gauge'; points: NumberPoint[] }
    | { type: 'sum'; monotonic: boolean; temporality: Temporality; points: NumberPoint[] }
    | { type: 'histogram'; temporality: Temporality; points: HistogramPoint[] }
    | { type: 'exponentialHistogram'; temporality: Temporality; points: ExponentialPoint[] }
    | { type: 'summary'; points: SummaryPoint[] }
  );

export type Signal = 'traces' | 'logs' | 'metrics';

/** The records of one export request, and those that had to be refused (OTLP's partial success). */
export interface Decoded<T> {
  records: T[];
  rejected: number;
  /** Why the first refused record was refused; empty if none was. */
  reason: string;
}

export const KINDS: readonly SpanKind[] = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
export const STATUS_CODES: readonly StatusCode[] = ['unset', 'ok', 'error'];
export const TEMPORALITIES: readonly Temporality[] = ['unspecified', 'delta', 'cumulative'];

const Bare = function Bare() {} as unknown as new () => Attributes;
Bare.prototype = Object.create(null);

/**
 * An empty object that inherits nothing, not even `__proto__`. Made by a constructor, because V8 keeps the fields of
 * `Object.create(null)` in a hash table: several times the memory, and slow to fill and to walk through.
 */
export function attributes(): Attributes {
  return new Bare();
}

/** The service that resource attributes name. */
export function serviceOf(resource: Attributes): string {
  const name = resource['service.name'];
  const namespace = resource['service.namespace'];
  const service = typeof name === 'string' && name !== '' ? name : 'unknown_service';
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}/${service}` : service;
}

/** Milliseconds between two times. */
export function millis(startNs: bigint, endNs: bigint): number {
  return Number(endNs - startNs) / 1e6;
}
