import type { ErrorClassifier } from './error-type.ts';
import type { Check, CheckOptions } from './health/check.ts';
import type { Logger } from './logs/logger.ts';
import type { UserMetrics } from './metrics/types.ts';
import type { Operation } from './recorders/operation.ts';
import type { Resilience } from './recorders/resilience.ts';

/** What the preload puts behind `import … from 'o11y-kit'`. */
export interface Api extends Resilience {
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: UserMetrics;
  readonly health: { register(name: string, check: Check, options?: CheckOptions): () => void };
  readonly correlation: Correlation;
  readonly operation: Operation;
  readonly errors: { classify(classifier: ErrorClassifier): () => void };
}

/**
 * Ids follow the work by themselves through promises, timers, streams and events. To another thread nothing crosses by
 * itself: a message is data, and the preload runs in main threads only. Whoever awaits an answer still has the id
 * afterwards; work that is to have it elsewhere gets it with its message, and runs under it by {@link Correlation.run}.
 */
export interface Correlation {
  /** The id of the request or operation that is running, if any. */
  id(): string | undefined;
  /** Runs `fn` under an id: the given one if it is allowed, otherwise a new one. */
  run<T>(id: string | undefined, fn: () => T): T;
}

const KEY = Symbol.for('o11y-kit.api');
const holder = globalThis as { [KEY]?: Api };

/** The running preload's API. The symbol is shared by every copy of this package in the process. */
export function currentApi(): Api | undefined {
  return holder[KEY];
}

/** Returns what takes it back. */
export function publishApi(api: Api): () => void {
  Object.defineProperty(globalThis, KEY, { value: api, configurable: true, enumerable: false, writable: true });
  return () => {
    if (holder[KEY] === api) delete holder[KEY];
  };
}
