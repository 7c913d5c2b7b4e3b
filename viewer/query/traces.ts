import { CORRELATION_ID } from '../../instrumentation/names.ts';
import type { TraceList, TraceQuery } from '../api-types.ts';
import type { LogStore } from '../store/log-store.ts';
import type { SpanRecord } from '../store/span-record.ts';
import type { TraceRecord } from '../store/trace-record.ts';
import type { TraceStore } from '../store/trace-store.ts';
import { attributeTest, bounded, Deadline, list, wordsTest } from './matching.ts';

const SEARCH_MS = 60;

/** Traces that pass the query, the newest first. */
export function listTraces(traces: TraceStore, logs: LogStore, query: TraceQuery): TraceList {
  const limit = bounded(query.limit, 50, 500);
  const test = traceTest(query);
  const deadline = new Deadline(SEARCH_MS);
  const found: TraceList = { traces: [], next: null, newest: String(traces.last), incomplete: false };
  for (const trace of traces.newest(cursor(query.before), cursor(query.after))) {
    if (test(trace)) found.traces.push(trace.summary(logs.ofTrace(trace.traceId).length));
    const full = found.traces.length >= limit;
    if (full || deadline.passed(trace.spans.length)) {
      found.next = String(trace.seq);
      found.incomplete = !full;
      break;
    }
  }
  return found;
}

function cursor(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function traceTest(query: TraceQuery): (trace: TraceRecord) => boolean {
  const tests: ((trace: TraceRecord) => boolean)[] = [];
  const { service, name, status, correlation, text } = query;
  if (service) tests.push((trace) => trace.services.has(service));
  if (status === 'error') tests.push((trace) => trace.errors > 0);
  if (status === 'ok') tests.push((trace) => trace.errors === 0);
  const minMs = Number(query.minMs ?? Number.NaN);
  const maxMs = Number(query.maxMs ?? Number.NaN);
  if (minMs >= 0) tests.push((trace) => trace.durationMs >= minMs);
  if (maxMs >= 0) tests.push((trace) => trace.durationMs <= maxMs);
  if (name) tests.push(someSpan(spanNameTest(name)));
  for (const filter of list(query.attr)) {
    const own = attributeTest(filter, (parsed) => parsed.a);
    const ofResource = attributeTest(filter);
    tests.push(someSpan((span) => own(span.details) || ofResource(span.resource)));
  }
  if (correlation) {
    const test = attributeTest(`${CORRELATION_ID}=${correlation}`, (parsed) => parsed.a);
    const some = someSpan((span) => test(span.details));
    tests.push((trace) => trace.correlationId === correlation || some(trace));
  }
  if (text && /^[0-9a-f]{32}$/i.test(text.trim())) {
    const id = text.trim().toLowerCase();
    tests.push((trace) => trace.traceId === id);
  } else if (text) {
    const words = wordsTest(text);
    tests.push(someSpan((span) => words([span.name, span.service], [span.details])));
  }
  return (trace) => tests.every((test) => test(trace));
}

/** A route is part of the span's name (`GET /orders/:id`): both are found by their text. */
function spanNameTest(name: string): (span: SpanRecord) => boolean {
  const wanted = name.toLowerCase();
  return (span) => span.name.toLowerCase().includes(wanted);
}

function someSpan(test: (span: SpanRecord) => boolean): (trace: TraceRecord) => boolean {
  return (trace) => trace.spans.some(test);
}
