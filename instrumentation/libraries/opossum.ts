import { reason } from '../diagnostics.ts';
import type { BreakerInstance, BreakerResult, BreakerState } from '../recorders/breaker.ts';
import { resilienceOf } from '../recorders/resilience.ts';
import { defineLibrary, isExports } from './define.ts';

interface CircuitBreaker {
  readonly name: unknown;
  readonly opened: boolean;
  readonly halfOpen: boolean;
  emit(event: string | symbol, ...args: unknown[]): boolean;
}

interface Exports {
  readonly prototype: CircuitBreaker;
  isOurError(error: Error): boolean;
}

const STATES: Readonly<Record<string, BreakerState>> = { open: 'open', halfOpen: 'half-open', close: 'closed' };
const RESULTS: Readonly<Record<string, BreakerResult>> = {
  success: 'success',
  failure: 'failure',
  timeout: 'timeout',
  reject: 'rejected',
  semaphoreLocked: 'rejected',
  fallback: 'fallback',
};
/** opossum tells of these as `timeout` and `semaphoreLocked` first, and then of a `failure` with the same error. */
const TOLD = new Set(['ETIMEDOUT', 'ESEMLOCKED']);
/** The name that opossum makes up for a breaker around a function without one: another one for each. */
const MADE_UP = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * A breaker says all that it does by events. They are read as they are emitted, on the prototype, so no breaker has a
 * listener more than the app gave it, and none is kept alive.
 *
 * @see https://nodeshift.dev/opossum/
 */
export const opossum = defineLibrary<Exports>({
  name: 'opossum',
  gives: 'State, results, changes and probes of each breaker by name; span events, a log line on each change; its cache.',
  packages: { opossum: '>=6.0.0 <11.0.0' },
  accepts: (exports): exports is Exports =>
    typeof exports === 'function' &&
    isExports(exports.prototype) &&
    typeof exports.prototype.fire === 'function' &&
    typeof exports.prototype.emit === 'function' &&
    typeof (exports as unknown as Exports).isOurError === 'function',
  wire(CircuitBreaker, kit) {
    const resilience = resilienceOf(kit);
    const { prototype } = CircuitBreaker;
    const known = new WeakMap<CircuitBreaker, BreakerInstance>();

    function recorderOf(breaker: CircuitBreaker, event: string): BreakerInstance {
      let recorder = known.get(breaker);
      if (recorder === undefined) {
        // A breaker that tells of its new state first was closed before; otherwise it may have been made open.
        const initial = event in STATES ? 'closed' : breaker.opened ? 'open' : breaker.halfOpen ? 'half-open' : 'closed';
        recorder = resilience.breakers.instance(breaker, nameOf(breaker), initial);
        known.set(breaker, recorder);
      }
      return recorder;
    }

    function record(breaker: CircuitBreaker, event: string, error: unknown): void {
      if (Object.hasOwn(STATES, event)) recorderOf(breaker, event).state(STATES[event]);
      else if (Object.hasOwn(RESULTS, event)) {
        if (event !== 'failure' || !isTold(error)) recorderOf(breaker, event).request(RESULTS[event]);
      } else if (event === 'fire') recorderOf(breaker, event);
      else if (event === 'cacheHit') resilience.cache(nameOf(breaker)).hit();
      else if (event === 'cacheMiss') resilience.cache(nameOf(breaker)).miss();
      else if (event === 'shutdown') known.get(breaker)?.release();
    }

    function isTold(error: unknown): boolean {
      return isExports(error) && TOLD.has(error.code as string) && CircuitBreaker.isOurError(error as unknown as Error);
    }

    const own = Object.getOwnPropertyDescriptor(prototype, 'emit');
    const { emit } = prototype;
    let active = true;
    prototype.emit = function (this: CircuitBreaker, event, ...args) {
      if (active && typeof event === 'string') {
        try {
          record(this, event, args[0]);
        } catch (error) {
          kit.diagnostics.warn(
            `O11Y_INSTRUMENTATION: an event of a circuit breaker could not be recorded: ${reason(error)}. The breaker works on.`,
            'opossum',
          );
        }
      }
      return Reflect.apply(emit, this, [event, ...args]);
    };
    return () => {
      active = false;
      if (own) Object.defineProperty(prototype, 'emit', own);
      else delete (prototype as Partial<CircuitBreaker>).emit;
    };
  },
});

function nameOf({ name }: CircuitBreaker): string {
  const text = String(name);
  return MADE_UP.test(text) ? 'unnamed' : text;
}
