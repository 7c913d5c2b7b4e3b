import { Slice } from './pause.ts';
import { escapeLabel, plain, toNumber } from './text.ts';
import type { Aggregation, Distribution, Exemplar, Family, Point, Sample, Snapshot, Value } from './types.ts';

/** One process' page and the name that tells it from its siblings: the `worker` label. */
export interface Part {
  /** Stable over restarts (a slot's number, not a process id), so that a restarted worker goes on in the same series. */
  readonly worker: string;
  readonly snapshot: Snapshot;
}

type SnapshotFamily = Snapshot['families'][number];
type Member = { readonly worker: string; readonly family: SnapshotFamily };

const LABEL_NAME = 'worker';

/**
 * The pages of several processes of one service as one page.
 *
 * - Counters and histograms are added up; so is what comes from `departed`.
 * - Gauges follow their {@link Aggregation}: added up unless the metric says otherwise.
 * - What only means something for one process (`process_*`, `nodejs_*`, breakers' states, quantiles of summaries, gauges of
 *   the OpenTelemetry API) keeps a series for each, with the label `worker`. Queries over such a metric need `sum by` or
 *   `max by (instance)`, which they also need for more than one instance.
 *
 * @param departed What {@link depart} kept of processes that are gone. Without it the sums would fall whenever a worker
 * ends, and Prometheus would take that for a restart and count all that is left once more.
 */
export async function mergeSnapshots(parts: readonly Part[], departed?: Snapshot): Promise<Snapshot> {
  const families: SnapshotFamily[] = [];
  const slice = new Slice();
  for (const family of mergeFamilies(parts, departed)) {
    families.push(family);
    if (slice.over(family.samples.length)) await slice.pause();
  }
  return { families };
}

/**
 * Keeps what must not be lost with a process: its counters and histograms, added to those of the ones before it. Give it
 * the last snapshot that was seen of the process.
 */
export function depart(departed: Snapshot | undefined, last: Snapshot): Snapshot {
  const kept = last.families.filter(
    ({ type, aggregation }) => (type === 'counter' || type === 'histogram') && aggregation === 'sum',
  );
  return { families: [...mergeFamilies([{ worker: '', snapshot: { families: kept } }], departed)] };
}

function* mergeFamilies(parts: readonly Part[], departed: Snapshot | undefined): Generator<SnapshotFamily> {
  const names = new Map<string, Member[]>();
  for (const { worker, snapshot } of parts) {
    for (const family of snapshot.families) {
      const group = names.get(family.name);
      if (group === undefined) names.set(family.name, [{ worker, family }]);
      else group.push({ worker, family });
    }
  }
  const gone = new Map(departed?.families.map((family) => [family.name, family]));
  for (const [name, group] of names) {
    const merged = mergeFamily(group, gone.get(name));
    gone.delete(name);
    if (merged !== undefined) yield merged;
  }
  yield* gone.values();
}

function mergeFamily(group: readonly Member[], departed: SnapshotFamily | undefined): SnapshotFamily | undefined {
  const [{ family: first }] = group;
  if (first.aggregation === 'omit') return undefined;
  const like = ({ type, bounds }: Family) => type === first.type && String(bounds) === String(first.bounds);
  const alike = group.filter(({ family }) => like(family));
  // A worker of another version (a rolling reload) may have other buckets: they cannot be added, so each keeps its own.
  const apart = first.aggregation === 'worker' || first.type === 'summary' || alike.length < group.length;
  if (apart) {
    const samples = alike.flatMap(({ worker, family }) => family.samples.map((sample) => labelled(sample, worker)));
    return { ...first, samples };
  }
  const sources = group.map(({ family }) => family.samples);
  if (departed !== undefined && like(departed)) sources.push(departed.samples);
  const how = first.type === 'gauge' || first.type === 'unknown' ? first.aggregation : 'sum';
  return { ...first, samples: mergeSamples(sources, how) };
}

function labelled<T extends Sample>(sample: T, worker: string): T {
  const label = `${LABEL_NAME}="${escapeLabel(worker)}"`;
  return { ...sample, labels: sample.labels === '' ? label : `${sample.labels},${label}` };
}

function mergeSamples(sources: readonly (readonly Sample[])[], how: Aggregation): Sample[] {
  const series = new Map<string, Sample[]>();
  for (const samples of sources) {
    for (const sample of samples) {
      const key = 'buckets' in sample ? sample.labels : `${sample.suffix ?? ''}\0${sample.labels}`;
      const same = series.get(key);
      if (same === undefined) series.set(key, [sample]);
      else same.push(sample);
    }
  }
  return [...series.values()].map((same) => {
    if (same.length === 1) return same[0];
    return 'buckets' in same[0] ? addDistributions(same as Distribution[]) : joinPoints(same as Point[], how);
  });
}

function joinPoints(points: readonly Point[], how: Aggregation): Point {
  const values = points.map(({ value }) => toNumber(value));
  const exemplar = newest(points.map((point) => point.exemplar));
  return { ...points[0], value: plain(join(values, how)), ...(exemplar ? { exemplar } : {}) };
}

function join(values: readonly number[], how: Aggregation): number {
  if (how === 'min') return Math.min(...values);
  if (how === 'max') return Math.max(...values);
  if (how === 'first') return values[0];
  const sum = values.reduce((total, value) => total + value, 0);
  return how === 'average' ? sum / values.length : sum;
}

function addDistributions(all: readonly Distribution[]): Distribution {
  const [{ labels, buckets }] = all;
  const add = (pick: (distribution: Distribution) => Value) =>
    all.reduce((total, distribution) => total + toNumber(pick(distribution)), 0);
  return {
    labels,
    buckets: buckets.map((_, i) => add((distribution) => distribution.buckets[i])),
    sum: plain(add(({ sum }) => sum)),
    count: add(({ count }) => count),
    exemplars: [...buckets, 0].map((_, i) => newest(all.map(({ exemplars }) => exemplars?.[i]))),
  };
}

function newest(exemplars: readonly (Exemplar | null | undefined)[]): Exemplar | undefined {
  let found: Exemplar | undefined;
  for (const exemplar of exemplars) {
    if (exemplar && (found === undefined || exemplar.timestamp > found.timestamp)) found = exemplar;
  }
  return found;
}
