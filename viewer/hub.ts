import { METRICS_URL } from '../instrumentation/names.ts';
import type { Dropped, Storage } from './api-types.ts';
import type { Family } from './metrics/family.ts';
import { familyOf } from './metrics/from-otlp.ts';
import { MetricStore, type Reading, SERIES_BYTES } from './metrics/metric-store.ts';
import { RedBook } from './metrics/red-book.ts';
import { failed, redOfSpan } from './metrics/red-of-span.ts';
import type { Attributes, LogRecord, Metric, Span } from './model.ts';
import { Changes } from './store/changes.ts';
import { type LogLine, LogStore } from './store/log-store.ts';
import { Services } from './store/services.ts';
import type { SpanRecord } from './store/span-record.ts';
import type { TraceRecord } from './store/trace-record.ts';
import { TraceStore } from './store/trace-store.ts';

/** What the whole of the telemetry may take, if nothing else is said. */
export const DEFAULT_MEMORY_BYTES = 64 * 1024 * 1024;
/** Of this, traces and logs have so much; the rest is for metrics, which are bounded by their number. */
const TRACE_SHARE = 0.62;
const LOG_SHARE = 0.22;
const ERROR_SEVERITY = 17;
/** A span is counted when it ended; one from a clock that is far off is counted when it came. */
const CLOCK_TOLERANCE_MS = 60_000;

export interface HubOptions {
  memoryBytes?: number;
  /** Called with every scrape address that a resource announces, with its service. */
  announced?: (url: string, service: string) => void;
}

/** Told of everything that comes into the store and goes out of it. */
export interface Journal {
  span(traceId: string, record: SpanRecord): void;
  log(line: LogLine): void;
  traceGone(traceId: string): void;
  logGone(seq: number): void;
  cleared(): void;
}

/** Everything that the viewer knows: what comes in is put where it belongs. */
export class Hub {
  readonly startedAt = Date.now();
  readonly changes = new Changes();
  readonly services = new Services();
  readonly red = new RedBook();
  readonly metrics = new MetricStore(this.red);
  readonly traces: TraceStore;
  readonly logs: LogStore;
  readonly memoryBytes: number;
  readonly #options: HubOptions;
  /** Grows with every clear. */
  generation = 0;
  /** Records that could not be read. */
  rejected = 0;
  /** File in which the telemetry is kept, if any. */
  database: string | null = null;
  /** Told of what goes in and out, to keep it elsewhere. */
  journal: Journal | undefined;

  constructor(options: HubOptions = {}) {
    const { memoryBytes = DEFAULT_MEMORY_BYTES } = options;
    this.#options = options;
    this.memoryBytes = memoryBytes;
    this.traces = new TraceStore(memoryBytes * TRACE_SHARE, {
      added: (trace, record) => this.journal?.span(trace.traceId, record),
      evicted: (trace) => this.#evicted(trace),
    });
    this.logs = new LogStore(memoryBytes * LOG_SHARE, (line) => {
      const service = this.services.get(line.service);
      if (service) service.droppedLogs++;
      this.journal?.logGone(line.seq);
    });
  }

  addSpans(spans: readonly Span[], now = Date.now()): void {
    let resource: Attributes | undefined;
    for (const span of spans) {
      if (span.resource !== resource) {
        resource = span.resource;
        this.#heard(span.service, resource, now);
      }
      const kept = this.traces.add(span);
      const service = this.services.get(span.service);
      if (service) {
        service.spans++;
        if (!kept) service.droppedSpans++;
      }
      this.#countRequest(span, now);
      if (kept) this.changes.trace(span.traceId);
    }
    this.traces.trim();
    this.changes.flush();
  }

  /** Takes back what was kept elsewhere: its age counts, and the journal is not told. */
  restoreSpans(spans: Iterable<Span>): void {
    for (const span of spans) {
      const endMs = Number(span.endNs / 1_000_000n);
      const service = this.services.heard(span.service, span.resource, endMs);
      service.spans++;
      this.traces.add(span);
      this.traces.trim();
      // Windows leave out by themselves what is too old for them.
      this.#countRequest(span, endMs);
    }
  }

  restoreLogs(logs: Iterable<{ seq: number; log: LogRecord }>): void {
    for (const { seq, log } of logs) {
      this.services.heard(log.service, undefined, Number(log.timeNs / 1_000_000n)).logs++;
      this.logs.add(log, seq);
      this.logs.trim();
    }
  }

