import type { JsonAttributes } from '../api-types.ts';
import { KINDS, type Span, type StatusCode } from '../model.ts';
import type { Interner } from './interner.ts';
import { jsonAttributes, textBytes } from './json.ts';

/**
 * A span at rest: what lists and waterfalls need as fields, everything else as one JSON text. A text takes a third of
 * the memory of the objects it describes, its size is known, and it can be searched as it is.
 */
export interface SpanRecord {
  spanId: string;
  /** Empty for a root. */
  parentSpanId: string;
  name: string;
  service: string;
  /** Place in `KINDS`. */
  kind: number;
  startNs: bigint;
  endNs: bigint;
  error: boolean;
  flags: number;
  events: number;
  exception: boolean;
  links: number;
  /** {@link Details} as JSON. */
  details: string;
  /** Resource attributes as JSON, shared. */
  resource: string;
  bytes: number;
}

/** The rest of a span; short keys, and only what is there, because it is kept a hundred thousand times. */
export interface Details {
  /** Attributes. */
  a: JsonAttributes;
  /** Events: nanoseconds, name, attributes. */
  e?: [string, string, JsonAttributes][];
  /** Links: trace, span, attributes. */
  l?: [string, string, JsonAttributes][];
  /** Scope: name, version. */
  s?: [string, string];
  /** Status: code, message. */
  c?: [StatusCode, string];
  /** Trace state. */
  t?: string;
  /** Attributes, events, links that the sender cut off. */
  d?: [number, number, number];
}

/** Bytes of the record itself: fields, two ids, two times. Measured; see the budget's test. */
const RECORD_BYTES = 400;

export function packSpan(span: Span, names: Interner, resources: Interner): SpanRecord {
  const { events, links, scope, status, dropped } = span;
  const rest: Details = { a: jsonAttributes(span.attributes) };
  if (events.length > 0) rest.e = events.map((one) => [String(one.timeNs), one.name, jsonAttributes(one.attributes)]);
  if (links.length > 0) rest.l = links.map((one) => [one.traceId, one.spanId, jsonAttributes(one.attributes)]);
  if (scope.name !== '' || scope.version !== '') rest.s = [scope.name, scope.version];
  if (status.code !== 'unset' || status.message !== '') rest.c = [status.code, status.message];
  if (span.traceState !== '') rest.t = span.traceState;
  if (dropped.attributes + dropped.events + dropped.links > 0) {
    rest.d = [dropped.attributes, dropped.events, dropped.links];
  }
  const details = JSON.stringify(rest);
  const resource = resourceText(span.resource, resources);
  const name = names.share(span.name);
  const own = textBytes(details) + resource.own + (name === undefined ? textBytes(span.name) : 0);
  return {
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name: name ?? span.name,
    service: names.share(span.service) ?? span.service,
    kind: KINDS.indexOf(span.kind),
    startNs: span.startNs,
    endNs: span.endNs,
    error: status.code === 'error',
    flags: span.flags,
    events: events.length,
    exception: events.some((one) => one.name === 'exception'),
    links: links.length,
    details,
    resource: resource.text,
    bytes: RECORD_BYTES + own,
  };
}

export function unpack(record: SpanRecord): Details {
  return JSON.parse(record.details);
}

/** One request carries one resource object for all of its records: made text once. */
const texts = new WeakMap<object, { text: string; own: number }>();

function resourceText(resource: Span['resource'], resources: Interner) {
  let known = texts.get(resource);
  if (known === undefined) {
    const text = JSON.stringify(jsonAttributes(resource));
    const shared = resources.share(text);
    texts.set(resource, (known = { text: shared ?? text, own: shared === undefined ? textBytes(text) : 0 }));
  }
  return known;
}
