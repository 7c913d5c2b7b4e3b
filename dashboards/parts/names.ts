/** Names of series that are not the kit's own: prom-client's defaults, Prometheus's own, and those that Tempo makes of spans. */
export const RUNTIME = {
  lagP50: 'nodejs_eventloop_lag_p50_seconds',
  lagP99: 'nodejs_eventloop_lag_p99_seconds',
  lagMax: 'nodejs_eventloop_lag_max_seconds',
  heapUsed: 'nodejs_heap_size_used_bytes',
  heapTotal: 'nodejs_heap_size_total_bytes',
  external: 'nodejs_external_memory_bytes',
  spaceUsed: 'nodejs_heap_space_size_used_bytes',
  spaceAvailable: 'nodejs_heap_space_size_available_bytes',
  gc: 'nodejs_gc_duration_seconds',
  resources: 'nodejs_active_resources',
  version: 'nodejs_version_info',
} as const;

export const PROCESS = {
  cpu: 'process_cpu_seconds_total',
  cpuUser: 'process_cpu_user_seconds_total',
  cpuSystem: 'process_cpu_system_seconds_total',
  rss: 'process_resident_memory_bytes',
  openFds: 'process_open_fds',
  maxFds: 'process_max_fds',
  start: 'process_start_time_seconds',
} as const;

/** Written by Prometheus for each target, and for each alert of its rules. */
export const PROMETHEUS_OWN = {
  up: 'up',
  scrapeDuration: 'scrape_duration_seconds',
  samples: 'scrape_samples_post_metric_relabeling',
  alerts: 'ALERTS',
} as const;

/** Written by Tempo's metrics generator. */
export const SERVICE_GRAPH = {
  requests: 'traces_service_graph_request_total',
  failed: 'traces_service_graph_request_failed_total',
  server: 'traces_service_graph_request_server_seconds',
  client: 'traces_service_graph_request_client_seconds',
} as const;