  addLogs(logs: readonly LogRecord[], now = Date.now()): void {
    let resource: Attributes | undefined;
    for (const log of logs) {
      if (log.resource !== resource) {
        resource = log.resource;
        this.#heard(log.service, resource, now);
      }
      const service = this.services.get(log.service);
      if (service) {
        service.logs++;
        if (log.severityNumber >= ERROR_SEVERITY) this.services.errorLog(service, timeOf(log.timeNs, now));
      }
      const line = this.logs.add(log);
      this.journal?.log(line);
      if (log.traceId !== '' && this.traces.get(log.traceId)) this.changes.trace(log.traceId);
    }
    if (logs.length > 0) this.changes.note('logs');
    this.logs.trim();
    this.changes.flush();
  }

  addMetrics(metrics: readonly Metric[], now = Date.now()): void {
    const bySource = new Map<Attributes, { service: string; families: Family[] }>();
    for (const metric of metrics) {
      let group = bySource.get(metric.resource);
      if (group === undefined) {
        this.#heard(metric.service, metric.resource, now);
        bySource.set(metric.resource, (group = { service: metric.service, families: [] }));
      }
      group.families.push(familyOf(metric));
    }
    for (const [resource, { service, families }] of bySource) {
      this.metrics.ingest({ service, source: `otlp ${resource['service.instance.id'] ?? ''}`, at: now }, families);
    }
    if (metrics.length > 0) this.changes.note('metrics');
    this.changes.flush();
  }

  /** What was scraped. */
  addFamilies(reading: Reading, families: readonly Family[]): number {
    this.services.heard(reading.service, undefined, reading.at);
    const series = this.metrics.ingest(reading, families);
    this.changes.note('metrics');
    this.changes.flush();
    return series;
  }

  clear(): void {
    for (const part of [this.traces, this.logs, this.services, this.red, this.metrics]) part.clear();
    this.rejected = 0;
    this.generation++;
    this.journal?.cleared();
    this.changes.note('other');
    this.changes.flush();
  }

  storage(): Storage {
    return {
      usedBytes: Math.round(this.traces.bytes + this.logs.bytes + this.metrics.series * SERIES_BYTES),
      maxBytes: this.memoryBytes,
      spans: this.traces.spans,
      traces: this.traces.size,
      logs: this.logs.size,
      series: this.metrics.series,
      database: this.database,
    };
  }

  dropped(): Dropped {
    const byService = [...this.services.values()]
      .filter(({ droppedSpans, droppedLogs }) => droppedSpans + droppedLogs > 0)
      .map(({ name, droppedSpans, droppedLogs }) => ({ service: name, spans: droppedSpans, logs: droppedLogs }));
    return {
      ...this.traces.counts,
      evictedLogs: this.logs.evicted,
      rejected: this.rejected,
      series: this.metrics.dropped,
      byService,
    };
  }

  /** All that was given up, as one number. */
  get droppedTotal(): number {
    const { evictedSpans, lateSpans, oversizedSpans } = this.traces.counts;
    return evictedSpans + lateSpans + oversizedSpans + this.logs.evicted + this.rejected + this.metrics.dropped;
  }

  #heard(service: string, resource: Attributes, now: number): void {
    this.services.heard(service, resource, now);
    const url = resource[METRICS_URL];
    if (typeof url === 'string') this.#options.announced?.(url, service);
  }

  #countRequest(span: Span, now: number): void {
    const key = redOfSpan(span);
    if (key === undefined) return;
    const { service, traceId, spanId, durationMs } = span;
    const at = timeOf(span.endNs, now);
    const seconds = Math.max(0, durationMs / 1000);
    this.red.observe(service, key, { at, seconds, error: failed(span), traceId, spanId }, now);
  }

  #evicted(trace: TraceRecord): void {
    for (const [name, { spans }] of trace.services) {
      const service = this.services.get(name);
      if (service) service.droppedSpans += spans;
    }
    this.journal?.traceGone(trace.traceId);
  }
}

function timeOf(ns: bigint, now: number): number {
  const ms = Number(ns / 1_000_000n);
  return Math.abs(now - ms) < CLOCK_TOLERANCE_MS ? ms : now;
}
