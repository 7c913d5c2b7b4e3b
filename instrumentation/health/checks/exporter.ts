import type { ExportStats } from '../../export/stats.ts';
import type { BuiltIn } from '../check.ts';

/** Whether telemetry gets through. Never more than a warning: a service must not leave its load balancer for it. */
export function exporter(stats: Pick<ExportStats, 'healthy' | 'lastError'>): BuiltIn {
  return {
    name: 'exporter',
    required: false,
    check: () =>
      stats.healthy === false
        ? { status: 'warn', observedValue: false, output: `the last export failed: ${stats.lastError ?? 'no reason given'}` }
        : { status: 'pass', observedValue: stats.healthy ?? 'nothing exported yet' },
  };
}
