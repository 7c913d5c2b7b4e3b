/** Of a few rounds: what counts, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/** Undefined without values. Values that are no finite numbers are left out. */
export function spread(values: readonly (number | undefined)[]): Spread | undefined {
  const sorted = values.filter((value): value is number => Number.isFinite(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const half = sorted.length >> 1;
  const middle = sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return { median: middle, min: sorted[0], max: sorted[sorted.length - 1], rounds: sorted.length };
}

/** Undefined without values. */
export function median(values: readonly number[]): number | undefined {
  return spread(values)?.median;
}

/** @param sorted ascending @param share 0.99 is p99 @returns NaN without values */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}
