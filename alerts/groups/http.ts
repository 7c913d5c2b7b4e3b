import type { Group } from '../define.ts';
import { above, atLeast, HTTP_COUNT, JOB, SERVER_ERROR, share, threshold } from '../promql.ts';
import { enoughRequests, LATENCY_P95 } from '../recording.ts';

/** The mean of half an hour: what happens now, without the noise of minutes. */
const TRAFFIC = 'avg_over_time(job:http_server_requests:rate5m[30m])';
const trafficAt = (offset: string) => `avg_over_time(job:http_server_requests:rate5m[30m] offset ${offset})`;

export const http: Group = {
  name: 'o11y-http-alerts',
  rules: [
    {
      alert: 'HttpErrorsHigh',
      expr: `${above('job:http_server_errors:ratio_rate5m', 'http_error_ratio')}
and on (${JOB})
${atLeast(HTTP_COUNT, JOB, SERVER_ERROR, '5m', 'http_errors_minimum')}`,
      for: '5m',
      severity: 'warning',
      summary: 'A service answers too many requests with 5xx.',
      description: '{{ $labels.job }} answers {{ $value | humanizePercentage }} of its requests with 5xx.',
      dashboard: 'o11y-service',
    },
    {
      alert: 'HttpRouteFailing',
      expr: `${above(share(HTTP_COUNT, `${JOB}, http_route`, SERVER_ERROR, '5m'), 'http_route_error_ratio')}
and on (${JOB}, http_route)
${atLeast(HTTP_COUNT, `${JOB}, http_route`, SERVER_ERROR, '5m', 'http_errors_minimum')}`,
      for: '5m',
      severity: 'warning',
      summary: 'One route of a service fails for most callers.',
      description:
        'Route "{{ $labels.http_route }}" of {{ $labels.job }} answers {{ $value | humanizePercentage }} of its requests with 5xx.',
      dashboard: 'o11y-service',
      select: ['job', 'route=http_route'],
    },
    {
      alert: 'HttpLatencyHigh',
      expr: `${above(LATENCY_P95, 'http_latency_p95_seconds')}
and on (${JOB})
${enoughRequests('10m')}`,
      for: '10m',
      severity: 'warning',
      summary: 'A service answers slowly.',
      description: 'Of the requests to {{ $labels.job }}, one in twenty takes longer than {{ $value | humanizeDuration }}.',
      dashboard: 'o11y-service',
    },
    {
      alert: 'HttpTrafficDrop',
      // Yesterday and six days ago: one of the two is a day off only where today is one too.
      expr: `(
  ${TRAFFIC}
    < on (${JOB})
  (${trafficAt('1d')} * on (job) group_left () ${threshold('http_traffic_drop_ratio')})
)
and on (${JOB})
${above(trafficAt('1d'), 'http_traffic_floor')}
unless on (${JOB})
(
  ${TRAFFIC}
    >= on (${JOB})
  (${trafficAt('6d')} * on (job) group_left () ${threshold('http_traffic_drop_ratio')})
)`,
      for: '15m',
      severity: 'warning',
      summary: 'A service gets far fewer requests than at this time of other days.',
      description:
        '{{ $labels.job }} gets {{ $value | humanize }} requests a second, far fewer than at this time of yesterday and of six days ago. Callers may not reach it.',
      dashboard: 'o11y-service',
    },
  ],
};
