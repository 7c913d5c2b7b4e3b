import type { Alert, Group } from '../define.ts';
import { STACK_JOBS } from '../names.ts';

/** Failures of the stack's own parts: while one lasts, dashboards and alerts say less than they seem to. */
function part(alert: Omit<Alert, 'dashboard' | 'select' | 'severity'> & Pick<Partial<Alert>, 'severity'>): Alert {
  return { severity: 'warning', dashboard: 'o11y-kit', select: [], ...alert };
}

/** Versions of the collector differ in whether counters end in `_total`. */
function collectorFailures(metric: string, ...what: string[]): string {
  return what
    .map((each) => `sum by (job, instance) (rate({__name__=~"otelcol_${metric}_${each}(_total)?"}[5m])) > 0`)
    .join('\n  or\n');
}

export const stack: Group = {
  name: 'o11y-stack-alerts',
  rules: [
    part({
      alert: 'StackComponentDown',
      expr: `up{job=~"${STACK_JOBS}"} == 0`,
      for: '5m',
      severity: 'critical',
      summary: 'A part of the observability stack is down.',
      description: '{{ $labels.job }} ({{ $labels.instance }}) does not answer Prometheus: what depends on it is blind.',
    }),
    part({
      alert: 'PrometheusRulesFailing',
      expr: 'increase(prometheus_rule_evaluation_failures_total[10m]) > 0',
      for: '5m',
      severity: 'critical',
      summary: 'Prometheus cannot evaluate a rule: an alert may be blind.',
      description:
        'Rule group {{ $labels.rule_group }} failed {{ $value | humanize }} times in 10 minutes on {{ $labels.instance }}.',
    }),
    part({
      alert: 'PrometheusConfigRejected',
      expr: 'prometheus_config_last_reload_successful == 0',
      for: '5m',
      summary: 'Prometheus runs with an old configuration, because it cannot read the new one.',
      description: '{{ $labels.instance }} refused its configuration or rules when it was last told to read them.',
    }),
    part({
      alert: 'PrometheusCannotAlert',
      expr: `prometheus_notifications_alertmanagers_discovered < 1\n  or\nincrease(prometheus_notifications_dropped_total[5m]) > 0`,
      for: '5m',
      severity: 'critical',
      summary: 'Alerts of Prometheus do not reach Alertmanager.',
      description:
        '{{ $labels.instance }} knows no Alertmanager, or gives alerts up that it cannot deliver. Nobody is told of anything.',
    }),
    part({
      alert: 'PrometheusStorageFailing',
      expr: `increase(prometheus_tsdb_compactions_failed_total[1h]) > 0\n  or\nincrease(prometheus_tsdb_wal_corruptions_total[1h]) > 0\n  or\nincrease(prometheus_tsdb_wal_truncations_failed_total[1h]) > 0`,
      summary: 'Prometheus cannot write its data as it should.',
      description: 'The storage of {{ $labels.instance }} fails; its disk is likely full or broken.',
    }),
    part({
      alert: 'AlertmanagerCannotNotify',
      expr: 'sum by (job, instance, integration) (increase(alertmanager_notifications_failed_total[10m])) > 0',
      for: '5m',
      severity: 'critical',
      summary: 'Alertmanager cannot deliver notifications.',
      description:
        'Notifications by {{ $labels.integration }} fail on {{ $labels.instance }}: {{ $value | humanize }} in 10 minutes.',
    }),
    part({
      alert: 'AlertmanagerConfigRejected',
      expr: 'alertmanager_config_last_reload_successful == 0',
      for: '5m',
      summary: 'Alertmanager runs with an old configuration, because it cannot read the new one.',
      description: '{{ $labels.instance }} refused its configuration when it was last told to read it.',
    }),
    part({
      alert: 'LokiDroppingLogs',
      expr: 'sum by (job, instance, reason) (rate(loki_discarded_samples_total[5m])) > 0',
      for: '10m',
      summary: 'Loki refuses log lines.',
      description: '{{ $labels.instance }} refuses {{ $value | humanize }} lines a second ({{ $labels.reason }}).',
    }),
    part({
      alert: 'LokiRequestsFailing',
      expr: `sum by (job, instance, route) (rate(loki_request_duration_seconds_count{status_code=~"5.."}[5m]))
  /
(sum by (job, instance, route) (rate(loki_request_duration_seconds_count[5m])) > 0)
  > 0.1`,
      for: '10m',
      summary: 'Loki answers with errors.',
      description: '{{ $value | humanizePercentage }} of the requests to {{ $labels.route }} of {{ $labels.instance }} fail.',
    }),
    part({
      alert: 'LokiRulesFailing',
      expr: 'increase(loki_prometheus_rule_evaluation_failures_total[10m]) > 0',
      for: '5m',
      summary: 'Loki cannot evaluate a rule: an alert on logs may be blind.',
      description:
        'Rule group {{ $labels.rule_group }} failed {{ $value | humanize }} times in 10 minutes on {{ $labels.instance }}.',
    }),
    part({
      alert: 'TempoDroppingSpans',
      expr: 'sum by (job, instance, reason) (rate(tempo_discarded_spans_total[5m])) > 0',
      for: '10m',
      summary: 'Tempo refuses spans.',
      description: '{{ $labels.instance }} refuses {{ $value | humanize }} spans a second ({{ $labels.reason }}).',
    }),
    part({
      alert: 'CollectorExportFailing',
      expr: collectorFailures('exporter_send_failed', 'spans', 'log_records', 'metric_points'),
      for: '5m',
      summary: 'The collector cannot hand telemetry over to a backend.',
      description:
        '{{ $labels.instance }} loses {{ $value | humanize }} spans, records or points a second, because its exporter fails.',
    }),
    part({
      alert: 'CollectorQueueFilling',
      expr: 'otelcol_exporter_queue_size / otelcol_exporter_queue_capacity > 0.5',
      for: '2m',
      summary: 'Telemetry piles up in the collector.',
      description:
        'The queue of {{ $labels.exporter }} on {{ $labels.instance }} is {{ $value | humanizePercentage }} full; when it is full, telemetry is lost.',
    }),
    part({
      alert: 'CollectorRefusingData',
      expr: collectorFailures('receiver_refused', 'spans', 'log_records', 'metric_points'),
      for: '5m',
      summary: 'The collector refuses telemetry of the apps.',
      description:
        '{{ $labels.instance }} refuses {{ $value | humanize }} spans, records or points a second: it is short of memory, or what is behind it is slow.',
    }),
  ],
};
