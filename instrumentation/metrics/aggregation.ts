import type { Aggregation } from './types.ts';

/**
 * How a cluster's page joins the workers' values, first match. Counters and histograms are sums in any case, unless they
 * are `worker`: then each worker keeps series of its own, told apart by the label `worker`. What belongs to one process
 * (memory, event loop, its own breakers) is only readable that way; what all workers see alike (the length of a shared
 * queue) must not be added up.
 */
const RULES: readonly (readonly [RegExp, Aggregation])[] = [
  [/^(process_|nodejs_|target_info$|circuitbreaker_state$)/, 'worker'],
  [/^(bullmq_job_count|bullmq_oldest_waiting_job_age_seconds|redis_stream_(length|group_lag)|kafka_consumergroup_lag)$/, 'max'],
  [/^(o11y_collector_success|o11y_health_check_status)$/, 'min'],
  [/^o11y_health_check_duration_seconds$/, 'max'],
];

export function aggregationOf(name: string): Aggregation {
  return RULES.find(([pattern]) => pattern.test(name))?.[1] ?? 'sum';
}
