import { METRICS } from '../../instrumentation/names.ts';
import type { Group } from '../define.ts';
import { RUNTIME } from '../names.ts';
import { above, growth, INSTANCE, JOB, notStarting } from '../promql.ts';

const HEAP = `${RUNTIME.heapUsed} / ${METRICS.heapSizeLimit.name}`;
const select = ['job', 'instance'] as const;

export const runtime: Group = {
  name: 'o11y-runtime-alerts',
  rules: [
    {
      alert: 'EventLoopBlocked',
      expr: `${above(`max_over_time(${RUNTIME.lagMax}[5m])`, 'eventloop_block_seconds')}\n${notStarting('5m')}`,
      for: '2m',
      severity: 'warning',
      summary: 'Something kept the event loop of a process from turning.',
      description:
        'The event loop of {{ $labels.instance }} ({{ $labels.job }}) stood still for {{ $value | humanizeDuration }}: no request was served, no timer ran.',
      dashboard: 'o11y-runtime',
      select,
    },
    {
      alert: 'EventLoopSlow',
      expr: above(RUNTIME.lagP99, 'eventloop_p99_seconds'),
      for: '10m',
      severity: 'warning',
      summary: 'The event loop of a process turns slowly.',
      description:
        'One in a hundred turns of the event loop of {{ $labels.instance }} ({{ $labels.job }}) comes {{ $value | humanizeDuration }} late; every request waits for it.',
      dashboard: 'o11y-runtime',
      select,
    },
    {
      alert: 'EventLoopSaturated',
      expr: above(METRICS.eventLoopUtilization.name, 'eventloop_utilization'),
      for: '10m',
      severity: 'warning',
      summary: 'A process has no capacity left: its event loop is busy all the time.',
      description:
        'The event loop of {{ $labels.instance }} ({{ $labels.job }}) is busy {{ $value | humanizePercentage }} of the time. More load only makes requests wait.',
      dashboard: 'o11y-runtime',
      select,
    },
    {
      alert: 'HeapNearLimit',
      expr: above(HEAP, 'heap_ratio'),
      for: '2m',
      severity: 'critical',
      summary: 'A process is about to run out of heap, and to end.',
      description:
        'The heap of {{ $labels.instance }} ({{ $labels.job }}) is at {{ $value | humanizePercentage }} of the size at which V8 ends the process.',
      dashboard: 'o11y-runtime',
      select,
    },
    {
      alert: 'HeapGrowing',
      // The floor of five minutes is what garbage collection leaves; below half the limit a heap may simply not have been collected yet.
      expr: `(
  predict_linear(instance:nodejs_heap_used_floor:min5m[1h], 3600 * scalar(o11y:threshold:heap_growth_hours{job=""}))
    > ${METRICS.heapSizeLimit.name}
)
and
  ${HEAP} > 0.5
${notStarting('1h')}`,
      for: '30m',
      severity: 'warning',
      summary: 'The heap of a process grows towards its limit.',
      description:
        'At the pace of the last hour the heap of {{ $labels.instance }} ({{ $labels.job }}) reaches its limit within hours ({{ $value | humanize1024 }}B are foreseen). It is likely a leak.',
      dashboard: 'o11y-runtime',
      select,
    },
    {
      alert: 'GcTimeHigh',
      expr: above(`sum without (kind) (rate(${RUNTIME.gc}_sum[5m]))`, 'gc_time_ratio'),
      for: '10m',
      severity: 'warning',
      summary: 'A process spends much of its time collecting garbage.',
      description:
        '{{ $labels.instance }} ({{ $labels.job }}) spends {{ $value | humanizePercentage }} of its time in garbage collection, in which nothing else runs.',
      dashboard: 'o11y-runtime',
      select,
    },
    {
      alert: 'FileDescriptorsNearLimit',
      expr: above(`${RUNTIME.openFds} / ${RUNTIME.maxFds}`, 'fd_ratio'),
      for: '5m',
      severity: 'warning',
      summary: 'A process is about to run out of file descriptors.',
      description:
        '{{ $labels.instance }} ({{ $labels.job }}) has {{ $value | humanizePercentage }} of its file descriptors open; without a free one it accepts no connection (EMFILE).',
      dashboard: 'o11y-runtime',
      select,
    },
    {
      alert: 'ProcessRestarting',
      expr: above(`changes(${RUNTIME.start}[15m])`, 'restarts'),
      severity: 'warning',
      summary: 'A process keeps restarting.',
      description: '{{ $labels.instance }} ({{ $labels.job }}) restarted {{ $value }} times in 15 minutes.',
      dashboard: 'o11y-runtime',
      select,
    },
    {
      alert: 'ProcessRestarting',
      expr: above(`changes(${RUNTIME.start}[15m])`, 'crash_loop_restarts'),
      severity: 'critical',
      summary: 'A process crashes again as soon as it is started.',
      description: '{{ $labels.instance }} ({{ $labels.job }}) restarted {{ $value }} times in 15 minutes.',
      dashboard: 'o11y-runtime',
      select,
    },
    {
      alert: 'UnhandledErrors',
      expr: above(growth(METRICS.unhandledErrors.name, `${JOB}, kind`, '15m'), 'unhandled_errors'),
      severity: 'warning',
      summary: 'Errors of a service reach nobody who handles them.',
      description: 'Unhandled errors ({{ $labels.kind }}) in {{ $labels.job }}: {{ $value | humanize }} in 15 minutes.',
      dashboard: 'o11y-service',
    },
    {
      alert: 'ErrorLogsHigh',
      expr: above(`sum by (${JOB}) (rate(${METRICS.logMessages.name}{level=~"error|fatal"}[5m]))`, 'error_logs_per_second'),
      for: '10m',
      severity: 'warning',
      summary: 'A service logs errors all the time.',
      description: '{{ $labels.job }} logs {{ $value | humanize }} errors a second.',
      dashboard: 'o11y-logs',
      select: ['service=job'],
    },
    {
      alert: 'HealthCheckFailing',
      expr: `(min by (${INSTANCE}, check) (${METRICS.healthStatus.name}) == 0)
unless on (${JOB}, check)
max by (${JOB}, check) (${METRICS.healthStatus.name}) == 0`,
      for: '5m',
      severity: 'warning',
      summary: 'A health check fails in some processes of a service.',
      description:
        'Health check "{{ $labels.check }}" fails in {{ $labels.instance }} ({{ $labels.job }}), but not in all processes of the service.',
      dashboard: 'o11y-service',
      select,
    },
    {
      alert: 'HealthCheckFailing',
      expr: `max by (${JOB}, check) (${METRICS.healthStatus.name}) == 0`,
      for: '2m',
      severity: 'critical',
      summary: 'A health check fails in every process of a service.',
      description: 'Health check "{{ $labels.check }}" fails in every process of {{ $labels.job }}.',
      dashboard: 'o11y-service',
    },
  ],
};

export const runtimeRecords: Group = {
  name: 'o11y-runtime',
  rules: [
    {
      record: 'instance:nodejs_heap_used_floor:min5m',
      expr: `min_over_time(${RUNTIME.heapUsed}[5m])`,
      comment: 'What garbage collection leaves of the heap.',
    },
  ],
};
