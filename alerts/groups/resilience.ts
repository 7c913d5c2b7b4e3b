import { METRICS } from '../../instrumentation/names.ts';
import type { Group } from '../define.ts';
import { above, growth, JOB, share } from '../promql.ts';

const LIMITED = METRICS.rateLimitRequests.name;

export const resilience: Group = {
  name: 'o11y-resilience-alerts',
  rules: [
    {
      alert: 'CircuitBreakerOpen',
      expr: `min_over_time(${METRICS.breakerState.name}[2m]) > 0`,
      for: '3m',
      severity: 'warning',
      summary: 'A circuit breaker stays open.',
      description:
        'Circuit breaker {{ $labels.name }} of {{ $labels.instance }} ({{ $labels.job }}) has not closed for minutes: what is behind it does not recover.',
      dashboard: 'o11y-resilience',
      select: ['job', 'instance'],
    },
    {
      alert: 'CircuitBreakerFlapping',
      expr: above(growth(METRICS.breakerChanges.name, `${JOB}, name`, '15m', 'from="closed", to="open"'), 'breaker_openings'),
      severity: 'warning',
      summary: 'A circuit breaker opens again and again.',
      description: 'Circuit breaker {{ $labels.name }} of {{ $labels.job }} opened {{ $value | humanize }} times in 15 minutes.',
      dashboard: 'o11y-resilience',
    },
    {
      alert: 'RetriesExhausted',
      expr: above(growth(METRICS.retryAttempts.name, `${JOB}, name`, '10m', 'result="exhausted"'), 'retries_exhausted'),
      severity: 'warning',
      summary: 'Calls fail although they are retried.',
      description:
        '{{ $value | humanize }} calls of {{ $labels.name }} of {{ $labels.job }} failed after their last retry in 10 minutes.',
      dashboard: 'o11y-resilience',
    },
    {
      alert: 'RateLimitRejecting',
      expr: above(share(LIMITED, `${JOB}, limiter`, 'result="limited"', '5m'), 'rate_limited_ratio'),
      for: '10m',
      severity: 'warning',
      summary: 'A rate limiter turns many requests away.',
      description:
        'Limiter {{ $labels.limiter }} of {{ $labels.job }} turns {{ $value | humanizePercentage }} of the requests away.',
      dashboard: 'o11y-resilience',
    },
  ],
};
