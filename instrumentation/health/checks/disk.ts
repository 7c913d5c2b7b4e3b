import { promises } from 'node:fs';
import type { BuiltIn } from '../check.ts';

const GIB = 2 ** 30;
const INTERVAL_MS = 30_000;
// Both a share and an amount: a tenth of a large disk is plenty, and a small one is often nearly full on purpose.
const WARN = { ratio: 0.1, bytes: 5 * GIB };
const FAIL = { ratio: 0.02, bytes: 0.5 * GIB };

// Asked of `node:fs` when it is needed: `node:fs/promises` would be loaded by every app, at its start.
const statfs = (path: string): Promise<DiskStatistics> => promises.statfs(path);

/** Free space where the process works. */
export function disk(path = '.', statistics: (path: string) => Promise<DiskStatistics> = statfs): BuiltIn {
  return {
    name: 'disk',
    required: false,
    interval: INTERVAL_MS,
    timeout: 5000,
    componentType: 'system',
    check: async () => {
      const { bavail, blocks, bsize } = await statistics(path);
      // Some virtual file systems have no size of their own.
      if (blocks === 0) return { status: 'pass', observedValue: 'unknown' };
      const free = bavail * bsize;
      const below = (limit: typeof WARN) => bavail / blocks < limit.ratio && free < limit.bytes;
      const status = below(FAIL) ? 'fail' : below(WARN) ? 'warn' : 'pass';
      return {
        status,
        observedValue: free,
        observedUnit: 'bytes',
        output: status === 'pass' ? undefined : `${(free / GIB).toFixed(2)} GiB free, ${Math.round((100 * bavail) / blocks)} %`,
      };
    },
  };
}

interface DiskStatistics {
  readonly bavail: number;
  readonly blocks: number;
  readonly bsize: number;
}
