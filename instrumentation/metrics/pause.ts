import { performance } from 'node:perf_hooks';

/** Most milliseconds that work on a page goes on before the event loop turns. */
const SLICE_MS = 5;

/** Splits long work: `if (slice.over()) await slice.pause()`. */
export class Slice {
  #started = performance.now();
  #calls = 0;

  /** Asking for the time costs more than a line of a page, so it is asked for only now and then. */
  over(): boolean {
    return (++this.#calls & 15) === 0 && performance.now() - this.#started > SLICE_MS;
  }

  async pause(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#started = performance.now();
  }
}
