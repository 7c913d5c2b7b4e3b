/**
 * The names that instrumentation, dashboards, alerts, viewer and tests share, each written once.
 *
 * Metric names are OpenTelemetry's semantic conventions, spelled as Prometheus spells them (dots to underscores, unit
 * suffix, `_total`); names without a public convention start with `o11y_`.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */

/** Field names of a correlated log line (JSON). */
export const LOG = {
  traceId: 'trace_id',
  spanId: 'span_id',
  traceFlags: 'trace_flags',
  correlationId: 'correlation_id',
} as const;

/** The correlation id as a span attribute and as a W3C baggage key. */
export const CORRELATION_ID = 'correlation.id';

/** Resource attribute in which a process announces its scrape address (`http://host:port/metrics`). */
export const METRICS_URL = 'o11y.metrics.url';

/** Instrumentation scope of the kit's own spans. */
export const SCOPE = 'o11y-kit';

/** The label value that stands for all series beyond `O11Y_MAX_SERIES`. */
export const OVERFLOW = '__overflow__';

/** Upper bounds (seconds) of every duration histogram: OpenTelemetry's advice for HTTP. */
export const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

export const TOKEN_BUCKETS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304] as const;

export type MetricType = 'counter' | 'gauge' | 'histogram';

export interface MetricDefinition {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly labels: readonly string[];
  /** Histogram upper bounds; {@link DURATION_BUCKETS} if absent. */
  readonly buckets?: readonly number[];
}

function counter(name: string, help: string, ...labels: string[]): MetricDefinition {
  return { name, type: 'counter', help, labels };
}

function gauge(name: string, help: string, ...labels: string[]): MetricDefinition {
  return { name, type: 'gauge', help, labels };
}

function histogram(name: string, help: string, ...labels: string[]): MetricDefinition {
  return { name, type: 'histogram', help, labels, buckets: DURATION_BUCKETS };
}

function tokens(name: string, help: string, ...labels: string[]): MetricDefinition {
  return { name, type: 'histogram', help, labels, buckets: TOKEN_BUCKETS };
}

