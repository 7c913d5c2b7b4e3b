import type { Group, Recording } from './define.ts';
import { above, HTTP_BUCKET, HTTP_COUNT, JOB, SERVER_ERROR, threshold } from './promql.ts';
import { THRESHOLDS, type Threshold } from './thresholds.ts';

/** Windows of burn rates, as https://sre.google/workbook/alerting-on-slos/ pairs them. */
export const WINDOWS = ['30m', '1h', '2h', '6h', '1d', '3d'] as const;

const REQUESTS = 'job:http_server_requests:rate5m';
const ERRORS = 'job:http_server_errors:rate5m';
const ANSWERED = 'job:http_server_answered_requests:rate5m';
const BUCKETS = 'job_le:http_server_request_duration_seconds_bucket:rate5m';
const SLOW = 'job:http_server_slow_requests:rate5m';

/** Every threshold for every service: the service's own where thresholds.yml has one, else the one for all. */
export const thresholdsByJob: Group = {
  name: 'o11y-thresholds-by-job',
  rules: (Object.keys(THRESHOLDS) as Threshold[]).map((name) => ({
    record: threshold(name),
    expr: `o11y:threshold:${name}{job!=""}
  or on (job)
group by (job) (up) * on () group_left () o11y:threshold:${name}{job=""}`,
  })),
};

export const httpRecords: Group = {
  name: 'o11y-http',
  rules: [
    { record: REQUESTS, expr: `sum by (${JOB}) (rate(${HTTP_COUNT}[5m]))`, comment: 'Requests a second.' },
    {
      record: ERRORS,
      expr: `sum by (${JOB}) (rate(${HTTP_COUNT}{${SERVER_ERROR}}[5m]))\n  or\n0 * ${REQUESTS}`,
      comment: 'Those that failed; 0, not nothing, where none did.',
    },
    {
      record: BUCKETS,
      expr: `sum by (${JOB}, le) (
  label_replace(
    rate(${HTTP_BUCKET}{http_response_status_code!~"5.."}[5m]),
    "le", "$1", "le", "(.+)\\\\.0"
  )
)`,
      comment: 'Durations of those that did not fail. Prometheus 3 writes the bound 1 as 1.0; here it is 1 everywhere.',
    },
    { record: ANSWERED, expr: `sum without (le) (${BUCKETS}{le="+Inf"})`, comment: 'Requests that did not fail.' },
    {
      record: SLOW,
      expr: `clamp_min(
  ${ANSWERED}
    -
  sum by (${JOB}) (
    ${BUCKETS}
      * on (job, le) group_left ()
    count_values by (job) ("le", ${threshold('slo_latency_seconds')})
  ),
  0
)`,
      comment:
        'Those that took longer than slo_latency_seconds; there is no such series where that is no bound of a bucket. A rate reaches back before the first sample, for each bucket as far as its value allows: not below 0.',
    },
    ...ratios('job:http_server_errors', ERRORS, REQUESTS),
    ...ratios('job:http_server_slow_requests', SLOW, ANSWERED),
  ],
};

/**
 * The share of bad requests over each window. Sums of recorded rates weigh each moment by its traffic, as one rate over the window would,
 * and cost one series to read; they survive the restarts and deployments that happen within three days.
 */
function ratios(level: string, bad: string, all: string): Recording[] {
  return [
    { record: `${level}:ratio_rate5m`, expr: `${bad} / (${all} > 0)` },
    ...WINDOWS.map((window) => ({
      record: `${level}:ratio_rate${window}`,
      expr: `sum_over_time(${bad}[${window}]) / (sum_over_time(${all}[${window}]) > 0)`,
    })),
  ];
}

/** 95th percentile of the duration of the requests that did not fail, in seconds. */
export const LATENCY_P95 = `histogram_quantile(0.95, ${BUCKETS})`;
/** Where a service has enough requests for a share of them to mean something. */
export function enoughRequests(window: string): string {
  return above(`avg_over_time(${REQUESTS}[${window}])`, 'slo_requests_per_second');
}
