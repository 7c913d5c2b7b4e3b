import type { SignalStats } from './stats.ts';

/** Items are posted to the export thread in small pieces, so that copying one never holds the event loop. */
const MOST_PIECE = 64;

/**
 * What waits for export on the main thread. `outstanding` counts everything recorded whose fate is unknown, here or in
 * the export thread; beyond `limit` new items are dropped and counted, so memory is bounded whatever the backend does.
 */
export class ExportQueue<T> {
  outstanding = 0;
  #items: T[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #limit: number;
  readonly #piece: number;
  readonly #delayMs: number;
  readonly #stats: SignalStats;
  readonly #post: (items: T[]) => boolean;

  /** `post` hands items to the export thread and says whether it took them. */
  constructor(limit: number, batch: number, delayMs: number, stats: SignalStats, post: (items: T[]) => boolean) {
    this.#limit = limit;
    this.#piece = Math.min(MOST_PIECE, batch);
    this.#delayMs = delayMs;
    this.#stats = stats;
    this.#post = post;
  }

  /** `make` is called only if there is room, so that what is dropped costs next to nothing. */
  push(make: () => T): void {
    this.#stats.recorded++;
    if (this.outstanding >= this.#limit) {
      this.#stats.dropped.queue_full++;
      return;
    }
    try {
      this.#items.push(make());
    } catch {
      // An attribute that cannot be written (a getter that throws) costs its span, not the app.
      this.#stats.dropped.rejected++;
      return;
    }
    this.outstanding++;
    if (this.#items.length >= this.#piece) this.drain();
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
