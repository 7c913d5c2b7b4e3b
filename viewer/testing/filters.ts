import { isDeepStrictEqual } from 'node:util';
import type { Attributes, LogRecord, Span, SpanKind, StatusCode, Value } from '../model.ts';

/** A span must have all that is given. A `RegExp` is searched for, everything else must be equal. */
export interface SpanShape {
  name?: string | RegExp;
  service?: string | RegExp;
  kind?: SpanKind;
  traceId?: string;
  spanId?: string;
  parentSpanId?: string;
  status?: StatusCode;
  scope?: string | RegExp;
  attributes?: AttributesShape;
}

/** A log record must have all that is given. `body` is compared with a text body, or with JSON of any other. */
export interface LogShape {
  body?: string | RegExp;
  service?: string | RegExp;
  severityText?: string | RegExp;
  /** At least this severity number: 9 info, 13 warn, 17 error. */
  minSeverity?: number;
  traceId?: string;
  spanId?: string;
  scope?: string | RegExp;
  attributes?: AttributesShape;
}

/** Values that attributes must have; `undefined` means that the attribute must be absent. */
export type AttributesShape = { [key: string]: Value | RegExp | undefined };

export type SpanFilter = SpanShape | ((span: Span) => boolean);
export type LogFilter = LogShape | ((log: LogRecord) => boolean);

export function spanMatcher(filter: SpanFilter = {}): (span: Span) => boolean {
  if (typeof filter === 'function') return filter;
  return (span) =>
    matches(span.name, filter.name) &&
    matches(span.service, filter.service) &&
    matches(span.kind, filter.kind) &&
    matches(span.traceId, filter.traceId) &&
    matches(span.spanId, filter.spanId) &&
    matches(span.parentSpanId, filter.parentSpanId) &&
    matches(span.status.code, filter.status) &&
    matches(span.scope.name, filter.scope) &&
    attributesMatch(span.attributes, filter.attributes);
}

export function logMatcher(filter: LogFilter = {}): (log: LogRecord) => boolean {
  if (typeof filter === 'function') return filter;
  return (log) =>
    matches(bodyText(log.body), filter.body) &&
    matches(log.service, filter.service) &&
    matches(log.severityText, filter.severityText) &&
    (filter.minSeverity === undefined || log.severityNumber >= filter.minSeverity) &&
    matches(log.traceId, filter.traceId) &&
    matches(log.spanId, filter.spanId) &&
    matches(log.scope.name, filter.scope) &&
    attributesMatch(log.attributes, filter.attributes);
}

/** A log body as text. */
export function bodyText(body: Value): string {
  if (typeof body === 'string') return body;
  return JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}

function matches(actual: Value | undefined, wanted: Value | RegExp | undefined): boolean {
  if (wanted === undefined) return true;
  if (wanted instanceof RegExp) return typeof actual === 'string' && actual.search(wanted) !== -1;
  return plainEqual(actual, wanted);
}

function attributesMatch(actual: Attributes, wanted: AttributesShape = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => (value === undefined ? !(key in actual) : matches(actual[key], value)));
}

/** Deep equality that does not mind that decoded objects have no prototype. */
function plainEqual(a: Value | undefined, b: Value): boolean {
  return Object.is(a, b) || (typeof a === 'object' && typeof b === 'object' && isDeepStrictEqual(plain(a), plain(b)));
}

function plain(value: Value): unknown {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(plain);
  return new Map(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
