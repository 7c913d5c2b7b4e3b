import { METRICS } from '../../instrumentation/names.ts';
import type { Group } from '../define.ts';
import { above, atLeast, JOB, share } from '../promql.ts';

const CALLS = METRICS.aiDuration.name;
const MODEL = `${JOB}, gen_ai_provider_name, gen_ai_request_model`;
const FAILED = 'error_type!=""';

export const ai: Group = {
  name: 'o11y-ai-alerts',
  rules: [
    {
      alert: 'AiErrorsHigh',
      expr: `${above(share(`${CALLS}_count`, MODEL, FAILED, '15m'), 'ai_error_ratio')}
and on (${MODEL})
${atLeast(`${CALLS}_count`, MODEL, FAILED, '15m', 'ai_errors_minimum')}`,
      for: '5m',
      severity: 'warning',
      summary: 'Calls of a model fail.',
      description:
        '{{ $value | humanizePercentage }} of the calls of {{ $labels.gen_ai_request_model }} ({{ $labels.gen_ai_provider_name }}) by {{ $labels.job }} fail.',
      dashboard: 'o11y-ai',
    },
    {
      alert: 'AiLatencyHigh',
      expr: above(
        `sum by (${MODEL}) (rate(${CALLS}_sum[15m]))
  /
(sum by (${MODEL}) (rate(${CALLS}_count[15m])) > 0)`,
        'ai_latency_mean_seconds',
      ),
      for: '10m',
      severity: 'warning',
      summary: 'A model answers slowly.',
      description:
        'Calls of {{ $labels.gen_ai_request_model }} ({{ $labels.gen_ai_provider_name }}) by {{ $labels.job }} take {{ $value | humanizeDuration }} on average.',
      dashboard: 'o11y-ai',
    },
    {
      alert: 'AiCostHigh',
      expr: above(`86400 * sum by (${JOB}) (rate(${METRICS.aiCost.name}[1h]))`, 'ai_cost_usd_per_day'),
      for: '15m',
      severity: 'warning',
      summary: 'A service spends more on models than it should.',
      description:
        'At the rate of the last hour the calls of models by {{ $labels.job }} cost {{ $value | humanize }} USD a day.',
      dashboard: 'o11y-ai',
    },
  ],
};
