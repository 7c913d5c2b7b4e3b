import { METRICS } from '../../instrumentation/names.ts';
import type { Group } from '../define.ts';
import { above, atLeast, CLIENT_ERROR, JOB, share } from '../promql.ts';

const { name } = METRICS.httpClientDuration;
const COUNT = `${name}_count`;
const TO = `${JOB}, server_address`;

export const clients: Group = {
  name: 'o11y-client-alerts',
  rules: [
    {
      alert: 'HttpClientErrorsHigh',
      expr: `${above(share(COUNT, TO, CLIENT_ERROR, '5m'), 'client_error_ratio')}
and on (${TO})
${atLeast(COUNT, TO, CLIENT_ERROR, '5m', 'client_errors_minimum')}`,
      for: '5m',
      severity: 'warning',
      summary: 'Calls of a service to another one fail.',
      description:
        '{{ $value | humanizePercentage }} of the calls of {{ $labels.job }} to {{ $labels.server_address }} fail with 5xx or without an answer.',
      dashboard: 'o11y-http-clients',
      select: ['job', 'server=server_address'],
    },
    {
      alert: 'HttpClientLatencyHigh',
      expr: `${above(`histogram_quantile(0.95, sum by (${TO}, le) (rate(${name}_bucket[5m])))`, 'client_latency_p95_seconds')}
and on (${TO})
sum by (${TO}) (increase(${COUNT}[5m])) > 20`,
      for: '10m',
      severity: 'warning',
      summary: 'Calls of a service to another one are slow.',
      description:
        'Of the calls of {{ $labels.job }} to {{ $labels.server_address }}, one in twenty takes longer than {{ $value | humanizeDuration }}.',
      dashboard: 'o11y-http-clients',
      select: ['job', 'server=server_address'],
    },
    {
      alert: 'HttpClientRateLimited',
      expr: `${above(share(COUNT, TO, 'http_response_status_code="429"', '10m'), 'client_rate_limited_ratio')}
and on (${TO})
${atLeast(COUNT, TO, 'http_response_status_code="429"', '10m', 'client_errors_minimum')}`,
      for: '10m',
      severity: 'warning',
      summary: 'Another service turns calls away because there are too many (429).',
      description:
        '{{ $labels.server_address }} answers {{ $value | humanizePercentage }} of the calls of {{ $labels.job }} with 429.',
      dashboard: 'o11y-http-clients',
      select: ['job', 'server=server_address'],
    },
  ],
};
