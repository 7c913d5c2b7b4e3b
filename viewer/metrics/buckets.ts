/** Counts by upper bound; histograms of any bounds can be added. */
export class Buckets {
  bounds: readonly number[];
  /** One more than bounds: the last is for what is above them all. */
  counts: Float64Array;

  constructor(bounds: readonly number[] = []) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  add(bounds: readonly number[], counts: ArrayLike<number>, factor = 1): void {
    if (!sameBounds(this.bounds, bounds)) this.#widen(bounds);
    if (bounds.length === this.bounds.length) {
      for (let i = 0; i < counts.length; i++) this.counts[i] += counts[i] * factor;
    } else {
      // What fell below a bound stays below that bound, in the bucket that ends with it.
      let at = 0;
      for (let i = 0; i < counts.length; i++) {
        while (at < this.bounds.length && i < bounds.length && this.bounds[at] < bounds[i]) at++;
        this.counts[i === bounds.length ? this.bounds.length : at] += counts[i] * factor;
      }
    }
  }

  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /**
   * The value below which the share `q` of all lies, taken as evenly spread within a bucket, as Prometheus'
   * `histogram_quantile` does: above the last bound it is the last bound. Null without any.
   */
  quantile(q: number): number | null {
    const { total } = this;
    if (!(total > 0)) return null;
    const rank = q * total;
    let below = 0;
    for (let i = 0; i < this.bounds.length; i++) {
      const count = this.counts[i];
      if (count > 0 && below + count >= rank) {
        const low = i === 0 ? Math.min(0, this.bounds[0]) : this.bounds[i - 1];
        return low + (this.bounds[i] - low) * ((rank - below) / count);
      }
      below += count;
    }
    return this.bounds.at(-1) ?? null;
  }

  #widen(bounds: readonly number[]): void {
    if (this.bounds.length === 0 && this.counts[0] === 0) {
      this.bounds = bounds;
      this.counts = new Float64Array(bounds.length + 1);
      return;
    }
    const union = [...new Set([...this.bounds, ...bounds])].sort((a, b) => a - b);
    if (union.length === this.bounds.length) return;
    const { bounds: old, counts } = this;
    this.bounds = union;
    this.counts = new Float64Array(union.length + 1);
    this.add(old, counts);
  }
}

export function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((bound, i) => bound === b[i]);
}
