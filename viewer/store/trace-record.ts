import { CORRELATION_ID } from '../../instrumentation/names.ts';
import type { TraceSummary } from '../api-types.ts';
import type { Span } from '../model.ts';
import type { Arrived } from './arrivals.ts';
import type { SpanRecord } from './span-record.ts';

/** From here on a trace finds its spans by a map instead of by looking at each. */
const MAP_FROM = 24;

/** Everything that arrived of one trace. */
export class TraceRecord implements Arrived {
  readonly traceId: string;
  readonly seq: number;
  gone = false;
  /** With those of its spans. */
  bytes = 650;
  /** The lane it is charged to; see TraceStore. */
  lane = '';
  /** Grows with every change. */
  version = 0;
  readonly spans: SpanRecord[] = [];
  readonly services = new Map<string, { spans: number; errors: number; bytes: number }>();
  root: SpanRecord | undefined;
  startNs = 0n;
  endNs = 0n;
  errors = 0;
  correlationId = '';
  httpStatus: number | null = null;
  /** Spans that were refused because the trace is too large. */
  dropped = 0;
  #ids: Map<string, SpanRecord> | undefined;

  constructor(traceId: string, seq: number) {
    this.traceId = traceId;
    this.seq = seq;
  }

  /** @returns whether its service is new to the trace. */
  add(record: SpanRecord, span: Span): boolean {
    const first = this.spans.length === 0;
    this.spans.push(record);
    if (this.#ids && !this.#ids.has(record.spanId)) this.#ids.set(record.spanId, record);
    if (first || record.startNs < this.startNs) this.startNs = record.startNs;
    if (first || record.endNs > this.endNs) this.endNs = record.endNs;
    if (record.error) this.errors++;
    if (this.correlationId === '') this.correlationId = textOf(span.attributes[CORRELATION_ID]);
    if (record.parentSpanId === '' && this.root === undefined) {
      this.root = record;
      this.httpStatus = numberOf(span.attributes['http.response.status_code'] ?? span.attributes['http.status_code']);
    }
    this.version++;
    const known = this.services.get(record.service);
    if (known) {
      known.spans++;
      known.bytes += record.bytes;
      if (record.error) known.errors++;
      return false;
    }
    this.services.set(record.service, { spans: 1, errors: record.error ? 1 : 0, bytes: record.bytes });
    return true;
  }

  /** The first span of that id. */
  find(spanId: string): SpanRecord | undefined {
    if (this.spans.length < MAP_FROM) return this.spans.find((span) => span.spanId === spanId);
    if (this.#ids === undefined) {
      this.#ids = new Map();
      for (const span of this.spans) if (!this.#ids.has(span.spanId)) this.#ids.set(span.spanId, span);
    }
    return this.#ids.get(spanId);
  }

  /** The root, or while it is missing the span that started first. */
  get head(): SpanRecord {
    return this.root ?? this.spans.reduce((first, span) => (span.startNs < first.startNs ? span : first));
  }

  get durationMs(): number {
    return Number(this.endNs - this.startNs) / 1e6;
  }

  summary(logs: number): TraceSummary {
    const { head } = this;
    return {
      traceId: this.traceId,
      name: head.name,
      service: head.service,
      services: [...this.services].map(([service, { spans, errors }]) => ({ service, spans, errors })),
      startedAt: toMillis(this.startNs),
      startNs: String(this.startNs),
      durationMs: this.durationMs,
      spans: this.spans.length,
      errors: this.errors,
      logs,
      httpStatus: this.httpStatus,
      rootSeen: this.root !== undefined,
      correlationId: this.correlationId,
      droppedSpans: this.dropped,
    };
  }
}

/** Nanoseconds since the epoch as milliseconds with a fraction. */
export function toMillis(ns: bigint): number {
  return Number(ns / 1000n) / 1000;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown): number | null {
  const n = typeof value === 'string' ? Number(value) : value;
  return typeof n === 'number' && Number.isInteger(n) ? n : null;
}
