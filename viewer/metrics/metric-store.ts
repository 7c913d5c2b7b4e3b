import { canonical } from './canonical.ts';
import { slotOf, spread } from './clock.ts';
import type { Family, FamilyType, Labels, Sample } from './family.ts';
import type { RedBook } from './red-book.ts';
import { redOfSeries, seriesFailed } from './red-of-family.ts';
import { SeriesWindow } from './series-window.ts';

/** Series that are kept at most: of one service, and of all. */
const MAX_SERIES = 2_500;
const MAX_SERIES_OF_SERVICE = 1_500;
const MAX_SOURCES = 500;
/** A series takes so much: its window, its labels, what it counted last. */
export const SERIES_BYTES = 2_200;
/** A process that started so shortly before its first scrape is counted from its start. */
const YOUNG_MS = 120_000;
const START_TIME = 'process_start_time_seconds';

/** A series with its course. */
export interface Series {
  service: string;
  /** Scrape address or sender, so that two processes of a service are two series. */
  source: string;
  labels: Labels;
  /** Value of a gauge; increase of a counter, or of a histogram's count, in each slot. */
  window: SeriesWindow;
  /** Histogram and summary: increase of the sum. */
  sums: SeriesWindow | undefined;
  last: number;
  lastSum: number;
  lastCounts: number[];
  lastAt: number;
}

export interface FamilyRecord {
  name: string;
  type: FamilyType;
  help: string;
  series: Map<string, Series>;
}

/** Where a set of families comes from, and when it was true. */
export interface Reading {
  service: string;
  source: string;
  at: number;
}

interface Source {
  /** When it was last read. */
  at: number;
  /** Series of that reading that found no room. */
  dropped: number;
}

/** Metrics of the last half hour, in slots. Counters are kept as what they grew by, so that a restart is no dip. */
export class MetricStore {
  readonly #red: RedBook;
  readonly #services = new Map<string, { families: Map<string, FamilyRecord>; series: number }>();
  readonly #sources = new Map<string, Source>();
  #series = 0;

  constructor(red: RedBook) {
    this.#red = red;
  }

  get series(): number {
    return this.#series;
  }

  /** Series that find no room now. */
  get dropped(): number {
    let sum = 0;
    for (const source of this.#sources.values()) sum += source.dropped;
    return sum;
  }

  /** Families of a service by name. */
  families(service: string): ReadonlyMap<string, FamilyRecord> {
    return this.#services.get(service)?.families ?? new Map();
  }

  /** @returns series that were read. */
  ingest(reading: Reading, families: readonly Family[]): number {
    const { service, source, at } = reading;
    const key = JSON.stringify([service, source]);
    const before = this.#sources.get(key)?.at;
    const from = before ?? startOf(families, at);
    this.#red.service(service, at);
    let count = 0;
    let dropped = 0;
    for (const given of families) {
      const family = canonical(given);
      const record = this.#family(service, family);
      for (const sample of family.samples) {
        count++;
        const series = this.#seriesOf(service, source, record, sample);
        if (series) this.#update(record, series, sample, family.delta, from, at);
        else dropped++;
      }
    }
    if (this.#sources.size < MAX_SOURCES || before !== undefined) this.#sources.set(key, { at, dropped });
    const { scraped } = this.#red.service(service, at);
    spread(before ?? at, at, (slot) => scraped.set(slot, 1));
    return count;
  }

  /** Forgets the series of a source that is gone for good. */
  remove({ service, source }: Omit<Reading, 'at'>): void {
    this.#sources.delete(JSON.stringify([service, source]));
    const of = this.#services.get(service);
    for (const [name, family] of of?.families ?? []) {
      for (const [key, series] of family.series) {
        if (series.source !== source) continue;
        family.series.delete(key);
        of!.series--;
        this.#series--;
      }
      if (family.series.size === 0) of!.families.delete(name);
    }
  }

  clear(): void {
    this.#services.clear();
    this.#sources.clear();
    this.#series = 0;
  }

  #update(record: FamilyRecord, series: Series, sample: Sample, delta: boolean, from: number | undefined, at: number) {
    const { type } = record;
    if (type === 'gauge' || type === 'unknown') {
      series.window.set(slotOf(at), sample.value);
      series.last = sample.value;
    } else {
      const since = Number.isNaN(series.lastAt) ? (from ?? (delta ? at : undefined)) : series.lastAt;
      const grown = increase(series, sample, delta);
      // Without an earlier look nobody knows when it was counted.
      if (grown && since !== undefined) this.#count(record, series, sample, grown, since, at);
      series.last = sample.value;
      series.lastSum = sample.sum;
      series.lastCounts = sample.counts;
    }
    series.lastAt = at;
  }

  #count({ name }: FamilyRecord, series: Series, sample: Sample, grown: Grown, fromMs: number, toMs: number): void {
    spread(fromMs, toMs, (slot, share) => {
      series.window.add(slot, grown.value * share);
      series.sums?.add(slot, grown.sum * share);
    });
    const red = redOfSeries(name, sample.labels);
    if (red === undefined) return;
    const error = seriesFailed(sample.labels);
    const { service } = series;
    const { bounds } = sample;
    const errors = error ? grown.value : 0;
    this.#red.increase(service, red, { fromMs, toMs, errors, bounds, counts: grown.counts });
    for (const { traceId, spanId, value, at = toMs } of sample.exemplars) {
      // The page repeats an exemplar until a newer one comes.
      if (at >= fromMs) this.#red.exemplar(service, red, { at, durationMs: value * 1000, traceId, spanId, error });
    }
  }

