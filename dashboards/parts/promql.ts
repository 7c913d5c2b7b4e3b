/**
 * PromQL as text, from metrics by name. Every function returns an expression that stands in parentheses where it has to.
 */
import type { MetricDefinition } from '../../instrumentation/names.ts';

/** A metric of the kit, or the name of one that prom-client or Prometheus itself writes. */
export type Metric = MetricDefinition | string;

/** The selection that the variables of most dashboards make. */
export const SELECTED = 'job=~"$job", instance=~"$instance"';

/** Server responses that are the service's own fault. */
export const SERVER_ERROR = 'http_response_status_code=~"5.."';

export function nameOf(metric: Metric): string {
  return typeof metric === 'string' ? metric : metric.name;
}

/** A vector selector. Empty matchers are left out. */
export function select(metric: Metric, ...matchers: readonly string[]): string {
  return `${nameOf(metric)}{${matchers.filter(Boolean).join(', ')}}`;
}

/** The `_count`, `_sum` or `_bucket` series of a histogram. */
export function part(metric: Metric, suffix: 'count' | 'sum' | 'bucket'): string {
  return `${nameOf(metric)}_${suffix}`;
}

export function sum(expression: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (${expression})`;
}

export function max(expression: string, ...by: readonly string[]): string {
  return `max${grouping(by)} (${expression})`;
}

export function grouping(by: readonly string[]): string {
  return by.length === 0 ? '' : ` by (${by.join(', ')})`;
}

/** Per-second rate over a window that Grafana chooses to hold at least four scrapes. */
export function rate(metric: Metric, matchers: string, window = '$__rate_interval'): string {
  return `rate(${select(metric, matchers)}[${window}])`;
}

/** Calls that failed through the other side or the way there; 4xx is the caller's own mistake. */
export const CLIENT_ERROR = 'error_type!="", http_response_status_code!~"4.."';

/**
 * What a counter grew by over the shown time. `increase` does not see the first event of a series that appears with it, and
 * counters with labels of the app do appear with it; so a series that was not there before counts whole.
 */
export function grown(metric: Metric, matchers: string): string {
  const series = select(metric, matchers);
  return `((${series} unless ${series} offset $__range) or increase(${series}[$__range]))`;
}

/** A quantile of a histogram, in the histogram's unit. */
export function quantile(
  q: number | string,
  metric: Metric,
  matchers: string,
  by: readonly string[] = [],
  window?: string,
): string {
  return `histogram_quantile(${q}, ${sum(rate(part(metric, 'bucket'), matchers, window), 'le', ...by)})`;
}

/** Mean of a histogram. */
export function mean(metric: Metric, matchers: string, by: readonly string[] = []): string {
  return `${sum(rate(part(metric, 'sum'), matchers), ...by)} / ${sum(rate(part(metric, 'count'), matchers), ...by)}`;
}

/**
 * The share of a counter's increase that also matches `bad`, by labels. It is 0 where nothing bad was ever counted, and
 * nothing (not NaN) where there was no traffic.
 */
export function share(metric: Metric, matchers: string, bad: string, by: readonly string[] = [], window?: string): string {
  const all = sum(rate(metric, matchers, window), ...by);
  const wrong = sum(rate(metric, `${matchers}, ${bad}`, window), ...by);
  return `(${wrong} or 0 * ${all}) / (${all} > 0)`;
}

/** The share of observations of a histogram that match `bad`. */
export function failed(metric: Metric, matchers: string, bad: string, by: readonly string[] = [], window?: string): string {
  return share(part(metric, 'count'), matchers, bad, by, window);
}

/** Gives every series of an expression by `job, instance` the labels of its process's resource. */
export function withResource(expression: string, labels: readonly string[], matchers = ''): string {
  const all = ['job', 'instance', ...labels];
  return `${expression} * on (job, instance) group_left (${labels.join(', ')}) group by (${all.join(', ')}) (${select('target_info', SELECTED, matchers)})`;
}
