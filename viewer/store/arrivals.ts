/** What {@link Arrivals} holds. */
export interface Arrived {
  /** Position in the order of arrival, from 1, never given twice. */
  seq: number;
  gone: boolean;
}

/**
 * Items in the order of their arrival. Removal marks only; the list is compacted once half of it is gone, so that both
 * cost a constant each.
 */
export class Arrivals<T extends Arrived> {
  #items: T[] = [];
  #gone = 0;
  #last = 0;

  get size(): number {
    return this.#items.length - this.#gone;
  }

  /** The number of the newest item, or of the newest that ever was. */
  get last(): number {
    return this.#last;
  }

  /** The number for the next item: one more than the last, or `at` if that is more. */
  next(at = 0): number {
    this.#last = Math.max(this.#last + 1, at);
    return this.#last;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  remove(item: T): void {
    item.gone = true;
    if (++this.#gone > 64 && this.#gone * 2 > this.#items.length) this.#compact();
  }

  clear(): void {
    this.#items = [];
    this.#gone = 0;
  }

  /** The newest first, from the one before `before` down to the one after `after`. */
  *newest(before = Number.POSITIVE_INFINITY, after = 0): Generator<T> {
    // The list may be compacted while a caller holds on to this generator; it then goes on in the old one.
    const items = this.#items;
    for (let i = this.#indexBelow(before); i >= 0 && items[i].seq > after; i--) if (!items[i].gone) yield items[i];
  }

  /** The last place with a number below `seq`. */
  #indexBelow(seq: number): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#items[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #compact(): void {
    this.#items = this.#items.filter((item) => !item.gone);
    this.#gone = 0;
  }
}
