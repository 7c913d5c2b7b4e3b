import { type Metric, nameOf } from './promql.ts';

/**
 * The recording rules that the SLO dashboard reads (alerts/rules): requests, and those of them that were bad, a second and
 * service; and the objectives, which a user sets there.
 */
export interface Slo {
  /** What counts as bad, in words. */
  readonly bad: string;
  readonly rate: string;
  readonly all: string;
  /** `<ratio><window>`: share of bad requests over a window. */
  readonly ratio: string;
  readonly objective: string;
}

const SERVICE = 'job=~"$job"';

export const AVAILABILITY: Slo = {
  bad: 'answered with 5xx',
  rate: 'job:http_server_errors:rate5m',
  all: 'job:http_server_requests:rate5m',
  ratio: 'job:http_server_errors:ratio_rate',
  objective: 'job:o11y_threshold:slo_availability',
};

export const LATENCY: Slo = {
  bad: 'answered later than the objective says',
  rate: 'job:http_server_slow_requests:rate5m',
  all: 'job:http_server_requests:rate5m',
  ratio: 'job:http_server_slow_requests:ratio_rate',
  objective: 'job:o11y_threshold:slo_latency',
};

function of(metric: Metric): string {
  return `${nameOf(metric)}{${SERVICE}}`;
}

/** Share of bad requests over the chosen period, each moment weighed by its traffic. */
export function badShare({ rate, all }: Slo): string {
  const total = (series: string) => `sum by (job) (sum_over_time(${of(series)}[$period]))`;
  return `${total(rate)} / (${total(all)} > 0)`;
}

/** What is left of the error budget: 1 untouched, 0 used up, below 0 overdrawn. */
export function budgetLeft(slo: Slo): string {
  return `1 - (${badShare(slo)}) / on (job) (1 - ${objective(slo)})`;
}

export function objective(slo: Slo): string {
  return `max by (job) (${of(slo.objective)})`;
}

/** How many times faster than allowed the budget is spent. */
export function burn(slo: Slo, window: string): string {
  return `max by (job) (${of(slo.ratio + window)}) / on (job) (1 - ${objective(slo)})`;
}
