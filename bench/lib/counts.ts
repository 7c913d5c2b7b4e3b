import type { LogRecord, Metric, Span } from '../../viewer/model.ts';

export type SpanClass = 'server' | 'pg' | 'fetch' | 'other';

/** What a sink has received. */
export interface Counts {
  spans: Record<SpanClass, number>;
  /** Log records that carry a trace's id. */
  logs: number;
  /** Requests that duration histograms have counted. */
  requests: number;
  /** Export requests, and their bytes as sent. */
  exports: number;
  bytes: number;
  /** Bodies that could not be read; not 0 means that the other numbers are too small. */
  unread: number;
}

/** Adds up what variants send in their own formats. */
export class Counter {
  readonly #spans: Record<SpanClass, number> = { server: 0, pg: 0, fetch: 0, other: 0 };
  readonly #ids = new Set<string>();
  readonly #cumulative = new Map<string, number>();
  #delta = 0;
  #logs = 0;

  /** @param id counts once: an export may be repeated. */
  span(kind: SpanClass, id?: string): void {
    if (id !== undefined) {
      if (this.#ids.has(id)) return;
      this.#ids.add(id);
    }
    this.#spans[kind]++;
  }

  otlpSpans(spans: readonly Span[]): void {
    for (const span of spans) this.span(classOf(span), `${span.traceId}${span.spanId}`);
  }

  otlpLogs(records: readonly Pick<LogRecord, 'traceId'>[]): void {
    for (const { traceId } of records) if (traceId !== '') this.#logs++;
  }

  logs(count: number): void {
    this.#logs += count;
  }

  otlpMetrics(metrics: readonly Metric[]): void {
    for (const metric of metrics) {
      if (!SERVER_DURATIONS.has(metric.name)) continue;
      if (metric.type !== 'histogram' && metric.type !== 'exponentialHistogram') continue;
      for (const { attributes, count } of metric.points) {
        if (metric.temporality === 'delta') this.#delta += count;
        // The last of a series has all that came before.
        else this.#cumulative.set(`${metric.name} ${JSON.stringify(attributes)}`, count);
      }
    }
  }

  get totals(): Pick<Counts, 'spans' | 'logs' | 'requests'> {
    let requests = this.#delta;
    for (const count of this.#cumulative.values()) requests += count;
    return { spans: { ...this.#spans }, logs: this.#logs, requests };
  }
}

const SERVER_DURATIONS = new Set(['http.server.request.duration', 'http.server.duration']);

/** Pools and connections have spans of their own in some instrumentations; a query's has its text. */
export function hasQuery(attributes: object): boolean {
  return 'db.query.text' in attributes || 'db.statement' in attributes;
}

function classOf({ kind, attributes }: Span): SpanClass {
  if (kind === 'server') return 'server';
  if (kind !== 'client') return 'other';
  if (hasQuery(attributes)) return 'pg';
  if ('http.request.method' in attributes || 'http.method' in attributes) return 'fetch';
  return 'other';
}
