import type { DropReason, SignalStats } from './stats.ts';

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
  #givenUp = 0;
  #held = false;
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
    if (this.#held) return;
    if (this.#items.length >= this.#piece) this.drain();
    else this.#timer ??= setTimeout(this.drain, this.#delayMs).unref();
  }

  /** Lets items wait here, up to the limit, until the returned function is called. Who calls {@link drain} has them at once. */
  hold(): () => void {
    this.#held = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return () => {
      this.#held = false;
      this.drain();
    };
  }

  /** Posts what waits here. */
  readonly drain = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#items.length > 0) {
      const items = this.#items.slice(0, this.#piece);
      const posted = this.#post(items);
      // Only now: a post that fails because the thread is gone calls lost(), which leaves alone what still waits here.
      this.#items = this.#items.slice(items.length);
      if (!posted) this.lost(items.length);
    }
  };

  /** The export thread has said what became of `exported + dropped` items. */
  settle(exported: number, dropped: number, reason: DropReason): void {
    // Of items that were given up as lost too early, the truth replaces the guess.
    const known = Math.min(this.#givenUp, exported + dropped);
    this.#givenUp -= known;
    this.#stats.dropped.shutdown -= known;
    this.outstanding = Math.max(0, this.outstanding - (exported + dropped - known));
    this.#stats.exported += exported;
    this.#stats.dropped[reason] += dropped;
  }

  /** What was posted to an export thread that is gone. What still waits here goes to the next one. */
  lost(count: number = this.outstanding - this.#items.length): void {
    this.settle(0, count, 'worker_lost');
  }

  /** The process is ending and the time to deliver is over. */
  giveUp(): void {
    this.#givenUp += this.outstanding;
    this.#stats.dropped.shutdown += this.outstanding;
    this.outstanding = 0;
  }
}
