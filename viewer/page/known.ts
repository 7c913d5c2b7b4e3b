/** The part of a time window in which something is known: a service that started a minute ago fills its charts. */

type Values = readonly (number | null)[];

/** Fewer slots than this look like nothing. */
const LEAST = 12;

/** First slot to draw, given lines over the same slots. */
export function firstKnown(lines: readonly Values[]): number {
  let first = Number.POSITIVE_INFINITY;
  let slots = 0;
  for (const values of lines) {
    slots = Math.max(slots, values.length);
    const at = values.findIndex((value) => value !== null);
    if (at >= 0) first = Math.min(first, at);
  }
  if (first === Number.POSITIVE_INFINITY) return 0;
  return Math.max(0, Math.min(first - 1, slots - LEAST));
}

/** What has slots, without the first `count`. */
export function cut<T extends { from: number; stepMs: number }>(series: T, count: number): T {
  if (count === 0) return series;
  const rest = Object.fromEntries(
    Object.entries(series).map(([key, value]) => [
      key,
      Array.isArray(value) && key !== 'exemplars' && key !== 'lines' ? value.slice(count) : value,
    ]),
  );
  return { ...series, ...rest, from: series.from + count * series.stepMs };
}

/**
 * Fills a lone unknown slot with the value before it. Pages are read about as often as a slot is long, so that a reading
 * which slips into the next slot leaves one empty; two in a row are a gap.
 */
export function bridged(values: Values): (number | null)[] {
  return values.map((value, at) => {
    const lone = value === null && at > 0 && values[at - 1] !== null && (values[at + 1] ?? null) !== null;
    return lone ? values[at - 1] : value;
  });
}
