import type { ExemplarPoint, RedNumbers, RedSeries } from '../api-types.ts';
import { Buckets, sameBounds } from './buckets.ts';
import { knownSeconds, type Range, SLOTS, STEP_MS } from './clock.ts';

/** Requests of one slot. */
interface Slot {
  at: number;
  count: number;
  errors: number;
  bounds: readonly number[];
  /** Single precision: a slot has few requests, and there are many slots. */
  counts: Float32Array;
  exemplars: ExemplarPoint[];
}

const NO_BOUNDS: readonly number[] = [];
/** Requests of a slot that can be opened: the slowest, whatever fails first. */
const EXEMPLARS = 3;

/** Rate, errors and durations (in seconds within, in milliseconds outside) of the last half hour. */
export class RedWindow {
  readonly #slots: (Slot | undefined)[] = new Array(SLOTS);

  /**
   * @param counts by `bounds` (seconds), not cumulative
   * @param share of all of this that falls into the slot
   */
  add(slot: number, errors: number, bounds: readonly number[], counts: ArrayLike<number>, share = 1): void {
    const into = this.#slot(slot);
    if (into === undefined) return;
    if (!sameBounds(into.bounds, bounds)) rebucket(into, bounds);
    for (let i = 0; i < counts.length; i++) {
      into.counts[i] += counts[i] * share;
      into.count += counts[i] * share;
    }
    into.errors += errors * share;
  }

  /** One request of `seconds`. */
  observe(slot: number, seconds: number, error: boolean, bounds: readonly number[]): void {
    const into = this.#slot(slot);
    if (into === undefined) return;
    if (!sameBounds(into.bounds, bounds)) rebucket(into, bounds);
    into.counts[bucketOf(seconds, into.bounds)]++;
    into.count++;
    if (error) into.errors++;
  }

  exemplar(slot: number, point: ExemplarPoint): void {
    const into = this.#slot(slot);
    if (into === undefined) return;
    const { exemplars } = into;
    // Most requests are no worse than those that are there.
    if (exemplars.length === EXEMPLARS && worstFirst(exemplars[EXEMPLARS - 1], point) <= 0) return;
    if (exemplars.some((known) => known.spanId === point.spanId)) return;
    exemplars.push(point);
    exemplars.sort(worstFirst);
    if (exemplars.length > EXEMPLARS) exemplars.length = EXEMPLARS;
  }

  /** Forgets the numbers, not the exemplars: a better source of the same requests has come. */
  reset(): void {
    for (const slot of this.#slots) {
      if (slot) Object.assign(slot, { count: 0, errors: 0, bounds: NO_BOUNDS, counts: new Float32Array(1) });
    }
  }

  /** The slot, if it is in the window and has something. */
  at(slot: number): Slot | undefined {
    const found = this.#slots[slot % SLOTS];
    return found?.at === slot ? found : undefined;
  }

  #slot(at: number): Slot | undefined {
    const known = this.#slots[at % SLOTS];
    if (known?.at === at) return known;
    // A later one is in its place already: this one is out of the window.
    if (known && known.at > at) return undefined;
    return (this.#slots[at % SLOTS] = {
      at,
      count: 0,
      errors: 0,
      bounds: NO_BOUNDS,
      counts: new Float32Array(1),
      exemplars: [],
    });
  }
}

/**
 * Sums of windows over a range.
 *
 * @param seconds that the rate is by
 */
export function redNumbers(windows: Iterable<RedWindow>, { first, count: slots }: Range, seconds: number): RedNumbers {
  const buckets = new Buckets();
  let count = 0;
  let errors = 0;
  for (const window of windows) {
    for (let i = 0; i < slots; i++) {
      const slot = window.at(first + i);
      if (slot === undefined) continue;
      count += slot.count;
      errors += slot.errors;
      buckets.add(slot.bounds, slot.counts);
    }
  }
  return {
    rate: round(count / seconds),
    count: Math.round(count),
    errors: Math.round(errors),
    errorRatio: count > 0 ? errors / count : null,
    ...percentiles(buckets),
  };
}

/**
 * The course of windows over a range; of several windows together, only the slowest example of each slot.
 *
 * @param known whether anything is known of a slot without requests: then its rate is 0, else null
 * @param until milliseconds up to which requests are known
 */
export function redSeries(
  windows: readonly RedWindow[],
  range: Range,
  known: (slot: number) => boolean,
  until: number,
): RedSeries {
  const { first, count: slots } = range;
  const out: RedSeries = {
    from: first * STEP_MS,
    stepMs: STEP_MS,
    rate: [],
    errors: [],
    p50: [],
    p95: [],
    p99: [],
    exemplars: [],
  };
  for (let i = 0; i < slots; i++) {
    const buckets = new Buckets();
    const exemplars: ExemplarPoint[] = [];
    let count = 0;
    let errors = 0;
    for (const window of windows) {
      const slot = window.at(first + i);
      if (slot === undefined) continue;
      count += slot.count;
      errors += slot.errors;
      buckets.add(slot.bounds, slot.counts);
      exemplars.push(...slot.exemplars);
    }
    exemplars.sort((a, b) => b.durationMs - a.durationMs);
    out.exemplars.push(...exemplars.slice(0, windows.length > 1 ? 1 : EXEMPLARS));
    const seconds = knownSeconds(first + i, until);
    const here = !Number.isNaN(seconds) && (count > 0 || known(first + i));
    const { p50, p95, p99 } = percentiles(buckets);
    out.rate.push(here ? round(count / seconds) : null);
    out.errors.push(here ? round(errors / seconds) : null);
    out.p50.push(p50);
    out.p95.push(p95);
    out.p99.push(p99);
  }
  return out;
}

function percentiles(buckets: Buckets): { p50: number | null; p95: number | null; p99: number | null } {
  const ms = (q: number) => {
    const seconds = buckets.quantile(q);
    return seconds === null ? null : round(seconds * 1000);
  };
  return { p50: ms(0.5), p95: ms(0.95), p99: ms(0.99) };
}

/** Five digits are more than a chart shows, and far less than a double's. */
function round(n: number): number {
  return Number(n.toPrecision(5));
}

function worstFirst(a: ExemplarPoint, b: ExemplarPoint): number {
  return Number(b.error) - Number(a.error) || b.durationMs - a.durationMs;
}

function rebucket(slot: Slot, bounds: readonly number[]): void {
  const all = new Buckets(bounds);
  all.add(slot.bounds, slot.counts);
  slot.bounds = all.bounds;
  slot.counts = Float32Array.from(all.counts);
}

function bucketOf(value: number, bounds: readonly number[]): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= bounds[middle]) high = middle;
    else low = middle + 1;
  }
  return low;
}
