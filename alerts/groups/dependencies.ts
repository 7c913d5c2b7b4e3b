import { METRICS } from '../../instrumentation/names.ts';
import type { Group } from '../define.ts';
import { above, atLeast, growth, INSTANCE, JOB, share } from '../promql.ts';

const DB = METRICS.dbDuration.name;
const SYSTEM = `${JOB}, db_system_name`;
const FAILED = 'error_type!=""';
const CACHE = METRICS.cacheRequests.name;

export const dependencies: Group = {
  name: 'o11y-dependency-alerts',
  rules: [
    {
      alert: 'DbPoolExhausted',
      expr: above(`min_over_time(${METRICS.dbPendingRequests.name}[2m])`, 'db_pending_requests'),
      for: '3m',
      severity: 'warning',
      summary: 'Requests of a service wait for a connection of its database pool.',
      description:
        '{{ $value }} requests of {{ $labels.instance }} ({{ $labels.job }}) wait for a connection of pool {{ $labels.db_client_connection_pool_name }}, without a pause.',
      dashboard: 'o11y-dependencies',
      select: ['job', 'instance'],
    },
    {
      alert: 'DbPoolTimeouts',
      expr: above(growth(METRICS.dbTimeouts.name, `${INSTANCE}, db_client_connection_pool_name`, '5m'), 'db_timeouts'),
      severity: 'critical',
      summary: 'Requests of a service fail, because they get no database connection in time.',
      description:
        '{{ $value | humanize }} requests of {{ $labels.instance }} ({{ $labels.job }}) got no connection of pool {{ $labels.db_client_connection_pool_name }} in time.',
      dashboard: 'o11y-dependencies',
      select: ['job', 'instance'],
    },
    {
      alert: 'DbErrorsHigh',
      expr: `${above(share(`${DB}_count`, SYSTEM, FAILED, '5m'), 'db_error_ratio')}
and on (${SYSTEM})
${atLeast(`${DB}_count`, SYSTEM, FAILED, '5m', 'db_errors_minimum')}`,
      for: '5m',
      severity: 'warning',
      summary: 'Database operations of a service fail.',
      description: '{{ $value | humanizePercentage }} of the {{ $labels.db_system_name }} operations of {{ $labels.job }} fail.',
      dashboard: 'o11y-dependencies',
    },
    {
      alert: 'DbLatencyHigh',
      expr: `${above(`histogram_quantile(0.95, sum by (${SYSTEM}, le) (rate(${DB}_bucket[5m])))`, 'db_latency_p95_seconds')}
and on (${SYSTEM})
sum by (${SYSTEM}) (increase(${DB}_count[5m])) > 20`,
      for: '10m',
      severity: 'warning',
      summary: 'Database operations of a service are slow.',
      description:
        'Of the {{ $labels.db_system_name }} operations of {{ $labels.job }}, one in twenty takes longer than {{ $value | humanizeDuration }}.',
      dashboard: 'o11y-dependencies',
    },
    {
      alert: 'CacheFailing',
      expr: above(share(CACHE, `${JOB}, cache`, 'result="error"', '5m'), 'cache_error_ratio'),
      for: '5m',
      severity: 'warning',
      summary: 'Look-ups of a cache fail.',
      description:
        '{{ $value | humanizePercentage }} of the look-ups of cache {{ $labels.cache }} of {{ $labels.job }} fail; what is behind it carries the load.',
      dashboard: 'o11y-dependencies',
    },
    {
      alert: 'OperationsTimingOut',
      expr: above(growth(METRICS.operationTimeouts.name, `${JOB}, component, operation`, '10m'), 'operation_timeouts'),
      severity: 'warning',
      summary: 'Operations of a service exceed their time limit.',
      description:
        'Operation {{ $labels.component }}/{{ $labels.operation }} of {{ $labels.job }} exceeded its time limit {{ $value | humanize }} times in 10 minutes.',
      dashboard: 'o11y-resilience',
    },
  ],
};
