/**
 * Series of the stack's own parts that rules read, with their labels, as their programs have written them: Loki 3.7, Tempo 3.0, and the
 * Collector 0.161 while it was refused by what was behind it. (Those of Prometheus and of Alertmanager are looked up while the tests run.)
 */
export const STACK_SERIES: Readonly<Record<string, readonly string[]>> = {
  loki_discarded_samples_total: ['format', 'reason', 'retention_hours', 'tenant'],
  loki_request_duration_seconds_count: ['method', 'route', 'status_code', 'ws'],
  loki_prometheus_rule_evaluation_failures_total: ['rule_group', 'user'],
  tempo_discarded_spans_total: ['reason', 'tenant'],
  otelcol_exporter_send_failed_spans: ['exporter', 'server_address', 'server_port'],
  otelcol_exporter_send_failed_log_records: ['exporter', 'server_address', 'server_port', 'url_path'],
  otelcol_exporter_send_failed_metric_points: ['exporter', 'server_address', 'server_port', 'url_path'],
  otelcol_exporter_queue_size: ['data_type', 'exporter'],
  otelcol_exporter_queue_capacity: ['data_type', 'exporter'],
  otelcol_receiver_refused_spans: ['receiver', 'transport'],
  otelcol_receiver_refused_log_records: ['receiver', 'transport'],
  otelcol_receiver_refused_metric_points: ['receiver', 'transport'],
};
