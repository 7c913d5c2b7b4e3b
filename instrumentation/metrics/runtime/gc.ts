import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import type { RuntimeCollector } from './define.ts';

const KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

/**
 * Garbage collections, all of them: Node hands them over in batches, of which prom-client's own collector reads only the
 * first entry.
 */
export const gc: RuntimeCollector = {
  name: 'gc',
  start(registry) {
    const duration = registry.histogram({
      name: 'nodejs_gc_duration_seconds',
      type: 'histogram',
      help: 'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
      labels: ['kind'],
      buckets: [0.001, 0.01, 0.1, 1, 2, 5],
    });
    // With 0 from the start, so that the first collection is an increase.
    for (const kind of Object.values(KINDS)) duration.child(kind);
    const record = (entries: PerformanceEntry[]) => {
      for (const entry of entries) {
        const { detail } = entry as PerformanceEntry & { detail: { kind: number } };
        duration.child(KINDS[detail.kind] ?? 'unknown').observe(entry.duration / 1000);
      }
    };
    const observer = new PerformanceObserver((list) => record(list.getEntries()));
    observer.observe({ entryTypes: ['gc'] });
    return {
      // Node reports a collection in the turn of the event loop that follows it; it belongs on this page already.
      async collect() {
        await new Promise<void>((resolve) => setImmediate(resolve));
        record(observer.takeRecords());
      },
      stop: () => observer.disconnect(),
    };
  },
};
