import { performance } from 'node:perf_hooks';
import { METRICS } from '../../names.ts';
import type { RuntimeCollector } from './define.ts';

/** Two scrapers that come together must not leave the second one a window of nothing. */
const SHORTEST_MS = 1000;

export const eventLoopUtilization: RuntimeCollector = {
  name: 'event_loop_utilization',
  start(registry) {
    const ratio = registry.gauge(METRICS.eventLoopUtilization);
    let last = performance.eventLoopUtilization();
    let at = performance.now();
    let first = true;
    return {
      collect() {
        if (!first && performance.now() - at < SHORTEST_MS) return;
        const current = performance.eventLoopUtilization();
        ratio.set({}, performance.eventLoopUtilization(current, last).utilization);
        last = current;
        at = performance.now();
        first = false;
      },
    };
  },
};
