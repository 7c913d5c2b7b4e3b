import type { LogRecord, Span } from '../model.ts';
import type { ExportRequest, Fault } from '../receive/receiver.ts';
import type { LogFilter, SpanFilter } from './filters.ts';
import type { MetricValue } from './metric-values.ts';
import type { Trace } from './trace.ts';

export interface ViewerOptions {
  /** Port to listen on; 0 (default) for a free one. */
  port?: number;
  /** Address to bind to; both loopbacks if absent. */
  host?: string;
  /** Spans, and log records, that are kept at most; beyond it the oldest go and `dropped` counts them. 100,000 if absent. */
  maxRecords?: number;
  /** Bytes that one body may have, inflated; larger ones are answered with 413. 16 MiB if absent. */
  maxBodyBytes?: number;
}

export interface WaitOptions {
  /** Milliseconds until the promise rejects; 5,000 if absent. */
  timeout?: number;
}

export interface TestViewer {
  /** Base address for `OTEL_EXPORTER_OTLP_ENDPOINT`: `http://127.0.0.1:49321`. */
  readonly url: string;
  readonly port: number;
  /** Export requests so far (a retry counts again), whatever the answer was. */
  readonly requests: number;
  /** Records that were pushed out by `maxRecords`. */
  readonly dropped: number;
  /** Spans so far, in the order of their arrival. */
  spans(filter?: SpanFilter): Span[];
  /** Log records so far, in the order of their arrival. */
  logs(filter?: LogFilter): LogRecord[];
  /** The trace as far as it has arrived. */
  trace(traceId: string): Trace;
  /**
   * Waits for spans: for a number of them over all, or for `count` (1 if absent) that match.
   *
   * @returns all spans, or those that match.
   * @throws an error that lists what did arrive, after `timeout`.
   */
  waitForSpans(want: number | SpanFilter, options?: WaitOptions & { count?: number }): Promise<Span[]>;
  /**
   * Waits for a trace in which no span's parent is still to come: the one of that id, or the first that the predicate
   * accepts. Give `spans` where other services' parts must have arrived too: the trace then has that many at least.
   *
   * @throws an error that lists what did arrive, after `timeout`.
   */
  waitForTrace(want: string | ((trace: Trace) => boolean), options?: WaitOptions & { spans?: number }): Promise<Trace>;
  /** Waits for log records, like {@link TestViewer.waitForSpans}. */
  waitForLogs(want: number | LogFilter, options?: WaitOptions & { count?: number }): Promise<LogRecord[]>;
  /**
   * Reads the metrics page of every process that has announced one with its telemetry (as the kit's preload does), so
   * that {@link TestViewer.metric} knows its present state. Pages on other machines are left alone.
   */
  scrape(): Promise<void>;
  /**
   * The latest state of every series of that name (Prometheus' or OpenTelemetry's spelling) that has these labels,
   * among the metrics that were sent here and those that {@link TestViewer.scrape} has read.
   */
  metrics(name: string, labels?: Record<string, string>): MetricValue[];
  /**
   * The one series that {@link TestViewer.metrics} finds, or undefined.
   *
   * @throws if there are several: the error lists their labels.
   */
  metric(name: string, labels?: Record<string, string>): MetricValue | undefined;
  /**
   * Waits until {@link TestViewer.metric} finds a series whose state the predicate accepts; reads metrics pages
   * meanwhile.
   *
   * @throws an error that lists the metrics that there are, after `timeout`.
   */
  waitForMetric(
    name: string,
    labels?: Record<string, string>,
    options?: WaitOptions & { until?: (metric: MetricValue) => boolean },
  ): Promise<MetricValue>;
  /** Decides how export requests are answered from now on; `undefined` accepts again. */
  respond(fault: Fault | ((request: ExportRequest) => Fault | undefined | Promise<Fault | undefined>) | undefined): void;
  /** Waits until this many export requests have come, over all. */
  waitForRequests(count: number, options?: WaitOptions): Promise<void>;
  /** Forgets everything that arrived. */
  clear(): void;
  /** Ends every connection, and rejects what still waits. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
