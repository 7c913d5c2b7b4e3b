import type { Kit } from '../kit.ts';
import { type RateLimitRecorder, resilienceOf } from '../recorders/resilience.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';

/** A middleware's options, as its store gets them when the middleware is made. */
interface Options {
  readonly windowMs?: unknown;
  /** Before version 7 `max`. */
  readonly limit?: unknown;
  readonly max?: unknown;
  /** From version 7.4 on: a name by which clients know the limit. */
  readonly identifier?: unknown;
}

interface Store {
  init?(options: Options): unknown;
  increment(key: string): Promise<{ readonly totalHits: number }> | { readonly totalHits: number };
}

interface StoreClass {
  readonly prototype: Store;
}

const STORES = ['MemoryStore', 'RedisStore', 'default'];

/**
 * The middleware itself is a closure, but it tells its store its options and asks it to count each request: that is
 * enough to know what it will decide. A limit that the app computes anew for each request cannot be known there.
 */
export const expressRateLimit = defineLibrary<Record<string, unknown>>({
  name: 'express-rate-limit',
  gives:
    'Requests allowed and limited, by limit and window (`100-in-60s`) or identifier; with its memory store and rate-limit-redis, not where `limit` is a function.',
  packages: { 'express-rate-limit': '>=6.2.0 <9.0.0', 'rate-limit-redis': '>=3.0.0 <7.0.0' },
  esm: {
    'express-rate-limit': { range: '>=6.2.0 <9.0.0', files: ['dist/index.mjs'] },
    'rate-limit-redis': { range: '>=3.0.0 <7.0.0', files: ['dist/index.mjs'] },
  },
  accepts: (exports): exports is Record<string, unknown> => isExports(exports) && storesOf(exports).length > 0,
  wire(exports, kit, { name, version }) {
    // Before version 7 a limit of 0 switched the limiter off.
    const zeroIsNone = name === 'express-rate-limit' && version !== undefined && Number.parseInt(version, 10) < 7;
    return together(storesOf(exports).map(({ prototype }) => watch(prototype, kit, zeroIsNone)));
  },
});

function storesOf(exports: Record<string, unknown>): StoreClass[] {
  const found = STORES.map((name) => exports[name]).filter(
    (value): value is StoreClass =>
      typeof value === 'function' && isExports(value.prototype) && typeof value.prototype.increment === 'function',
  );
  return [...new Set(found)];
}

function watch(prototype: Store, kit: Kit, zeroIsNone: boolean): Undo {
  const resilience = resilienceOf(kit);
  const limits = new WeakMap<Store, { readonly limit: number; readonly recorder: RateLimitRecorder }>();
  const { init, increment } = prototype;
  prototype.init = function (this: Store, options) {
    const limit = options?.limit ?? options?.max;
    if (typeof limit === 'number') limits.set(this, { limit, recorder: resilience.rateLimit(nameOf(options, limit)) });
    return init?.call(this, options);
  };
  prototype.increment = function (this: Store, key) {
    const result = increment.call(this, key);
    const known = limits.get(this);
    if (known === undefined) return result;
    const record = (info: { readonly totalHits: number }) => {
      const { limit, recorder } = known;
      if (info?.totalHits > limit && !(limit === 0 && zeroIsNone)) recorder.limited();
      else recorder.allowed();
      return info;
    };
    return result instanceof Promise ? result.then(record) : record(result);
  };
  return () => {
    if (init === undefined) delete prototype.init;
    else prototype.init = init;
    prototype.increment = increment;
  };
}

/** As the library names a policy by default: how many in how long. */
function nameOf({ identifier, windowMs }: Options, limit: number): string {
  if (typeof identifier === 'string' && identifier !== '') return identifier;
  return `${limit}-in-${typeof windowMs === 'number' ? `${windowMs / 1000}s` : 'window'}`;
}
