import { METRICS, type MetricDefinition, OVERFLOW } from '../../instrumentation/names.ts';
import type { Group } from '../define.ts';
import { above, JOB } from '../promql.ts';
import { THRESHOLDS } from '../thresholds.ts';

const DROPPED = METRICS.dropped.name;
const EXPORTED = METRICS.exported.name;
const BY = `${JOB}, signal`;

export const telemetry: Group = {
  name: 'o11y-telemetry-alerts',
  rules: [
    {
      alert: 'TelemetryLost',
      expr: above(
        // The labels of the two differ, so that one rate can read both.
        `sum by (${BY}) (rate(${DROPPED}[10m]))
  /
(sum by (${BY}) (rate({__name__=~"${DROPPED}|${EXPORTED}"}[10m])) > 0)`,
        'telemetry_loss_ratio',
      ),
      for: '5m',
      severity: 'warning',
      summary: 'Spans or log records of a service are lost on the way to the backend.',
      description:
        '{{ $value | humanizePercentage }} of the {{ $labels.signal }} of {{ $labels.job }} never reach the backend: there will be gaps when you look for them.',
      dashboard: 'o11y-kit',
    },
    {
      alert: 'MetricsCollectorFailing',
      expr: `min by (${JOB}, collector) (${METRICS.collectorSuccess.name}) == 0`,
      for: '10m',
      severity: 'warning',
      summary: 'A part of the metrics page of a service fails.',
      description:
        'Collector "{{ $labels.collector }}" of {{ $labels.job }} fails: its metrics are missing, and the alerts on them are blind.',
      dashboard: 'o11y-kit',
    },
    {
      alert: 'MetricSeriesOverflow',
      expr: overflows(),
      for: '10m',
      severity: 'warning',
      summary: 'A metric of a service has more series than are kept.',
      description:
        'A metric of {{ $labels.job }} has reached O11Y_MAX_SERIES; all further label values are counted together as __overflow__.',
      dashboard: 'o11y-kit',
    },
    {
      alert: 'AlertThresholdIneffective',
      expr: ineffective(),
      for: '15m',
      severity: 'warning',
      summary: 'A threshold of the alerting rules is missing or means nothing.',
      description:
        '{{ if $labels.job }}slo_latency_seconds of {{ $labels.job }} is no bound of a bucket{{ else }}Rules of thresholds.yml are missing{{ end }}: the alerts that compare with it cannot fire.',
      dashboard: 'o11y-slo',
      select: [],
    },
    {
      alert: 'Watchdog',
      expr: 'vector(1)',
      severity: 'none',
      summary: 'Alerting works.',
      description:
        'This alert always fires. Where it does not arrive, no other alert does: let a service outside (a dead man’s switch) watch for it.',
      dashboard: 'o11y-kit',
      select: [],
    },
  ],
};

/** A series beyond the limit has the marker in every label, so one label of each metric tells. */
function overflows(): string {
  const all: readonly MetricDefinition[] = Object.values(METRICS);
  const labels = new Set(all.flatMap(({ labels: [first] }) => first ?? []));
  return `count by (${JOB}) (\n  ${[...labels].map((label) => `{${label}="${OVERFLOW}"}`).join('\n    or\n  ')}\n) > 0`;
}

/** Rules compare with thresholds; a comparison with nothing is never true, and nobody would notice. */
function ineffective(): string {
  const all = Object.keys(THRESHOLDS).length;
  return `count(count by (__name__) ({__name__=~"o11y:threshold:.+"})) < ${all}
  or
absent({__name__=~"o11y:threshold:.+"})
  or
job:http_server_answered_requests:rate5m unless job:http_server_slow_requests:rate5m`;
}
