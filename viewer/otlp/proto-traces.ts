import {
  attributes,
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
import { keyValue, request } from './proto-common.ts';
import { BYTES, FIXED32, FIXED64, field, Reader, VARINT } from './reader.ts';

const SPAN = {
  traceId: field(1, BYTES),
  spanId: field(2, BYTES),
  traceState: field(3, BYTES),
  parentSpanId: field(4, BYTES),
  name: field(5, BYTES),
  kind: field(6, VARINT),
  start: field(7, FIXED64),
  end: field(8, FIXED64),
  attribute: field(9, BYTES),
  droppedAttributes: field(10, VARINT),
  event: field(11, BYTES),
  droppedEvents: field(12, VARINT),
  link: field(13, BYTES),
  droppedLinks: field(14, VARINT),
  status: field(15, BYTES),
  flags: field(16, FIXED32),
};
const EVENT = { time: field(1, FIXED64), name: field(2, BYTES), attribute: field(3, BYTES) };
const LINK = {
  traceId: field(1, BYTES),
  spanId: field(2, BYTES),
  traceState: field(3, BYTES),
  attribute: field(4, BYTES),
  flags: field(6, FIXED32),
};
const STATUS = { message: field(2, BYTES), code: field(3, VARINT) };

/** Decodes an `ExportTraceServiceRequest`. @throws {DecodeError} */
export function decodeTraces(body: Buffer): Decoded<Span> {
  const out: Decoded<Span> = { records: [], rejected: 0, reason: '' };
  request(new Reader(body), (r, resource, scope) => {
    const span = readSpan(r, resource, scope);
    const fault = spanFault(span);
    if (fault === '') out.records.push(span);
    else refuse(out, fault);
  });
  return out;
}

function readSpan(r: Reader, resource: Resource, scope: Scope): Span {
  const span: Span = {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    name: '',
    kind: 'unspecified',
    startNs: 0n,
    endNs: 0n,
    durationMs: 0,
    status: { code: 'unset', message: '' },
    attributes: attributes(),
    events: [],
    links: [],
    resource: resource.attributes,
    service: resource.service,
    scope,
    flags: 0,
    traceState: '',
    dropped: { attributes: 0, events: 0, links: 0 },
  };
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    switch (tag) {
      case SPAN.traceId:
        span.traceId = r.hex();
        break;
      case SPAN.spanId:
        span.spanId = r.hex();
        break;
      case SPAN.traceState:
        span.traceState = r.string();
        break;
      case SPAN.parentSpanId:
        span.parentSpanId = r.hex();
        break;
      case SPAN.name:
        span.name = r.string();
        break;
      case SPAN.kind:
        span.kind = KINDS[r.int32()] ?? 'unspecified';
        break;
      case SPAN.start:
        span.startNs = r.fixed64();
        break;
      case SPAN.end:
        span.endNs = r.fixed64();
        break;
      case SPAN.attribute:
        keyValue(r, span.attributes);
        break;
      case SPAN.droppedAttributes:
        span.dropped.attributes = r.uint32();
        break;
      case SPAN.event:
        span.events.push(readEvent(r));
        break;
      case SPAN.droppedEvents:
        span.dropped.events = r.uint32();
        break;
      case SPAN.link:
        span.links.push(readLink(r));
        break;
      case SPAN.droppedLinks:
        span.dropped.links = r.uint32();
        break;
      case SPAN.status:
        readStatus(r, span.status);
        break;
      case SPAN.flags:
        span.flags = r.fixed32();
        break;
      default:
        r.skip();
    }
  }
  r.leave(outer);
  span.durationMs = millis(span.startNs, span.endNs);
  return span;
}

function readEvent(r: Reader): SpanEvent {
  const event: SpanEvent = { timeNs: 0n, name: '', attributes: attributes() };
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === EVENT.time) event.timeNs = r.fixed64();
    else if (tag === EVENT.name) event.name = r.string();
    else if (tag === EVENT.attribute) keyValue(r, event.attributes);
    else r.skip();
  }
  r.leave(outer);
  return event;
}

function readLink(r: Reader): SpanLink {
  const link: SpanLink = { traceId: '', spanId: '', traceState: '', flags: 0, attributes: attributes() };
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === LINK.traceId) link.traceId = r.hex();
    else if (tag === LINK.spanId) link.spanId = r.hex();
    else if (tag === LINK.traceState) link.traceState = r.string();
    else if (tag === LINK.attribute) keyValue(r, link.attributes);
    else if (tag === LINK.flags) link.flags = r.fixed32();
    else r.skip();
  }
  r.leave(outer);
  return link;
}

function readStatus(r: Reader, status: Span['status']): void {
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === STATUS.message) status.message = r.string();
    else if (tag === STATUS.code) status.code = STATUS_CODES[r.int32()] ?? 'unset';
    else r.skip();
  }
  r.leave(outer);
}
