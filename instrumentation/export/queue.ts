import type { DropReason, SignalStats } from './stats.ts';
import type { Stock } from './stock.ts';

/**
 * What waits for export on the main thread. `outstanding` counts everything recorded whose fate is unknown, here or in
 * the export thread; beyond `limit` new items are dropped and counted, so memory is bounded whatever the backend does.
 */
export class ExportQueue<T, P = T> {
  outstanding = 0;
  #waiting = 0;
  #givenUp = 0;
  #held = false;
  readonly #limit: number;
  readonly #later: () => void;
  readonly #stats: SignalStats;
  readonly #stock: Stock<T, P>;
  readonly #post: (parts: P[]) => boolean;

  /**
   * @param limit most items of unknown fate
   * @param later is called while items wait for company, and calls {@link due} after a while
   * @param post hands parts of the stock to the export thread and says whether it took them
   */
  constructor(limit: number, later: () => void, stats: SignalStats, stock: Stock<T, P>, post: (parts: P[]) => boolean) {
    this.#limit = limit;
    this.#later = later;
    this.#stats = stats;
    this.#stock = stock;
    this.#post = post;
  }

  push(item: T): void {
    this.#stats.recorded++;
    if (this.outstanding >= this.#limit) {
      this.#stats.dropped.queue_full++;
      return;
    }
    let enough: boolean;
    try {
      enough = this.#stock.add(item);
    } catch {
      // An attribute that cannot be written (a getter that throws) costs its span, not the app.
      this.#stats.dropped.rejected++;
      return;
    }
    this.outstanding++;
    this.#waiting++;
    if (this.#held) return;
    if (enough) this.#send();
    if (this.#waiting > 0) this.#later();
  }

  /** Lets items wait here, up to the limit, until the returned function is called. Who calls {@link drain} has them at once. */
  hold(): () => void {
    this.#held = true;
    return () => {
      this.#held = false;
      this.drain();
    };
  }

  /** Posts what waits here, unless it is held. */
  due(): void {
    if (!this.#held) this.drain();
  }

  /** Posts what waits here. */
  drain(): void {
    while (this.#waiting > 0) this.#send();
  }

  #send(): void {
    const { parts, count } = this.#stock.take();
    const posted = this.#post(parts);
    // Only now: a post that fails because the thread is gone calls lost(), which leaves alone what still waits here.
    this.#waiting -= count;
    if (!posted) this.lost(count);
  }

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
  lost(count: number = this.outstanding - this.#waiting): void {
    this.settle(0, count, 'worker_lost');
  }

  /** The process is ending and the time to deliver is over. */
  giveUp(): void {
    this.#givenUp += this.outstanding;
    this.#stats.dropped.shutdown += this.outstanding;
    this.outstanding = 0;
  }
}
