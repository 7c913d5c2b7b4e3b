import { databasesOf } from '../databases/databases.ts';
import type { PoolState } from '../databases/pools.ts';
import { defineLibrary, isExports } from './define.ts';
import { loadedFile } from './official.ts';

interface Pool {
  readonly borrowed: number;
  readonly available: number;
  readonly pending: number;
  readonly max: number;
  readonly _draining?: boolean;
  acquire(this: Pool, priority?: number): PromiseLike<unknown>;
}

/**
 * generic-pool. Its pools know no name of what they hold, so they are numbered in the order of their first use, which is
 * the same from start to start.
 *
 * @see https://github.com/coopernurse/node-pool
 */
export const genericPool = defineLibrary<object>({
  name: 'generic-pool',
  gives: 'Pools as generic-pool-1, -2 …: used, idle, maximum, waiting, wait time, timeouts.',
  packages: { 'generic-pool': '>=3.0.0 <4.0.0' },
  accepts: (exports): exports is object => isExports(exports) && typeof exports.createPool === 'function',
  wire(_exports, kit, copy) {
    const prototype = (loadedFile(copy, 'generic-pool/lib/Pool.js') as { prototype?: Pool } | undefined)?.prototype;
    if (typeof prototype?.acquire !== 'function') throw new Error('generic-pool/lib/Pool.js has no acquire');
    const { pools } = databasesOf(kit);
    const known = new WeakSet<Pool>();
    let count = 0;
    const { acquire } = prototype;
    prototype.acquire = function (this: Pool, priority) {
      if (!known.has(this)) {
        known.add(this);
        pools.watch(this, `generic-pool-${++count}`, read);
      }
      const startedAt = performance.now();
      const result = acquire.call(this, priority);
      // The promise itself: of those that wait generic-pool handles the rejection, of one that comes after it nobody would.
      result.then(
        () => pools.waited(this, (performance.now() - startedAt) / 1000),
        (error) => {
          if (isExports(error) && error.name === 'TimeoutError') pools.timedOut(this);
        },
      );
      return result;
    };
    return () => {
      prototype.acquire = acquire;
    };
  },
});

function read({ borrowed, available, max, pending, _draining: ending }: Pool): PoolState | undefined {
  return ending && borrowed + available === 0 ? undefined : { used: borrowed, idle: available, max, pending };
}
