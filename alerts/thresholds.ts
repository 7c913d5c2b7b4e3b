/**
 * The numbers that decide, each once. They become recording rules (rules/thresholds.yml), so that somebody who runs the rules changes
 * a number, for all services or for one, in one file and without a build.
 */

interface Definition {
  readonly value: number;
  /** What the number means; its unit. */
  readonly doc: string;
}

export const THRESHOLDS = {
  slo_availability: { value: 0.999, doc: 'Share of requests that must not fail with 5xx, over 30 days' },
  slo_latency: { value: 0.99, doc: 'Share of requests that must be answered within slo_latency_seconds, over 30 days' },
  slo_latency_seconds: {
    value: 0.5,
    doc: 'What counts as fast, in seconds. One of 0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10',
  },
  slo_requests_per_second: {
    value: 0.05,
    doc: 'Requests a second below which SLO alerts stay silent: a single failure would burn it all',
  },

  http_error_ratio: { value: 0.05, doc: 'Share of requests answered with 5xx' },
  http_route_error_ratio: { value: 0.5, doc: 'Share of requests of one route answered with 5xx' },
  http_errors_minimum: { value: 5, doc: '5xx answers in 5 minutes below which the two above stay silent' },
  http_latency_p95_seconds: { value: 1, doc: '95th percentile of the duration of requests, in seconds' },
  http_traffic_drop_ratio: { value: 0.2, doc: 'Requests, as a share of those at the same time of yesterday' },
  http_traffic_floor: { value: 0.5, doc: 'Requests a second that there must have been yesterday for a drop to mean something' },

  client_error_ratio: { value: 0.1, doc: 'Share of outgoing calls to one address that fail (5xx, or no answer)' },
  client_errors_minimum: { value: 5, doc: 'Failed calls in 5 minutes below which the one above stays silent' },
  client_rate_limited_ratio: { value: 0.05, doc: 'Share of outgoing calls to one address answered with 429' },
  client_latency_p95_seconds: { value: 2.5, doc: '95th percentile of the duration of outgoing calls to one address, in seconds' },

  eventloop_block_seconds: { value: 1, doc: 'Longest time that the event loop stood still, in seconds' },
  eventloop_p99_seconds: { value: 0.1, doc: '99th percentile of the event loop delay, in seconds' },
  eventloop_utilization: { value: 0.9, doc: 'Share of time that the event loop is busy' },
  heap_ratio: { value: 0.9, doc: 'Heap used, as a share of the size at which V8 ends the process' },
  heap_growth_hours: { value: 4, doc: 'Hours within which a growing heap would reach its limit' },
  gc_time_ratio: { value: 0.1, doc: 'Share of time spent in garbage collection' },
  fd_ratio: { value: 0.8, doc: 'File descriptors open, as a share of those allowed' },
  restarts: { value: 2, doc: 'Restarts of one instance in 15 minutes that are still fine' },
  crash_loop_restarts: { value: 5, doc: 'Restarts of one instance in 15 minutes that are a crash loop' },
  unhandled_errors: { value: 0, doc: 'Unhandled rejections and uncaught exceptions in 15 minutes that are fine' },
  error_logs_per_second: { value: 0.5, doc: 'Log lines of level error or fatal, a second' },
  telemetry_loss_ratio: { value: 0.01, doc: 'Share of spans or log records that never reach the backend' },

  db_error_ratio: { value: 0.05, doc: 'Share of operations of one database system that fail' },
  db_errors_minimum: { value: 5, doc: 'Failed operations in 5 minutes below which the one above stays silent' },
  db_latency_p95_seconds: { value: 0.5, doc: '95th percentile of the duration of database operations, in seconds' },
  db_pending_requests: { value: 0, doc: 'Requests that wait for a connection of a pool' },
  db_timeouts: { value: 0, doc: 'Requests for a connection in 5 minutes that gave up' },
  cache_error_ratio: { value: 0.1, doc: 'Share of look-ups of a cache that fail' },
  operation_timeouts: { value: 5, doc: 'Operations in 10 minutes that exceeded their time limit' },

  queue_waiting_jobs: { value: 100, doc: 'Jobs waiting in a queue from which on its growth is a backlog' },
  queue_oldest_seconds: { value: 300, doc: 'Age of the oldest waiting job, in seconds' },
  queue_failure_ratio: { value: 0.1, doc: 'Share of jobs of a queue that fail an attempt' },
  queue_dead_letters: { value: 0, doc: 'Jobs in 15 minutes that failed their last attempt' },
  queue_stalled_jobs: { value: 0, doc: 'Jobs in 15 minutes whose worker lost them' },
  consumer_lag: { value: 1000, doc: 'Entries of a stream that a consumer group has not read, from which on growth is a backlog' },
  message_failure_ratio: { value: 0.1, doc: 'Share of messages of one destination whose processing fails' },

  breaker_openings: { value: 2, doc: 'Times in 15 minutes that a breaker may open before it is flapping' },
  retries_exhausted: { value: 5, doc: 'Calls in 10 minutes that failed after their last retry' },
  rate_limited_ratio: { value: 0.1, doc: 'Share of requests that a rate limiter turns away' },

  ai_error_ratio: { value: 0.1, doc: 'Share of calls of a model that fail' },
  ai_errors_minimum: { value: 5, doc: 'Failed calls of a model in 15 minutes below which the one above stays silent' },
  ai_latency_mean_seconds: { value: 20, doc: 'Mean duration of calls of a model, in seconds' },
  ai_cost_usd_per_day: {
    value: 50,
    doc: 'Cost of one service’s calls of models, in US dollars a day, at the rate of the last hour',
  },
} as const satisfies Record<string, Definition>;

export type Threshold = keyof typeof THRESHOLDS;
