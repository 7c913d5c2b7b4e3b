import { type Diagnostics, reason } from '../diagnostics.ts';
import { isolated } from './collectors.ts';
import { type PromMetric, readByGet, readDirectly, type Source } from './families.ts';
import { Slice } from './pause.ts';
import type { PageSource } from './sources.ts';
import type { Family } from './types.ts';

/** What came of asking the app's metrics. */
export interface AppRound {
  readonly failed: ReadonlySet<object>;
  /** Those that only their own `get()` can read. */
  readonly read: ReadonlyMap<object, Family>;
}

/**
 * Lets the app's metrics collect before a page, each one apart: one that throws or hangs costs itself only. They begin in
 * the order of registration, because one often sets the values of the next. Scrapes that meet share one round.
 */
export class AppCollect {
  readonly #hanging = new WeakSet<object>();
  readonly #diagnostics: Diagnostics;
  #round: Promise<AppRound> | undefined;

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  run(sources: readonly PageSource[]): Promise<AppRound> {
    this.#round ??= this.#run(sources).finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async #run(sources: readonly PageSource[]): Promise<AppRound> {
    const failed = new Set<object>();
    const read = new Map<object, Family>();
    const running: Promise<void>[] = [];
    const slice = new Slice();
    for (const source of sources) {
      if (!source.foreign) continue;
      const { metric } = source;
      const collect = this.#howToCollect(source, read);
      if (collect !== undefined) running.push(this.#one(metric, failed, collect));
      if (slice.over()) await slice.pause();
    }
    await Promise.all(running);
    return { failed, read };
  }

  #howToCollect(source: Source, read: Map<object, Family>): (() => unknown) | undefined {
    const { metric } = source;
    if (readDirectly(source) === undefined) {
      return async () => {
        read.set(metric, await readByGet(source));
      };
    }
    return typeof metric.collect === 'function' ? () => metric.collect!() : undefined;
  }

  async #one(metric: PromMetric, failed: Set<object>, collect: () => unknown): Promise<void> {
    if (this.#hanging.has(metric)) {
      failed.add(metric);
      return;
    }
    const run = () => {
      const result = collect();
      if (typeof (result as PromiseLike<void> | undefined)?.then !== 'function') return;
      this.#hanging.add(metric);
      return Promise.resolve(result as PromiseLike<void>).finally(() => this.#hanging.delete(metric));
    };
    if (!(await isolated(run, (error) => this.#broken(metric, error)))) failed.add(metric);
  }

  #broken(metric: PromMetric, error: unknown): void {
    this.#diagnostics.warn(
      `O11Y_METRIC: the app's metric ${metric.name} cannot be read: ${reason(error)}. It is missing from the page.`,
      `metric ${metric.name}`,
    );
  }
}
