import { suppressTracing } from '@opentelemetry/core';
import { ROOT, storage } from '../context.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import { Slice } from './pause.ts';

const LIMIT_MS = 3000;

// What a collector does to a database or a queue is no part of anybody's trace.
const SILENT = suppressTracing(ROOT);

type Collect = () => void | Promise<void>;

interface Collector {
  readonly name: string;
  readonly fn: Collect;
  /** Has not answered an earlier round yet. */
  hanging: boolean;
}

function isThenable(value: unknown): value is PromiseLike<void> {
  return typeof (value as PromiseLike<void> | undefined)?.then === 'function';
}

/** Runs a collector apart from all else: false if it failed or took longer than `limitMs`. Never rejects. */
export async function isolated(fn: Collect, onError: (error: unknown) => void, limitMs = LIMIT_MS): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const running = storage.run(SILENT, fn);
    if (!isThenable(running)) return true;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs).unref();
    });
    await Promise.race([running, late]);
    return true;
  } catch (error) {
    onError(error);
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What has to be asked for before a page is read. Each collector fails alone; scrapes that meet share one round; one that
 * still hangs from an earlier round is not called again, so nothing piles up behind it.
 */
export class Collectors {
  readonly #first = new Set<Collector>();
  readonly #all = new Set<Collector>();
  readonly #diagnostics: Diagnostics;
  readonly #limitMs: number;
  #round: Promise<ReadonlyMap<string, boolean>> | undefined;

  constructor(diagnostics: Diagnostics, limitMs = LIMIT_MS) {
    this.#diagnostics = diagnostics;
    this.#limitMs = limitMs;
  }

  /** @param first Whether it is to be done before the others begin. */
  add(name: string, fn: Collect, first = false): () => void {
    const collector = { name, fn, hanging: false };
    const set = first ? this.#first : this.#all;
    set.add(collector);
    return () => set.delete(collector);
  }

  /** @returns Whether each collector worked, by name; several of one name are one. */
  run(): Promise<ReadonlyMap<string, boolean>> {
    this.#round ??= this.#collect().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async #collect(): Promise<ReadonlyMap<string, boolean>> {
    const results = new Map<string, boolean>();
    const running: Promise<void>[] = [];
    for (const collector of [...this.#first]) await this.#note(collector, results);
    const slice = new Slice();
    for (const collector of [...this.#all]) {
      running.push(this.#note(collector, results));
      if (slice.over()) await slice.pause();
    }
    await Promise.all(running);
    return results;
  }

  async #note(collector: Collector, results: Map<string, boolean>): Promise<void> {
    const worked = !collector.hanging && (await this.#one(collector));
    results.set(collector.name, worked && (results.get(collector.name) ?? true));
  }

  #one(collector: Collector): Promise<boolean> {
    const { name, fn } = collector;
    const run = () => {
      const running = fn();
      if (!isThenable(running)) return;
      collector.hanging = true;
      return Promise.resolve(running).finally(() => {
        collector.hanging = false;
      });
    };
    const report = (error: unknown) =>
      this.#diagnostics.warn(
        `O11Y_METRIC: collector "${name}" failed: ${reason(error)}. Its metrics are missing or old; all others are shown.`,
        `collector ${name}`,
      );
    return isolated(run, report, this.#limitMs);
  }
}
