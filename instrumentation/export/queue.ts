import type { SignalStats } from './stats.ts';

/** Items are posted to the export thread in small pieces, so that copying one never holds the event loop. */
const PIECE = 64;

/**
 * What waits for export on the main thread. `outstanding` counts everything recorded whose fate is unknown, here or in
 * the export thread; beyond `limit` new items are dropped and counted, so memory is bounded whatever the backend does.
 */
export class ExportQueue<T> {
  outstanding = 0;
  #items: T[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #limit: number;
  readonly #delayMs: number;
  readonly #stats: SignalStats;
  readonly #post: (items: T[]) => boolean;

  /** `post` hands items to the export thread and says whether it took them. */
  constructor(limit: number, delayMs: number, stats: SignalStats, post: (items: T[]) => boolean) {
    this.#limit = limit;
    this.#delayMs = delayMs;
    this.#stats = stats;
    this.#post = post;
  }

  push(item: T): void {
    this.#stats.recorded++;
    if (this.outstanding >= this.#limit) {
      this.#stats.dropped.queue_full++;
      return;
    }
    this.outstanding++;
    this.#items.push(item);
    if (this.#items.length >= PIECE) this.drain();
    else this.#timer ??= setTimeout(this.drain, this.#delayMs).unref();
  }

  /** Posts what waits here. */
  readonly drain = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    if (!this.#post(items)) this.lost(items.length);
  };

  /** The export thread has said what became of `exported + dropped` items. */
  settle(exported: number, dropped: number, reason: keyof SignalStats['dropped']): void {
    this.outstanding = Math.max(0, this.outstanding - exported - dropped);
    this.#stats.exported += exported;
    this.#stats.dropped[reason] += dropped;
  }

  lost(count: number = this.outstanding): void {
    this.settle(0, count, 'worker_lost');
  }
}
