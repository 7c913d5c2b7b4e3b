import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

const FLAG = /^--max[-_]old[-_]space[-_]size(?<percentage>[-_]percentage)?(?:=(?<value>[\d.]+))?$/;
/** Of V8's own limits, the part that is not reserved for the young generation: 0.955 on Node 24, a little more on others. */
const OLD_SHARE = 0.955;

/**
 * The heap size in bytes at which V8 really gives up. `heap_size_limit` is not it: that includes up to three semi-spaces of
 * young generation, 192 MiB on Node 24, which a small heap with a limit set by hand never comes near.
 *
 * @param flags command-line options of the process, those of `NODE_OPTIONS` included
 * @param reported V8's `heap_size_limit`
 */
export function heapLimit(flags: readonly string[], reported = getHeapStatistics().heap_size_limit, memory = physical()): number {
  let limit = reported * OLD_SHARE;
  flags.forEach((flag, index) => {
    const groups = FLAG.exec(flag)?.groups;
    if (groups === undefined) return;
    const value = Number(groups.value ?? flags[index + 1]);
    // The last one counts, as it does for V8. It cannot be more than all there is.
    if (value > 0) limit = Math.min(reported, groups.percentage ? (memory * value) / 100 : value * 2 ** 20);
  });
  return limit;
}

/** `process.execArgv` after `NODE_OPTIONS`: what is on the command line comes last and wins. */
export function nodeFlags(nodeOptions: string): string[] {
  return [...nodeOptions.split(/\s+/), ...process.execArgv];
}

function physical(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  const total = totalmem();
  return constrained > 0 && constrained < total ? constrained : total;
}
