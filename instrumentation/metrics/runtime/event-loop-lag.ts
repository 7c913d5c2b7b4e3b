import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { gauge, type RuntimeCollector } from './define.ts';

const RESOLUTION_MS = 10;
const WINDOW_MS = 30_000;
const NOTE = `over the last 30 to 60 s, sampled by a ${RESOLUTION_MS} ms timer: an idle loop shows about ${RESOLUTION_MS} ms`;

/**
 * The delay of the event loop. Two histograms take turns: the page shows the older one, which covers 30 to 60 seconds,
 * and only the younger one is ever reset. So a stall is seen by every scraper, however many there are and however seldom
 * they come; with one histogram that each scrape resets, the second of two scrapers never sees it, and neither does the
 * first where the stall follows its scrape at once (a reset histogram misses its first interval).
 */
export const eventLoopLag: RuntimeCollector = {
  name: 'event_loop_lag',
  first: true,
  start(registry) {
    const now = registry.gauge(gauge('nodejs_eventloop_lag_seconds', 'Lag of the event loop when the scrape arrived.'));
    const stat = (part: string, what: string) =>
      registry.gauge(gauge(`nodejs_eventloop_lag_${part}_seconds`, `${what} event loop delay ${NOTE}.`));
    const min = stat('min', 'Least');
    const max = stat('max', 'Greatest');
    const mean = stat('mean', 'Mean');
    const stddev = stat('stddev', 'Standard deviation of the');
    const percentiles = [50, 90, 99].map((rank) => [rank, stat(`p${rank}`, `${rank}th percentile of the`)] as const);

    let shown = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    let next = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    let turned = performance.now();
    shown.enable();
    next.enable();

    return {
      async collect() {
        const before = performance.now();
        await new Promise<void>((resolve) => setImmediate(resolve));
        now.set({}, (performance.now() - before) / 1000);
        if (performance.now() - turned > WINDOW_MS) {
          [shown, next] = [next, shown];
          next.reset();
          turned = performance.now();
        }
        if (shown.count === 0) return;
        min.set({}, shown.min / 1e9);
        max.set({}, shown.max / 1e9);
        mean.set({}, shown.mean / 1e9);
        stddev.set({}, shown.stddev / 1e9);
        for (const [rank, metric] of percentiles) metric.set({}, shown.percentile(rank) / 1e9);
      },
      stop() {
        shown.disable();
        next.disable();
      },
    };
  },
};