/** Every metric of the kit, but for prom-client's own `process_*` and `nodejs_*` defaults. */
export const METRICS = {
  httpServerDuration: histogram(
    'http_server_request_duration_seconds',
    'Duration of HTTP server requests',
    'http_request_method',
    'http_route',
    'http_response_status_code',
    'error_type',
  ),
  httpServerActive: gauge('http_server_active_requests', 'HTTP server requests in flight', 'http_request_method'),
  httpServerStreams: gauge(
    'http_server_open_streams',
    'Open event streams, WebSockets and long polls; they stay out of the latency histogram',
    'http_route',
    'network_protocol_name',
  ),
  httpClientDuration: histogram(
    'http_client_request_duration_seconds',
    'Duration of HTTP client requests',
    'http_request_method',
    'server_address',
    'server_port',
    'http_response_status_code',
    'error_type',
  ),
  httpClientConnections: gauge(
    'http_client_open_connections',
    'Open connections of HTTP clients by state (active, idle): of fetch, undici and the agents of node:http',
    'server_address',
    'server_port',
    'http_connection_state',
  ),
  httpClientConnectionsMax: gauge(
    'o11y_http_client_connections_max',
    'Most connections that the agents and pools of HTTP clients open; absent where one of them has no limit',
    'server_address',
    'server_port',
  ),
  httpClientPending: gauge(
    'o11y_http_client_pending_requests',
    'HTTP client requests that wait for a connection',
    'server_address',
    'server_port',
  ),
  httpClientWait: histogram(
    'http_client_request_time_in_queue_seconds',
    'Time that requests of fetch and undici wait until they go out on a connection, which may have to be opened',
    'server_address',
    'server_port',
  ),
  rpcServerDuration: histogram(
    'rpc_server_call_duration_seconds',
    'Duration of calls that an RPC server answered; of a stream until its end',
    'rpc_system_name',
    'rpc_method',
    'rpc_response_status_code',
    'error_type',
  ),
  rpcClientDuration: histogram(
    'rpc_client_call_duration_seconds',
    'Duration of calls by RPC clients; of a stream until its end',
    'rpc_system_name',
    'rpc_method',
    'rpc_response_status_code',
    'error_type',
  ),
  dbDuration: histogram(
    'db_client_operation_duration_seconds',
    'Duration of database client operations',
    'db_system_name',
    'db_operation_name',
    'db_collection_name',
    'error_type',
  ),
  dbConnections: gauge(
    'db_client_connection_count',
    'Connections of a pool by state (idle, used); a second pool of the same database is #2, and so on',
    'db_client_connection_pool_name',
    'db_client_connection_state',
  ),
  dbConnectionsMax: gauge('db_client_connection_max', 'Most connections that a pool opens', 'db_client_connection_pool_name'),
  dbPendingRequests: gauge(
    'db_client_connection_pending_requests',
    'Requests that wait for a connection of a pool',
    'db_client_connection_pool_name',
  ),
  dbWaitTime: histogram(
    'db_client_connection_wait_time_seconds',
    'Time to obtain a connection from a pool',
    'db_client_connection_pool_name',
  ),
  dbTimeouts: counter(
    'db_client_connection_timeouts_total',
    'Requests for a connection that timed out',
    'db_client_connection_pool_name',
  ),
  messagingProcess: histogram(
    'messaging_process_duration_seconds',
    'Duration of processing a message',
    'messaging_system',
    'messaging_destination_name',
    'error_type',
  ),
  messagingSent: counter(
    'messaging_client_sent_messages_total',
    'Messages handed to a broker',
    'messaging_system',
    'messaging_destination_name',
    'error_type',
  ),
  bullmqJobCount: gauge('bullmq_job_count', 'Jobs of a queue by state', 'queue', 'state'),
  bullmqJobs: counter(
    'bullmq_jobs_total',
    'Attempts of jobs by result (completed, retried, failed for good), and jobs that stalled',
    'queue',
    'result',
  ),
  bullmqDeadLettered: counter(
    'bullmq_jobs_dead_lettered_total',
    'Jobs that failed their last attempt, by error category',
    'queue',
    'error_category',
  ),
  bullmqOldestWaiting: gauge('bullmq_oldest_waiting_job_age_seconds', 'Age of the oldest waiting job', 'queue'),
  redisStreamLength: gauge('redis_stream_length', 'Entries of a Redis stream', 'stream'),
  redisStreamLag: gauge('redis_stream_group_lag', 'Entries that a consumer group has not read', 'stream', 'group'),
  redisStreamPending: gauge(
    'redis_stream_group_pending',
    'Entries that a consumer group has read and not acknowledged',
    'stream',
    'group',
  ),
  kafkaLag: gauge(
    'kafka_consumergroup_lag',
    'Messages of a Kafka partition that its consumer has not handled',
    'consumergroup',
    'topic',
    'partition',
  ),
  breakerState: gauge('circuitbreaker_state', 'State of a circuit breaker: 0 closed, 1 open, 2 half-open', 'name'),
  breakerRequests: counter(
    'circuitbreaker_requests_total',
    'Calls through a circuit breaker by result (success, failure, timeout, rejected; fallback comes in addition)',
    'name',
    'result',
  ),
  breakerChanges: counter('circuitbreaker_state_changes_total', 'State changes of a circuit breaker', 'name', 'from', 'to'),
  breakerProbes: counter(
    'circuitbreaker_half_open_probes_total',
    'Calls that a half-open circuit breaker let through, by result',
    'name',
    'result',
  ),
  bulkheadRequests: counter(
    'o11y_bulkhead_requests_total',
    'Calls through a bulkhead by result (allowed, rejected)',
    'name',
    'result',
  ),
  retryAttempts: counter('o11y_retry_attempts_total', 'Attempts by result (success, failure, exhausted)', 'name', 'result'),
  rateLimitRequests: counter('o11y_rate_limit_requests_total', 'Requests by result (allowed, limited)', 'limiter', 'result'),
  cacheRequests: counter('o11y_cache_requests_total', 'Cache look-ups by result (hit, miss, error)', 'cache', 'result'),
  operationDuration: histogram(
    'o11y_operation_duration_seconds',
    'Duration of a named operation',
    'component',
    'operation',
    'error_type',
  ),
  operationTimeouts: counter(
    'o11y_operation_timeouts_total',
    'Operations that exceeded their time limit',
    'component',
    'operation',
  ),
  aiTokens: tokens(
    'gen_ai_client_token_usage',
    'Tokens used by a call of a model, by type (input, output; cached ones are a part of the input)',
    'gen_ai_provider_name',
    'gen_ai_request_model',
    'gen_ai_operation_name',
    'gen_ai_token_type',
  ),
  aiDuration: histogram(
    'gen_ai_client_operation_duration_seconds',
    'Duration of a call of a model',
    'gen_ai_provider_name',
    'gen_ai_request_model',
    'gen_ai_operation_name',
    'error_type',
  ),
  aiFirstChunk: histogram(
    'gen_ai_client_operation_time_to_first_chunk_seconds',
    'Time to the first piece of a streamed answer of a model',
    'gen_ai_provider_name',
    'gen_ai_request_model',
    'gen_ai_operation_name',
  ),
  aiCost: counter(
    'gen_ai_client_cost_usd_total',
    'Cost of calls of a model in US dollars',
    'gen_ai_provider_name',
    'gen_ai_request_model',
    'gen_ai_operation_name',
  ),
  featureFlags: counter(
    'o11y_feature_flag_evaluations_total',
    'Evaluations of a feature flag',
    'feature_flag_key',
    'feature_flag_result_variant',
  ),
  healthStatus: gauge('o11y_health_check_status', 'Result of a health check: 1 pass, 0.5 warn, 0 fail', 'check'),
  healthDuration: gauge('o11y_health_check_duration_seconds', 'Duration of the last run of a health check', 'check'),
  errors: counter('o11y_errors_total', 'Errors seen, by type and category', 'error_type', 'error_category'),
  unhandledErrors: counter('o11y_unhandled_errors_total', 'Uncaught exceptions and unhandled rejections', 'kind'),
  logMessages: counter('o11y_log_messages_total', 'Log lines by level', 'level'),
  eventLoopUtilization: gauge(
    'nodejs_eventloop_utilization_ratio',
    'Share of time the event loop was busy since the last scrape',
  ),
  heapSizeLimit: gauge('nodejs_heap_size_limit_bytes', 'Heap size at which V8 ends the process'),
  targetInfo: gauge('target_info', 'Resource attributes of this process'),
  exported: counter('o11y_exported_total', 'Spans and log records that the backend accepted', 'signal'),
  dropped: counter('o11y_dropped_total', 'Spans and log records given up, by reason', 'signal', 'reason'),
  exportDuration: histogram('o11y_export_duration_seconds', 'Duration of an export request with its retries', 'signal'),
  collectorSuccess: gauge('o11y_collector_success', 'Whether a metrics collector worked in this scrape', 'collector'),
} as const satisfies Record<string, MetricDefinition>;

export type MetricKey = keyof typeof METRICS;
