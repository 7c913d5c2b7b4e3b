import type { MeterProvider, SpanContext } from '@opentelemetry/api';
import type { MetricDefinition } from '../names.ts';

/** Label values by label name. A label that is missing is the empty text; one that the metric does not have is ignored. */
export type Labels = Readonly<Record<string, string>>;

/** None of the methods of an instrument throws: a value that is no finite number is ignored and reported once. */
export interface Counter {
  /** @param value Default 1. A negative value is ignored. */
  inc(labels?: Labels, value?: number): void;
}

export interface Gauge {
  set(labels: Labels, value: number): void;
  add(labels: Labels, delta: number): void;
  /** Takes the series off the page. */
  remove(labels: Labels): void;
}

/** One series of a histogram, for the hot path: no look-up, no allocation. */
export interface HistogramChild {
  /** @param exemplar The span to show beside the value; used only if it is sampled. */
  observe(value: number, exemplar?: SpanContext): void;
}

export interface Histogram {
  observe(labels: Labels, value: number, exemplar?: SpanContext): void;
  /**
   * The series of these label values, in the order of the definition. It is on the page from now on, with a count of 0.
   * Beyond `O11Y_MAX_SERIES` every call returns one and the same child, that of the `__overflow__` series: a caller that
   * keeps children in a map of its own must not keep that one under each new key, see {@link overflow}.
   */
  child(...labelValues: string[]): HistogramChild;
  /** The child that stands for all series beyond the limit. */
  readonly overflow: HistogramChild;
}

/** How the series of several processes become one, see merge.ts. */
export type Aggregation = 'sum' | 'min' | 'max' | 'average' | 'first' | 'omit' | 'worker';

export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';

/** A number, or its Prometheus spelling where JSON has no number for it. */
export type Value = number | 'NaN' | '+Inf' | '-Inf';

export interface Exemplar {
  readonly labelSet: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

/** One line of a page. */
export interface Point {
  /** Escaped and joined: `method="GET",route="/"`. */
  readonly labels: string;
  /** What the line's name has beyond the family's: `_sum`, `_count`, `_bucket`. */
  readonly suffix?: string;
  readonly value: Value;
  readonly exemplar?: Exemplar | null;
}

/** All lines of one series of a histogram. */
export interface Distribution {
  readonly labels: string;
  /** Observations in each bucket of {@link Family.bounds}, not cumulated; those beyond the last bound are in `count` only. */
  readonly buckets: readonly number[];
  readonly sum: Value;
  readonly count: number;
  /** By bucket, the one beyond the last bound at the end. */
  readonly exemplars?: readonly (Exemplar | null | undefined)[];
}

export type Sample = Point | Distribution;

/** A metric with all its series. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly aggregation: Aggregation;
  /** Upper bounds of a histogram whose samples are {@link Distribution}s. */
  readonly bounds?: readonly number[];
  readonly samples: Iterable<Sample>;
}

/** Everything on a page as plain data, which JSON carries without loss. */
export interface Snapshot {
  readonly families: readonly (Family & { readonly samples: readonly Sample[] })[];
}

export interface Page {
  readonly contentType: string;
  /** Pieces of some 16 KiB; the event loop turns between them. */
  readonly chunks: AsyncIterable<string>;
}

export interface Metrics {
  /** The instrument of a definition: made on first use, the same object for the same name. */
  counter(definition: MetricDefinition): Counter;
  gauge(definition: MetricDefinition): Gauge;
  histogram(definition: MetricDefinition): Histogram;
  /**
   * Calls `fn` before each page is read, to set gauges whose values have to be asked for. A failure, or more than three
   * seconds, shows in `o11y_collector_success{collector}` and leaves the rest of the page alone.
   * @returns A function that ends it.
   */
  onScrape(collector: string, fn: () => void | Promise<void>): () => void;
  /** OpenTelemetry's Metrics API on this registry. */
  readonly meterProvider: MeterProvider;
  /** Merges the registries of a copy of prom-client (its exports) that the app loaded. */
  adopt(promClient: unknown): void;
  /** @param accept The request's `Accept`: OpenMetrics where it is asked for, otherwise Prometheus text 0.0.4. */
  page(accept?: string): Promise<Page>;
  /** What {@link page} shows, as data for another process to merge. */
  snapshot(): Promise<Snapshot>;
  /** What `import { metrics } from 'o11y-kit'` gives. */
  readonly user: UserMetrics;
  /** Sends what has not been pushed yet; at once where nothing is pushed. Never rejects. */
  flush(timeoutMs: number): Promise<void>;
  /** Starts the runtime collectors, and the push where it is asked for. */
  start(): () => void;
}

export interface UserMetricOptions {
  /** One sentence; the name if absent. */
  readonly help?: string;
  /** The only labels of this metric. If absent, each call may bring its own. */
  readonly labels?: readonly string[];
  /** How a cluster's page joins the workers' values: a gauge is summed unless this says otherwise. */
  readonly aggregation?: Aggregation;
}

export interface UserHistogramOptions extends UserMetricOptions {
  /** Upper bounds, ascending; those of durations in seconds if absent. */
  readonly buckets?: readonly number[];
}

export interface UserCounter {
  inc(value?: number): void;
  inc(labels: UserLabels, value?: number): void;
}

export interface UserGauge {
  set(value: number): void;
  set(labels: UserLabels, value: number): void;
  inc(value?: number): void;
  inc(labels: UserLabels, value?: number): void;
  dec(value?: number): void;
  dec(labels: UserLabels, value?: number): void;
  remove(labels?: UserLabels): void;
}

export interface UserHistogram {
  observe(value: number): void;
  observe(labels: UserLabels, value: number): void;
  /** @returns A function that observes the seconds since now, and returns them. */
  startTimer(labels?: UserLabels): (labels?: UserLabels) => number;
}

export type UserLabels = Readonly<Record<string, string | number | boolean>>;

/** Business metrics. Nothing here throws: what cannot be done is reported once on stderr and does nothing. */
export interface UserMetrics {
  /** A name without `_total` gets it. */
  counter(name: string, options?: UserMetricOptions): UserCounter;
  gauge(name: string, options?: UserMetricOptions): UserGauge;
  histogram(name: string, options?: UserHistogramOptions): UserHistogram;
}
