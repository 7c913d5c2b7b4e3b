import {
  type Decoded,
  KINDS,
  millis,
  type Resource,
  type Scope,
  type Span,
  type SpanEvent,
  type SpanLink,
  STATUS_CODES,
} from '../model.ts';
import { refuse, spanFault } from './checks.ts';
import {
  enumeration,
  hex,
  integer,
  type Json,
  keyValues,
  nanos,
  objects,
  optional,
  parse,
  request,
  text,
} from './json-common.ts';

const NAMES = { resources: 'resourceSpans', scopes: 'scopeSpans', records: 'spans' };

/** Decodes an `ExportTraceServiceRequest` in OTLP/JSON. @throws {DecodeError} */
export function decodeTracesJson(body: Buffer): Decoded<Span> {
  const out: Decoded<Span> = { records: [], rejected: 0, reason: '' };
  request(parse(body), NAMES, (json, resource, scope) => {
    const span = readSpan(json, resource, scope);
    const fault = spanFault(span);
    if (fault === '') out.records.push(span);
    else refuse(out, fault);
  });
  return out;
}

function readSpan(json: Json, resource: Resource, scope: Scope): Span {
  const startNs = nanos(json, 'startTimeUnixNano');
  const endNs = nanos(json, 'endTimeUnixNano');
  const status = optional(json, 'status');
  return {
    traceId: hex(json, 'traceId'),
    spanId: hex(json, 'spanId'),
    parentSpanId: hex(json, 'parentSpanId'),
    name: text(json, 'name'),
    kind: enumeration(json, 'kind', KINDS),
    startNs,
    endNs,
    durationMs: millis(startNs, endNs),
    status: { code: enumeration(status, 'code', STATUS_CODES), message: text(status, 'message') },
    attributes: keyValues(json, 'attributes'),
    events: objects(json, 'events').map(readEvent),
    links: objects(json, 'links').map(readLink),
    resource: resource.attributes,
    service: resource.service,
    scope,
    flags: integer(json, 'flags'),
    traceState: text(json, 'traceState'),
    dropped: {
      attributes: integer(json, 'droppedAttributesCount'),
      events: integer(json, 'droppedEventsCount'),
      links: integer(json, 'droppedLinksCount'),
    },
  };
}

function readEvent(json: Json): SpanEvent {
  return {
    timeNs: nanos(json, 'timeUnixNano'),
    name: text(json, 'name'),
    attributes: keyValues(json, 'attributes'),
  };
}

function readLink(json: Json): SpanLink {
  return {
    traceId: hex(json, 'traceId'),
    spanId: hex(json, 'spanId'),
    traceState: text(json, 'traceState'),
    flags: integer(json, 'flags'),
    attributes: keyValues(json, 'attributes'),
  };
}
