import { type SpanContext, TraceFlags } from '@opentelemetry/api';
import { type Series, SeriesTable } from './series.ts';
import type { Counter, Gauge, Histogram, HistogramChild, Labels } from './types.ts';

/** prom-client's record of a counter's or gauge's series. */
export interface NumberSeries extends Series {
  value: number;
}

/** prom-client's exemplar. */
interface BucketExemplar {
  labelSet: { trace_id: string; span_id: string };
  value: number;
  timestamp: number;
}

/** prom-client's record of a histogram's series. The last bucket, which it calls `-1`, has an exemplar but no count. */
export interface BucketSeries extends Series {
  bucketValues: Record<string, number>;
  bucketExemplars: Record<string, BucketExemplar | null>;
  sum: number;
  count: number;
}

/** Reports a value that cannot be recorded. */
export type Refuse = (why: string) => void;

const numberSeries = (labels: Record<string, string>, text: string): NumberSeries => ({ labels, text, value: 0 });

/** A refused value in a message. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : `value of type ${typeof value}`;
}

type Store<S> = { hashMap: Record<string, S> };

/** What the instruments have in common: the metric of prom-client, its labels and its limit. */
export interface Definition<S> {
  readonly store: Store<S>;
  readonly labels: readonly string[] | undefined;
  readonly limit: number;
  readonly onOverflow: () => void;
  readonly refuse: Refuse;
}

const NONE: Labels = {};

export class KitCounter implements Counter {
  readonly #series: SeriesTable<NumberSeries>;
  readonly #refuse: Refuse;

  constructor({ store, labels, limit, onOverflow, refuse }: Definition<NumberSeries>) {
    this.#series = new SeriesTable(store, labels, limit, numberSeries, onOverflow);
    this.#refuse = refuse;
  }

  inc(labels: Labels = NONE, value = 1): void {
    if (typeof value === 'number' && value >= 0 && value < Infinity) this.#series.find(labels).value += value;
    else this.#refuse(`a counter takes no ${shown(value)}`);
  }

  /** For totals that are counted elsewhere. */
  setTotal(labels: Labels, value: number): void {
    if (typeof value === 'number' && value >= 0 && value < Infinity) this.#series.find(labels).value = value;
    else this.#refuse(`a counter takes no ${shown(value)}`);
  }

  remove(labels: Labels): void {
    this.#series.remove(labels);
  }
}

export class KitGauge implements Gauge {
  readonly #series: SeriesTable<NumberSeries>;
  readonly #refuse: Refuse;

  constructor({ store, labels, limit, onOverflow, refuse }: Definition<NumberSeries>) {
    this.#series = new SeriesTable(store, labels, limit, numberSeries, onOverflow);
    this.#refuse = refuse;
  }

  set(labels: Labels, value: number): void {
    if (typeof value === 'number') this.#series.find(labels).value = value;
    else this.#refuse(`a gauge takes no ${shown(value)}`);
  }

  add(labels: Labels, delta: number): void {
    if (typeof delta === 'number' && delta - delta === 0) this.#series.find(labels).value += delta;
    else this.#refuse(`a gauge cannot be changed by ${shown(delta)}`);
  }

  remove(labels: Labels): void {
    this.#series.remove(labels);
  }
}

export class KitHistogram implements Histogram {
  readonly overflow: HistogramChild;
  readonly #series: SeriesTable<BucketSeries>;
  readonly #children = new Map<BucketSeries, Child>();
  readonly #bounds: readonly number[];
  readonly #keys: readonly string[];
  readonly #refuse: Refuse;
  #generation: unknown;

  constructor({ store, labels, limit, onOverflow, refuse }: Definition<BucketSeries>, bounds: readonly number[]) {
    const make = (seriesLabels: Record<string, string>, text: string): BucketSeries => ({
      labels: seriesLabels,
      text,
      bucketValues: Object.fromEntries(bounds.map((bound) => [bound, 0])),
      bucketExemplars: Object.fromEntries([...bounds, -1].map((bound) => [bound, null])),
      sum: 0,
      count: 0,
    });
    this.#series = new SeriesTable(store, labels, limit, make, onOverflow);
    this.#bounds = bounds;
    // The keys as texts: a number as a key is turned into a text at each access, which costs more than all the rest.
    this.#keys = [...bounds.map(String), '-1'];
    this.#refuse = refuse;
    this.overflow = this.#child(() => this.#series.overflow());
  }

  observe(labels: Labels, value: number, exemplar?: SpanContext): void {
    if (typeof value === 'number' && value - value === 0)
      record(this.#series.find(labels), this.#bounds, this.#keys, value, exemplar);
    else this.#refuse(`a histogram takes no ${shown(value)}`);
  }

  child(...labelValues: string[]): HistogramChild {
    const series = this.#series.findByValues(labelValues);
    if (this.#series.isOverflow(series)) return this.overflow;
    if (this.#generation !== this.#series.generation) {
      this.#generation = this.#series.generation;
      this.#children.clear();
    }
    let child = this.#children.get(series);
    if (child === undefined) {
      child = this.#child(() => this.#series.findByValues(labelValues));
      this.#children.set(series, child);
    }
    return child;
  }

  #child(find: () => BucketSeries): Child {
    return new Child(this.#series, find, this.#bounds, this.#keys, this.#refuse);
  }
}

class Child implements HistogramChild {
  readonly #table: SeriesTable<BucketSeries>;
  readonly #find: () => BucketSeries;
  readonly #bounds: readonly number[];
  readonly #keys: readonly string[];
  readonly #refuse: Refuse;
  #generation: unknown;
  #series: BucketSeries | undefined;

  constructor(
    table: SeriesTable<BucketSeries>,
    find: () => BucketSeries,
    bounds: readonly number[],
    keys: readonly string[],
    refuse: Refuse,
  ) {
    this.#table = table;
    this.#find = find;
    this.#bounds = bounds;
    this.#keys = keys;
    this.#refuse = refuse;
  }

  observe(value: number, exemplar?: SpanContext): void {
    if (typeof value !== 'number' || value - value !== 0) {
      this.#refuse(`a histogram takes no ${shown(value)}`);
      return;
    }
    // prom-client's reset() begins a new map; what was recorded into the old one would be lost.
    if (this.#generation !== this.#table.generation) {
      this.#series = this.#find();
      this.#generation = this.#table.generation;
    }
    record(this.#series!, this.#bounds, this.#keys, value, exemplar);
  }
}

function record(
  series: BucketSeries,
  bounds: readonly number[],
  keys: readonly string[],
  value: number,
  exemplar: SpanContext | undefined,
): void {
  let bucket = 0;
  while (bucket < bounds.length && value > bounds[bucket]) bucket++;
  const key = keys[bucket];
  series.sum += value;
  series.count++;
  if (bucket < bounds.length) series.bucketValues[key]++;
  if (exemplar === undefined || (exemplar.traceFlags & TraceFlags.SAMPLED) === 0) return;
  const shown = series.bucketExemplars[key];
  if (shown === null) {
    const labelSet = { trace_id: exemplar.traceId, span_id: exemplar.spanId };
    series.bucketExemplars[key] = { labelSet, value, timestamp: Date.now() / 1000 };
  } else {
    // In place, because the newest replaces the older one at every request.
    shown.labelSet.trace_id = exemplar.traceId;
    shown.labelSet.span_id = exemplar.spanId;
    shown.value = value;
    shown.timestamp = Date.now() / 1000;
  }
}
