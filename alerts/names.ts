/** Metrics that are not the kit's own: prom-client's defaults, and those of Prometheus and of the other parts of the stack. */
export const RUNTIME = {
  lagMax: 'nodejs_eventloop_lag_max_seconds',
  lagP99: 'nodejs_eventloop_lag_p99_seconds',
  heapUsed: 'nodejs_heap_size_used_bytes',
  gc: 'nodejs_gc_duration_seconds',
  openFds: 'process_open_fds',
  maxFds: 'process_max_fds',
  start: 'process_start_time_seconds',
} as const;

/** The scrape jobs of the stack's own parts, as compose/prometheus/prometheus.yml names them. */
export const STACK_JOBS = 'prometheus|alertmanager|loki|tempo|collector|grafana';
