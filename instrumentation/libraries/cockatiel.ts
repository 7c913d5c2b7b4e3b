import { trace } from '@opentelemetry/api';
import type { Kit } from '../kit.ts';
import { METRICS } from '../names.ts';
import type { BreakerInstance, BreakerState } from '../recorders/breaker.ts';
import { callSite } from '../recorders/call-site.ts';
import { type LibraryResilience, resilienceOf } from '../recorders/resilience.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';

type Execute = (this: Policy, fn: (...args: unknown[]) => unknown, ...rest: unknown[]) => Promise<unknown>;
type Listen<T = void> = (listener: (event: T) => void) => unknown;

/** What policies have in common, and the events of those that have them. */
interface Policy {
  /** None of cockatiel's: an app may give a policy a name by which it is known. */
  readonly name?: unknown;
  execute: Execute;
  readonly onSuccess?: Listen;
  readonly onFailure?: Listen<{ readonly handled: boolean; readonly reason: { readonly error?: unknown } }>;
  readonly onStateChange?: Listen<number>;
  readonly onRetry?: Listen<unknown>;
  readonly onGiveUp?: Listen<unknown>;
  readonly onTimeout?: Listen;
  readonly state?: number;
  readonly duration?: unknown;
}

/** What a policy's calls tell, beside its events. */
interface Watch {
  /** The policy ended a call with this error without having called the function. */
  refused?(error: unknown): void;
  /** The policy called the function, for the first time in this call. */
  started?(): void;
}

type Exports = Readonly<Record<string, { readonly prototype: Policy } | undefined>>;

/** cockatiel's CircuitState; an isolated breaker lets nothing through, as an open one. */
const STATES: readonly BreakerState[] = ['closed', 'open', 'half-open', 'open'];
const RANGE = '>=3.0.0 <5.0.0';

/**
 * Policies announce what they do by emitters of their own, which know of no limit of listeners; each policy is listened to
 * when it is first used. Where several are wrapped in one another, all bear the name of the code that uses them.
 *
 * @see https://github.com/connor4312/cockatiel
 */
export const cockatiel = defineLibrary<Exports>({
  name: 'cockatiel',
  gives:
    'Breakers, retries, time limits, bulkheads and fallbacks, by `name` if the policy has one, otherwise by the function that uses it.',
  packages: { cockatiel: RANGE },
  esm: { cockatiel: { range: RANGE, files: ['dist/index.js', 'dist/esm/index.js'] } },
  accepts: (exports): exports is Exports =>
    isExports(exports) && typeof exports.CircuitBreakerPolicy === 'function' && typeof exports.RetryPolicy === 'function',
  wire(exports, kit) {
    const resilience = resilienceOf(kit);
    const watchers: Record<string, (policy: Policy, name: string) => Watch> = {
      CircuitBreakerPolicy: (policy, name) => breaker(policy, name, resilience),
      RetryPolicy: (policy, name) => retry(policy, name, resilience),
      TimeoutPolicy(policy, name) {
        const duration = typeof policy.duration === 'number' ? policy.duration : undefined;
        policy.onTimeout?.(() => resilience.timedOut('cockatiel', name, duration));
        return {};
      },
      BulkheadPolicy: (_policy, name) => bulkhead(name, kit),
      FallbackPolicy(policy, name) {
        policy.onFailure?.(({ handled }) => handled && resilience.breaker(name).request('fallback'));
        return {};
      },
    };
    const undos = Object.entries(watchers).map(([name, watcher]) => {
      const prototype = exports[name]?.prototype;
      return typeof prototype?.execute === 'function' ? watchCalls(prototype, watcher) : () => {};
    });
    return together(undos);
  },
});

function watchCalls(prototype: Policy, watcher: (policy: Policy, name: string) => Watch): Undo {
  const { execute } = prototype;
  const watches = new WeakMap<Policy, Watch>();
  // A policy that waits for a place or a state calls its own `execute` again with the same function.
  const entered = new WeakSet<object>();
  let active = true;
  prototype.execute = function (this: Policy, fn, ...rest) {
    if (!active || typeof fn !== 'function' || entered.has(fn)) return Reflect.apply(execute, this, [fn, ...rest]);
    let watch = watches.get(this);
    if (watch === undefined) {
      watch = watcher(this, typeof this.name === 'string' && this.name !== '' ? this.name : callSite('cockatiel'));
      watches.set(this, watch);
    }
    const { refused, started } = watch;
    if (refused === undefined) return Reflect.apply(execute, this, [fn, ...rest]);
    let called = false;
    const run = (...args: unknown[]): unknown => {
      if (!called) started?.();
      called = true;
      return fn(...args);
    };
    entered.add(run);
    // The promise that follows is handed on, so that a rejection nobody handles is still seen as one.
    return (Reflect.apply(execute, this, [run, ...rest]) as Promise<unknown>).then(undefined, (error) => {
      if (!called) refused(error);
      throw error;
    });
  };
  return () => {
    active = false;
    prototype.execute = execute;
  };
}

function breaker(policy: Policy, name: string, resilience: LibraryResilience): Watch {
  const recorder: BreakerInstance = resilience.breakers.instance(policy, name, STATES[policy.state ?? 0] ?? 'closed');
  policy.onStateChange?.((state) => recorder.state(STATES[state] ?? 'closed'));
  policy.onSuccess?.(() => recorder.request('success'));
  policy.onFailure?.(({ handled, reason }) => {
    // An error that the breaker was told not to mind is no failure to it.
    recorder.request(!handled ? 'success' : isMarked(reason.error, 'isTaskCancelledError') ? 'timeout' : 'failure');
  });
  return {
    refused: (error) => {
      if (isMarked(error, 'isBrokenCircuitError')) recorder.request('rejected');
    },
  };
}

function retry(policy: Policy, name: string, resilience: LibraryResilience): Watch {
  const recorder = resilience.retry(name);
  policy.onSuccess?.(() => recorder.attempt('success'));
  policy.onRetry?.(() => recorder.attempt('failure'));
  policy.onGiveUp?.(() => recorder.attempt('exhausted'));
  policy.onFailure?.(({ handled }) => {
    if (!handled) recorder.attempt('exhausted');
  });
  return {};
}

function bulkhead(name: string, kit: Kit): Watch {
  const requests = kit.metrics.counter(METRICS.bulkheadRequests);
  return {
    started: () => requests.inc({ name, result: 'allowed' }),
    refused(error) {
      if (!isMarked(error, 'isBulkheadRejectedError')) return;
      requests.inc({ name, result: 'rejected' });
      trace.getActiveSpan()?.addEvent('bulkhead.rejected', { 'bulkhead.name': name });
    },
  };
}

/** cockatiel marks its errors by a property, since several copies of it may be in use. */
function isMarked(error: unknown, mark: string): boolean {
  return isExports(error) && error[mark] === true;
}
