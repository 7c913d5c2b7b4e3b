import type { Outcome } from './sink.ts';

interface Options<T> {
  /** Most items in one export. */
  readonly size: number;
  /** Milliseconds that a piece waits for others. */
  readonly delayMs: number;
  /** Exports under way at once. */
  readonly concurrency: number;
  /** Sends pieces that hold `count` items; never rejects. */
  send(pieces: readonly T[], count: number): Promise<Outcome>;
  /** What became of the pieces of one export; nothing reads them any more. */
  report(outcome: Outcome, pieces: readonly T[]): void;
}

/** Collects pieces (each of some items) into exports of bounded size, in order, and reports what became of each. */
export class Batcher<T> {
  readonly #options: Options<T>;
  #pieces: { piece: T; count: number }[] = [];
  #waiting = 0;
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing = new Set<() => void>();

  constructor(options: Options<T>) {
    this.#options = options;
  }

  add(piece: T, count: number): void {
    this.#pieces.push({ piece, count });
    this.#waiting += count;
    this.#next();
  }

  /** Resolves when everything was reported. */
  flush(): Promise<void> {
    if (this.#waiting + this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#flushing.add(resolve);
      this.#next();
    });
  }

  #next(now = this.#flushing.size > 0): void {
    const { size, delayMs, concurrency } = this.#options;
    while (this.#waiting > 0 && this.#underWay < concurrency) {
      if (!now && this.#waiting < size) {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          this.#next(true);
        }, delayMs).unref();
        return;
      }
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#export();
    }
  }

  #export(): void {
    let count = 0;
    let taken = 0;
    while (taken < this.#pieces.length && (taken === 0 || count + this.#pieces[taken].count <= this.#options.size)) {
      count += this.#pieces[taken++].count;
    }
    const pieces = this.#pieces.splice(0, taken).map(({ piece }) => piece);
    this.#waiting -= count;
    this.#underWay++;
    this.#options.send(pieces, count).then((outcome) => {
      this.#underWay--;
      this.#options.report(outcome, pieces);
      this.#next();
      if (this.#waiting + this.#underWay > 0) return;
      for (const resolve of this.#flushing) resolve();
      this.#flushing.clear();
    });
  }
}
