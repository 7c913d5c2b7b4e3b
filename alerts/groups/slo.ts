import type { Alert, Dashboard, Group } from '../define.ts';
import { JOB, threshold } from '../promql.ts';
import { enoughRequests } from '../recording.ts';
import type { Threshold } from '../thresholds.ts';

/**
 * Burn rate: how many times faster than allowed the 30 days' error budget is spent. Each pair fires when the long window has spent the
 * named part of it and the short one says that it goes on. https://sre.google/workbook/alerting-on-slos/
 */
const BURNS = [
  { long: '1h', short: '5m', rate: 14.4, budget: '2 %', for: '2m', severity: 'critical' },
  { long: '6h', short: '30m', rate: 6, budget: '5 %', for: '15m', severity: 'critical' },
  { long: '1d', short: '2h', rate: 3, budget: '10 %', for: '1h', severity: 'warning' },
  { long: '3d', short: '6h', rate: 1, budget: '10 %', for: '3h', severity: 'warning' },
] as const;

function burns(alert: string, summary: string, level: string, objective: Threshold, what: string): Alert[] {
  const dashboard: Dashboard = 'o11y-slo';
  return BURNS.map((burn) => {
    const spent = (window: string) =>
      `${level}:ratio_rate${window} / on (job) group_left () (1 - ${threshold(objective)}) > ${burn.rate}`;
    return {
      alert,
      expr: `(
  ${spent(burn.long)}
    and
  ${spent(burn.short)}
)
and on (${JOB})
${enoughRequests(burn.long)}`,
      for: burn.for,
      severity: burn.severity,
      labels: { window: burn.long },
      summary,
      description: `{{ $labels.job }} spends its error budget {{ $value | humanize }} times faster than allowed: in the last ${burn.long} at least ${burn.budget} of the 30 days' budget for ${what} are gone, and it goes on.`,
      dashboard,
    };
  });
}

export const slo: Group = {
  name: 'o11y-slo',
  rules: [
    ...burns(
      'AvailabilityBudgetBurn',
      'Requests fail so often that the availability objective will be missed.',
      'job:http_server_errors',
      'slo_availability',
      'failed requests',
    ),
    ...burns(
      'LatencyBudgetBurn',
      'Requests are slow so often that the latency objective will be missed.',
      'job:http_server_slow_requests',
      'slo_latency',
      'slow requests',
    ),
  ],
};
