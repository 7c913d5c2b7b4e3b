/**
 * Metrics in one form, whether they were scraped or pushed: Prometheus' names and labels, histograms put together.
 */
export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';

export type Labels = Record<string, string>;

export interface Family {
  name: string;
  type: FamilyType;
  help: string;
  /** Whether values count from the process's start (as scraped ones do) or since the last message. */
  delta: boolean;
  samples: Sample[];
}

export interface Sample {
  /** Without prototype. */
  labels: Labels;
  /** Value of a gauge or counter; count of a histogram or summary. */
  value: number;
  /** Histogram and summary only. */
  sum: number;
  /** Histogram only: ascending upper bounds without infinity. */
  bounds: readonly number[];
  /** Histogram only: how many fell into each bucket (not cumulative); one more than bounds. */
  counts: number[];
  exemplars: SampleExemplar[];
}

export interface SampleExemplar {
  traceId: string;
  spanId: string;
  /** In the metric's unit. */
  value: number;
  /** Milliseconds since the epoch; undefined if it has none. */
  at: number | undefined;
}

const NONE: never[] = [];

/** A sample of a gauge or counter. */
export function plainSample(labels: Labels, value: number): Sample {
  return { labels, value, sum: 0, bounds: NONE, counts: NONE, exemplars: NONE };
}