  #family(service: string, { name, type, help }: Family): FamilyRecord {
    let of = this.#services.get(service);
    if (of === undefined) this.#services.set(service, (of = { families: new Map(), series: 0 }));
    let record = of.families.get(name);
    if (record === undefined || record.type !== type) {
      const lost = record?.series.size ?? 0;
      of.series -= lost;
      this.#series -= lost;
      record = { name, type, help, series: new Map() };
      of.families.set(name, record);
    }
    return record;
  }

  #seriesOf(service: string, source: string, record: FamilyRecord, { labels }: Sample): Series | undefined {
    const key = JSON.stringify([source, labels]);
    const known = record.series.get(key);
    if (known) return known;
    const of = this.#services.get(service)!;
    if (this.#series >= MAX_SERIES || of.series >= MAX_SERIES_OF_SERVICE) {
      return undefined;
    }
    of.series++;
    this.#series++;
    const compound = record.type === 'histogram' || record.type === 'summary';
    const series: Series = {
      service,
      source,
      labels,
      window: new SeriesWindow(),
      sums: compound ? new SeriesWindow() : undefined,
      last: 0,
      lastSum: 0,
      lastCounts: [],
      lastAt: Number.NaN,
    };
    record.series.set(key, series);
    return series;
  }
}

interface Grown {
  value: number;
  sum: number;
  counts: number[];
}

/** What a counter or histogram grew by; a smaller value than before means that the process started anew. */
function increase(series: Series, sample: Sample, delta: boolean): Grown | undefined {
  const { value, sum, counts } = sample;
  if (!Number.isFinite(value)) return undefined;
  const { lastCounts } = series;
  const reset = value < series.last || counts.some((count, i) => count < (lastCounts[i] ?? 0));
  if (delta || reset || Number.isNaN(series.lastAt)) return { value, sum, counts };
  return {
    value: value - series.last,
    sum: Math.max(0, sum - series.lastSum),
    counts: counts.map((count, i) => count - (lastCounts[i] ?? 0)),
  };
}

/** When a process that has just started did so, from its own metrics. */
function startOf(families: readonly Family[], at: number): number | undefined {
  const start = families.find((family) => family.name === START_TIME)?.samples[0]?.value;
  const ms = (start ?? 0) * 1000;
  return ms > at - YOUNG_MS && ms < at ? ms : undefined;
}
