import type { RedNumbers, ServiceMap } from '../api-types.ts';
import type { Hub } from '../hub.ts';
import { lastMinutes } from '../metrics/clock.ts';
import { redNumbers } from '../metrics/red-window.ts';
import { type SpanRecord, unpack } from '../store/span-record.ts';
import type { TraceRecord } from '../store/trace-record.ts';
import { Deadline } from './matching.ts';
import { observedSeconds } from './services.ts';

const SEARCH_MS = 80;
/** Calls beyond these are left out: no one sees more in a picture. */
const MAX_EDGES = 500;
/** Answered calls of an edge whose address is read: a service has few, and reading costs. */
const ADDRESSED_CALLS = 20;
/** Places in `KINDS`. */
const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;

interface Node {
  id: string;
  kind: ServiceMap['nodes'][number]['kind'];
  label: string;
}

interface Edge {
  from: string;
  to: Node;
  durations: number[];
  errors: number;
  /** Callees as the caller addresses them, from the first calls that were answered. */
  addresses: Set<string>;
}

/**
 * Who calls whom, from the traces that began to arrive in the last minutes: a span whose parent belongs to another
 * service is a call; a client span without such a child is a call to something that sends no spans.
 */
export function serviceMap(hub: Hub, minutes: number, now = Date.now()): ServiceMap {
  const since = BigInt(Math.round(now - minutes * 60_000)) * 1_000_000n;
  const edges = new Map<string, Edge>();
  const services = new Set<string>();
  const deadline = new Deadline(SEARCH_MS);
  for (const trace of hub.traces.newest()) {
    if (trace.endNs < since) continue;
    for (const service of trace.services.keys()) services.add(service);
    addCalls(trace, edges);
    if (deadline.passed(trace.spans.length)) break;
  }
  dropUnderWay(edges);
  const range = lastMinutes(minutes, now);
  const seconds = minutes * 60;
  const nodes = new Map<string, ServiceMap['nodes'][number]>();
  for (const service of services) {
    const red = hub.red.get(service);
    const windows = [...(red?.routes.entries.values() ?? [])].map((entry) => entry.window);
    const total = redNumbers(windows, range, observedSeconds(red, range, now));
    nodes.set(service, { id: service, kind: 'service', label: service, total });
  }
  for (const { to } of edges.values()) {
    if (nodes.has(to.id)) continue;
    const calls = [...edges.values()].filter((edge) => edge.to.id === to.id);
    const errors = calls.reduce((sum, edge) => sum + edge.errors, 0);
    nodes.set(to.id, {
      ...to,
      total: numbers(
        calls.flatMap((edge) => edge.durations),
        errors,
        seconds,
      ),
    });
  }
  return {
    nodes: [...nodes.values()],
    edges: [...edges.values()].map(({ from, to, durations, errors }) => ({
      from,
      to: to.id,
      total: numbers(durations, errors, seconds),
    })),
  };
}

function addCalls(trace: TraceRecord, edges: Map<string, Edge>): void {
  const answered = new Set<SpanRecord>();
  for (const span of trace.spans) {
    const parent = span.parentSpanId === '' ? undefined : trace.find(span.parentSpanId);
    const caller = parent ?? (span.kind === CONSUMER ? producerOf(span, trace) : undefined);
    if (caller === undefined || caller.service === span.service) continue;
    const edge = add(edges, caller.service, { id: span.service, kind: 'service', label: span.service }, span);
    if (span.kind !== SERVER && span.kind !== CONSUMER) continue;
    answered.add(caller);
    if (edge && edge.durations.length <= ADDRESSED_CALLS) edge.addresses.add(calleeOf(caller)?.id ?? '');
  }
  for (const span of trace.spans) {
    if ((span.kind !== CLIENT && span.kind !== PRODUCER) || answered.has(span)) continue;
    const callee = calleeOf(span);
    if (callee) add(edges, span.service, callee, span);
  }
}

/** A call whose other side has not arrived yet is no call to a stranger, if that address has answered before. */
function dropUnderWay(edges: Map<string, Edge>): void {
  const known = new Set<string>();
  for (const { from, addresses } of edges.values()) for (const address of addresses) known.add(`${from} → ${address}`);
  for (const key of edges.keys()) if (known.has(key)) edges.delete(key);
}

/** A message's consumer may be in the producer's trace by a link instead of as a child. */
function producerOf(span: SpanRecord, trace: TraceRecord): SpanRecord | undefined {
  if (span.links === 0) return undefined;
  const link = unpack(span).l?.find(([traceId]) => traceId === trace.traceId);
  return link && trace.find(link[1]);
}

function calleeOf(span: SpanRecord): Node | undefined {
  const { a } = unpack(span);
  const text = (...keys: string[]) => {
    const key = keys.find((one) => a[one] !== undefined && a[one] !== '');
    return key === undefined ? '' : String(a[key]);
  };
  const host = text('server.address', 'net.peer.name', 'peer.service');
  const db = text('db.system.name', 'db.system');
  if (db !== '') {
    const label = [db, text('db.namespace', 'db.name')].filter((part) => part !== '').join(' ');
    return { id: `db ${label} ${host}`, kind: 'db', label };
  }
  const queue = text('messaging.destination.name', 'messaging.destination');
  if (queue !== '' || span.kind === PRODUCER) {
    const label = [text('messaging.system'), queue].filter((part) => part !== '').join(' ');
    return { id: `messaging ${label}`, kind: 'messaging', label: label || span.name };
  }
  if (host === '') return undefined;
  const port = text('server.port', 'net.peer.port');
  const label = port === '' ? host : `${host}:${port}`;
  return { id: `external ${label}`, kind: 'external', label };
}

function add(edges: Map<string, Edge>, from: string, to: Node, span: SpanRecord): Edge | undefined {
  const key = `${from} → ${to.id}`;
  let edge = edges.get(key);
  if (edge === undefined) {
    if (edges.size >= MAX_EDGES) return undefined;
    edge = { from, to, durations: [], errors: 0, addresses: new Set() };
    edges.set(key, edge);
  }
  edge.durations.push(Number(span.endNs - span.startNs) / 1e6);
  if (span.error) edge.errors++;
  return edge;
}

function numbers(durations: number[], errors: number, seconds: number): RedNumbers {
  const sorted = durations.toSorted((a, b) => a - b);
  const { length: count } = sorted;
  const quantile = (q: number) => (count === 0 ? null : sorted[Math.min(count - 1, Math.floor(q * count))]);
  return {
    rate: count / seconds,
    count,
    errors,
    errorRatio: count === 0 ? null : errors / count,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
  };
}
