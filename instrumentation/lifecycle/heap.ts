import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** V8 counts whole pages: when it gives up, what is used was seen to be from 93 to 98 % of what is committed. */
const COMMITTED = 0.95;
const USED = 0.92;
/** From here on the garbage collector is watched; below, one look now and then costs nothing (a microsecond each). */
const ARM = 0.75;
const CALM = 0.85;
const INTERVAL_MS = 500;

/**
 * Calls `near` once when a full garbage collection has left the heap within 5 % of the limit, and again only after it has
 * fallen well below. Garbage alone fills a heap to its limit too and means nothing, so only what survives counts.
 *
 * @param limit bytes, see heap-limit.ts
 */
export function watchHeap(limit: number, near: (usedBytes: number) => void): () => void {
  const share = () => getHeapStatistics().used_heap_size / limit;
  let observer: PerformanceObserver | undefined;
  let told = false;

  function collected(major: boolean): void {
    const { used_heap_size: used, total_heap_size: committed } = getHeapStatistics();
    if (told) told = used > CALM * limit;
    else if (major && used >= USED * limit && committed >= COMMITTED * limit) {
      told = true;
      near(used);
    }
  }

  const timer = setInterval(() => {
    const now = share();
    if (now >= ARM && observer === undefined) {
      observer = new PerformanceObserver((list) => collected(list.getEntries().some(isMajor)));
      observer.observe({ entryTypes: ['gc'] });
    } else if (now < ARM) disarm();
  }, INTERVAL_MS).unref();

  function disarm(): void {
    observer?.disconnect();
    observer = undefined;
    told = false;
  }

  return () => {
    clearInterval(timer);
    disarm();
  };
}

function isMajor(entry: PerformanceEntry): boolean {
  const { detail } = entry as { detail?: { kind?: number } };
  return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
