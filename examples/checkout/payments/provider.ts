import { setTimeout as sleep } from 'node:timers/promises';

/** How the pretended payment provider behaves. Rates from 0 to 1. */
export interface ProviderOptions {
  readonly declineRate: number;
  readonly failureRate: number;
  readonly slowRate: number;
  /** Milliseconds that a slow charge takes. */
  readonly slowMs: number;
  /** The same seed gives the same sequence of outcomes. */
  readonly seed: number;
}

export class Declined extends Error {
  override name = 'Declined';
}

export class ProviderUnavailable extends Error {
  override name = 'ProviderUnavailable';
}

/** Stands for a bank: mostly quick, slow and failing on purpose now and then. */
export class Provider {
  readonly #options: ProviderOptions;
  readonly #random: () => number;

  constructor(options: ProviderOptions) {
    this.#options = options;
    this.#random = mulberry32(options.seed);
  }

  /** Milliseconds that the charge took. Throws {@link Declined} or {@link ProviderUnavailable}. */
  async charge(amount: number): Promise<number> {
    // Always three numbers a charge, so that one outcome does not shift the next ones.
    const [outcome, slowness, jitter] = [this.#random(), this.#random(), this.#random()];
    const slow = slowness < this.#options.slowRate;
    const ms = Math.round(slow ? this.#options.slowMs * (0.8 + 0.4 * jitter) : 5 + 25 * jitter);
    await sleep(ms);
    if (outcome < this.#options.failureRate) throw new ProviderUnavailable('the bank closed the connection');
    if (outcome < this.#options.failureRate + this.#options.declineRate) {
      throw new Declined(`a charge of ${(amount / 100).toFixed(2)} was declined`);
    }
    return ms;
  }
}

/** A small generator with a seed; Math.random takes none. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
