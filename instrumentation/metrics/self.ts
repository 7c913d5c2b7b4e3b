import type { DropReason, ExportStats, Shipped } from '../export/stats.ts';
import { METRICS } from '../names.ts';
import type { KitRegistry } from './registry.ts';

const SIGNALS: readonly Shipped[] = ['traces', 'logs'];

/**
 * What the kit says of itself: what was exported and dropped, how long exports took. All reasons stand there from the
 * start with 0, so that an increase can be seen from the first one on.
 */
export function exportMetrics(registry: KitRegistry, stats: ExportStats): { collect(): void; start(): () => void } {
  const exported = registry.counter(METRICS.exported);
  const dropped = registry.counter(METRICS.dropped);
  const duration = registry.histogram(METRICS.exportDuration);
  return {
    collect() {
      for (const signal of SIGNALS) {
        exported.setTotal({ signal }, stats[signal].exported);
        for (const reason of Object.keys(stats[signal].dropped) as DropReason[]) {
          dropped.setTotal({ signal, reason }, stats[signal].dropped[reason]);
        }
      }
    },
    start() {
      const before = stats.onExport;
      const observe = (signal: Shipped, seconds: number) => {
        duration.observe({ signal }, seconds);
        before?.(signal, seconds);
      };
      stats.onExport = observe;
      return () => {
        if (stats.onExport === observe) stats.onExport = before;
      };
    },
  };
}
