/** What a {@link FairQueue} holds. */
export interface Queued {
  bytes: number;
}

interface Lane<T> {
  bytes: number;
  /** The oldest first. */
  items: Set<T>;
}

/** After an eviction there is room for this share of the limit, so that not every single addition evicts. */
const SLACK = 0.03;
/** How far below the next lane the fullest one is emptied at once. */
const STEP = 0.99;

/**
 * Items in lanes (one for each service) under one limit in bytes. Where room is wanted, the oldest item of the fullest
 * lane goes: a lane below its equal share never loses anything to a fuller one (max-min fairness).
 */
export class FairQueue<T extends Queued> {
  readonly maxBytes: number;
  readonly #lanes = new Map<string, Lane<T>>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.#bytes > this.maxBytes;
  }

  /** Bytes in a lane. */
  usage(lane: string): number {
    return this.#lanes.get(lane)?.bytes ?? 0;
  }

  add(lane: string, item: T): void {
    let into = this.#lanes.get(lane);
    if (into === undefined) this.#lanes.set(lane, (into = { bytes: 0, items: new Set() }));
    into.items.add(item);
    into.bytes += item.bytes;
    this.#bytes += item.bytes;
  }

  /** An item of a lane takes so many bytes more. */
  grow(lane: string, item: T, bytes: number): void {
    item.bytes += bytes;
    this.#lanes.get(lane)!.bytes += bytes;
    this.#bytes += bytes;
  }

  remove(lane: string, item: T): void {
    const from = this.#lanes.get(lane);
    if (!from?.items.delete(item)) return;
    from.bytes -= item.bytes;
    this.#bytes -= item.bytes;
    if (from.items.size === 0) this.#lanes.delete(lane);
  }

  /**
   * Takes items out, if there is more than the limit, and hands each to `gone`.
   *
   * @param laneOf the lane in which an item belongs by now; where that is another one it moves instead
   */
  trim(gone: (item: T, lane: string) => void, laneOf?: (item: T) => string): void {
    if (!this.full) return;
    const target = this.maxBytes * (1 - SLACK);
    while (this.#bytes > target) {
      const [name, lane, next] = this.#fullest();
      // Down to just below the next lane: then that one is the fullest, and they take turns in steps of some size.
      const level = Math.min(next, lane.bytes) * STEP;
      for (const item of lane.items) {
        this.remove(name, item);
        const elsewhere = laneOf?.(item) ?? name;
        if (elsewhere === name) gone(item, name);
        else this.add(elsewhere, item);
        if (lane.bytes <= level || this.#bytes <= target) break;
      }
    }
  }

  clear(): void {
    this.#lanes.clear();
    this.#bytes = 0;
  }

  /** The lane with the most bytes, and how many the second has. */
  #fullest(): [string, Lane<T>, number] {
    let first: [string, Lane<T>] | undefined;
    let next = 0;
    for (const entry of this.#lanes) {
      if (first === undefined || entry[1].bytes > first[1].bytes) {
        next = first?.[1].bytes ?? 0;
        first = entry;
      } else if (entry[1].bytes > next) next = entry[1].bytes;
    }
    return [first![0], first![1], next];
  }
}
