import type { BuiltIn } from '../check.ts';

const INTERVAL_MS = 5000;
const BUSY = 0.95;

/** Share of the time since the last run in which the event loop was busy; near 1, requests wait for each other. */
export function eventLoop(): BuiltIn {
  let last = performance.eventLoopUtilization();
  return {
    name: 'event_loop',
    required: false,
    interval: INTERVAL_MS,
    componentType: 'system',
    check: () => {
      const now = performance.eventLoopUtilization();
      const { utilization, active, idle } = performance.eventLoopUtilization(now, last);
      last = now;
      // Loading an app keeps the loop busy; that is no sign of anything.
      const busy = utilization >= BUSY && active + idle >= INTERVAL_MS / 2;
      return {
        status: busy ? 'warn' : 'pass',
        observedValue: Math.round(utilization * 1000) / 1000,
        observedUnit: 'ratio',
        output: busy ? `the event loop was busy ${Math.round(utilization * 100)} % of the time` : undefined,
      };
    },
  };
}
