import type { Span } from '../model.ts';
import { Arrivals } from './arrivals.ts';
import { FairQueue } from './fair-queue.ts';
import { Interner } from './interner.ts';
import { packSpan, type SpanRecord } from './span-record.ts';
import { TraceRecord } from './trace-record.ts';

/** What one trace may take of the whole: one that never ends must leave room for the others. */
const TRACE_SHARE = 0.5;
/** Ids of evicted traces that are remembered, so that late spans do not come back as fragments. */
const REMEMBERED = 10_000;

export interface TraceEvents {
  /** A span was stored. */
  added?(trace: TraceRecord, record: SpanRecord, span: Span): void;
  /** A trace made room for others. */
  evicted?(trace: TraceRecord): void;
}

export interface TraceCounts {
  evictedTraces: number;
  evictedSpans: number;
  lateSpans: number;
  oversizedSpans: number;
}

/**
 * Traces within a limit of bytes. A trace is evicted whole, the oldest first, and it is charged to the quietest service
 * that takes part in it: so a chatty service pushes out its own traces, never those in which a quiet one has a part.
 */
export class TraceStore {
  readonly counts: TraceCounts = { evictedTraces: 0, evictedSpans: 0, lateSpans: 0, oversizedSpans: 0 };
  readonly #queue: FairQueue<TraceRecord>;
  readonly #arrivals = new Arrivals<TraceRecord>();
  readonly #byId = new Map<string, TraceRecord>();
  readonly #evicted = new Set<string>();
  readonly #usage = new Map<string, number>();
  readonly #names = new Interner(5_000, 200);
  readonly #resources = new Interner(500, 8_000);
  readonly #maxTraceBytes: number;
  readonly #events: TraceEvents;
  #spans = 0;

  constructor(maxBytes: number, events: TraceEvents = {}) {
    this.#queue = new FairQueue(maxBytes);
    this.#maxTraceBytes = maxBytes * TRACE_SHARE;
    this.#events = events;
  }

  get bytes(): number {
    return this.#queue.bytes;
  }

  get spans(): number {
    return this.#spans;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Number of the newest trace. */
  get last(): number {
    return this.#arrivals.last;
  }

  get(traceId: string): TraceRecord | undefined {
    return this.#byId.get(traceId);
  }

  /** The newest first; see {@link Arrivals.newest}. */
  newest(before?: number, after?: number): Generator<TraceRecord> {
    return this.#arrivals.newest(before, after);
  }

  /** @returns whether the span was kept, as far as is known now. */
  add(span: Span): boolean {
    const trace = this.#byId.get(span.traceId) ?? this.#open(span);
    if (trace === undefined) {
      this.counts.lateSpans++;
      return false;
    }
    const record = packSpan(span, this.#names, this.#resources);
    if (trace.bytes + record.bytes > this.#maxTraceBytes) {
      trace.dropped++;
      trace.version++;
      this.counts.oversizedSpans++;
      return false;
    }
    this.#spans++;
    this.#use(record.service, record.bytes);
    const joined = trace.add(record, span);
    if (trace.lane === '') {
      trace.bytes += record.bytes;
      trace.lane = record.service;
      this.#queue.add(trace.lane, trace);
    } else {
      this.#queue.grow(trace.lane, trace, record.bytes);
      if (joined) this.#charge(trace);
    }
    this.#events.added?.(trace, record, span);
    return true;
  }

  /** Evicts what is too much. To be called after a batch, so that a trace is not cut within one. */
  trim(): void {
    const evict = (trace: TraceRecord) => {
      this.counts.evictedTraces++;
      this.counts.evictedSpans += trace.spans.length;
      this.#forget(trace);
      this.#evicted.add(trace.traceId);
      if (this.#evicted.size > REMEMBERED) this.#evicted.delete(this.#evicted.values().next().value!);
      this.#events.evicted?.(trace);
    };
    // Who is quiet may have changed since the trace came.
    this.#queue.trim(evict, (trace) => (trace.lane = this.#quietest(trace)));
  }

  clear(): void {
    this.#queue.clear();
    this.#arrivals.clear();
    this.#byId.clear();
    this.#evicted.clear();
    this.#usage.clear();
    this.#names.clear();
    this.#resources.clear();
    this.#spans = 0;
    Object.assign(this.counts, { evictedTraces: 0, evictedSpans: 0, lateSpans: 0, oversizedSpans: 0 });
  }

  #open(span: Span): TraceRecord | undefined {
    if (this.#evicted.has(span.traceId)) return undefined;
    const trace = new TraceRecord(span.traceId, this.#arrivals.next());
    this.#byId.set(span.traceId, trace);
    this.#arrivals.add(trace);
    return trace;
  }

  /** Moves a trace to the lane where it belongs. */
  #charge(trace: TraceRecord): void {
    const quietest = this.#quietest(trace);
    if (quietest === trace.lane) return;
    this.#queue.remove(trace.lane, trace);
    trace.lane = quietest;
    this.#queue.add(quietest, trace);
  }

  /** The service of the trace that has the least stored. */
  #quietest(trace: TraceRecord): string {
    let quietest = trace.lane;
    let least = this.#usage.get(quietest) ?? 0;
    for (const service of trace.services.keys()) {
      const used = this.#usage.get(service) ?? 0;
      if (used < least) [quietest, least] = [service, used];
    }
    return quietest;
  }

  #forget(trace: TraceRecord): void {
    this.#byId.delete(trace.traceId);
    this.#arrivals.remove(trace);
    this.#spans -= trace.spans.length;
    for (const [service, { bytes }] of trace.services) this.#use(service, -bytes);
  }

  #use(service: string, bytes: number): void {
    const used = (this.#usage.get(service) ?? 0) + bytes;
    if (used > 0) this.#usage.set(service, used);
    else this.#usage.delete(service);
  }
}
