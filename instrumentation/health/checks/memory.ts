import { getHeapStatistics } from 'node:v8';
import type { BuiltIn } from '../check.ts';

const WARN = 0.85;
const FAIL = 0.95;

/** The heap against the size in bytes at which V8 ends the process. */
export function memory(limit: number, used = () => getHeapStatistics().used_heap_size): BuiltIn {
  return {
    name: 'memory',
    required: false,
    componentType: 'system',
    check: () => {
      const bytes = used();
      const ratio = bytes / limit;
      const status = ratio >= FAIL ? 'fail' : ratio >= WARN ? 'warn' : 'pass';
      return {
        status,
        observedValue: Math.round(ratio * 1000) / 1000,
        observedUnit: 'ratio',
        output: status === 'pass' ? undefined : `heap ${mib(bytes)} MiB of at most ${mib(limit)} MiB`,
      };
    },
  };
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
