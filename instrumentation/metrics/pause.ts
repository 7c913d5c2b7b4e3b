import { performance } from 'node:perf_hooks';

/** Most milliseconds that work on a page goes on before the event loop turns. */
const SLICE_MS = 3;

/** Splits long work: `if (slice.over()) await slice.pause()`. */
export class Slice {
  #started = performance.now();
  #work = 0;

  /**
   * Asking for the time costs as much as a line of a page, so it is asked for only now and then.
   *
   * @param work How many lines or series were worked on since the last call.
   */
  over(work = 1): boolean {
    this.#work += work;
    if (this.#work < 16) return false;
    this.#work = 0;
    return performance.now() - this.#started > SLICE_MS;
  }

  async pause(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#started = performance.now();
  }
}
