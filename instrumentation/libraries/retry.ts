import { callSite } from '../recorders/call-site.ts';
import { type RetryRecorder, resilienceOf } from '../recorders/resilience.ts';
import { defineLibrary, isExports } from './define.ts';

interface Operation {
  attempt(fn: unknown, ...rest: unknown[]): void;
  /** Whether another attempt follows. Without an error the operation has worked, for those who ask even then. */
  retry(error?: unknown): boolean;
}

interface Exports {
  operation(options: { retries: number }): Operation;
}

/**
 * The package `retry`, on which p-retry up to version 6, async-retry and others are built. They ask it after each failed
 * attempt; of an attempt that worked most tell it nothing.
 */
export const retry = defineLibrary<Exports>({
  name: 'retry',
  gives:
    'Attempts that failed, by the function that retries; of p-retry before version 7 and async-retry too, which use it. Later versions of p-retry, and p-timeout, have nothing that could be listened to.',
  packages: { retry: '>=0.10.0 <1.0.0' },
  accepts: (exports): exports is Exports =>
    isExports(exports) && typeof exports.operation === 'function' && typeof exports.timeouts === 'function',
  wire(exports, kit) {
    const resilience = resilienceOf(kit);
    const prototype = Object.getPrototypeOf(exports.operation({ retries: 0 })) as Operation;
    const recorders = new WeakMap<Operation, RetryRecorder>();
    const { attempt, retry: again } = prototype;
    prototype.attempt = function (this: Operation, ...args) {
      // Those who use it are on the stack only now.
      if (!recorders.has(this)) recorders.set(this, resilience.retry(callSite('retry')));
      return Reflect.apply(attempt, this, args);
    };
    prototype.retry = function (this: Operation, error) {
      const follows = again.call(this, error);
      recorders.get(this)?.attempt(follows ? 'failure' : error ? 'exhausted' : 'success');
      return follows;
    };
    return () => {
      prototype.attempt = attempt;
      prototype.retry = again;
    };
  },
});
