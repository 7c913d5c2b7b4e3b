/** Rules for Loki's ruler: what only log lines tell, of any service that sends them, with the kit or without. */
import type { Group } from '../define.ts';

/** `job` as Prometheus has it, so that silences, routes and inhibitions meet both. */
function byJob(query: string): string {
  return `label_replace(\n  ${query},\n  "job", "$1", "service_name", "(.+)"\n)`;
}

const ERRORS = '{service_name=~".+"} | severity_text=~"(?i)(error|fatal)"';
const NOW = byJob(`sum by (service_name) (count_over_time(${ERRORS} [5m]))`);
const BEFORE = byJob(`sum by (service_name) (count_over_time(${ERRORS} [1h] offset 5m)) / 12`);

export const logs: Group = {
  name: 'o11y-log-alerts',
  rules: [
    {
      alert: 'LogErrorBurst',
      expr: `(${NOW} > 20)\nunless\n(${NOW} <= 5 * ${BEFORE})`,
      severity: 'warning',
      summary: 'A service logs far more errors than before.',
      description:
        '{{ $labels.job }} logged {{ $value }} errors in 5 minutes, more than five times as many as in the hour before.',
      dashboard: 'o11y-logs',
      select: ['service=job'],
    },
    {
      alert: 'LogFatal',
      expr: `${byJob('sum by (service_name) (count_over_time({service_name=~".+"} | severity_text=~"(?i)fatal" [5m]))')}\n  > 0`,
      severity: 'warning',
      summary: 'A process of a service said that it dies.',
      description: '{{ $labels.job }} logged {{ $value }} lines of level fatal in 5 minutes.',
      dashboard: 'o11y-logs',
      select: ['service=job'],
    },
    {
      alert: 'LogProcessCrashed',
      expr: `${byJob(
        'sum by (service_name) (count_over_time({service_name=~".+"} | severity_text=~"(?i)fatal" |~ "^(Uncaught exception|Unhandled rejection|The heap is within)" [15m]))',
      )}\n  >= 3`,
      severity: 'critical',
      summary: 'Processes of a service crash again and again.',
      description:
        '{{ $labels.job }} crashed {{ $value }} times in 15 minutes, by an exception that nobody caught or for want of heap.',
      dashboard: 'o11y-logs',
      select: ['service=job'],
    },
  ],
};
