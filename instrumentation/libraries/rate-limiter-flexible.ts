import type { Kit } from '../kit.ts';
import { resilienceOf } from '../recorders/resilience.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';

interface Limiter {
  readonly keyPrefix?: unknown;
  /** Answers instead where this limiter's own store fails. */
  readonly insuranceLimiter?: unknown;
  consume(key: unknown, ...rest: unknown[]): Promise<unknown>;
}

/** They pass each request on to other limiters, which are counted themselves. */
const WRAPPERS = /^(RLWrapper|RateLimiterUnion|RateLimiterQueue|BurstyRateLimiter|ExpressBrute)/;

/** Every limiter of the package has a `consume` whose promise is rejected with a result, no error, where it limits. */
export const rateLimiterFlexible = defineLibrary<Record<string, unknown>>({
  name: 'rate-limiter-flexible',
  gives: 'Requests allowed and limited, by `keyPrefix`, with every store.',
  packages: { 'rate-limiter-flexible': '>=2.0.0 <12.0.0' },
  accepts: (exports): exports is Record<string, unknown> =>
    isExports(exports) && typeof exports.RateLimiterMemory === 'function' && typeof exports.RateLimiterRes === 'function',
  wire(exports, kit) {
    const prototypes = Object.entries(exports)
      .filter(([name, value]) => typeof value === 'function' && !WRAPPERS.test(name))
      .map(([, value]) => owner((value as { prototype: object }).prototype))
      .filter((prototype) => prototype !== undefined);
    return together([...new Set(prototypes)].map((prototype) => watch(prototype, kit)));
  },
});

/** The prototype on which `consume` is defined: the limiters of all databases share one. */
function owner(prototype: object): Limiter | undefined {
  for (let at = prototype; isExports(at); at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, 'consume')) return at as unknown as Limiter;
  }
  return undefined;
}

function watch(prototype: Limiter, kit: Kit): Undo {
  const resilience = resilienceOf(kit);
  const { consume } = prototype;
  prototype.consume = function (this: Limiter, ...args: [unknown, ...unknown[]]) {
    if (isExports(this.insuranceLimiter)) insurances.add(this.insuranceLimiter);
    const promise = Reflect.apply(consume, this, args);
    if (insurances.has(this) || !(promise instanceof Promise)) return promise;
    const recorder = resilience.rateLimit(typeof this.keyPrefix === 'string' ? this.keyPrefix : 'rlflx');
    // The promise that follows is handed on, so that a rejection nobody handles is still seen as one.
    return promise.then(
      (result) => {
        recorder.allowed();
        return result;
      },
      (reason) => {
        if (isExports(reason) && typeof reason.msBeforeNext === 'number') recorder.limited();
        throw reason;
      },
    );
  };
  return () => {
    prototype.consume = consume;
  };
}

/** What they decide is what the limiter that they stand in for answers. */
const insurances = new WeakSet<object>();
