/** PromQL that several rules have in common. */
import { METRICS } from '../instrumentation/names.ts';
import { RUNTIME } from './names.ts';
import type { Threshold } from './thresholds.ts';

/**
 * A service. `cluster` and `namespace` are there where the Prometheus of a Kubernetes cluster sets them, so that a service in
 * staging and the same one in production are two; elsewhere they are empty and do no harm.
 */
export const JOB = 'cluster, namespace, job';
/** A process of a service. */
export const INSTANCE = `${JOB}, instance`;

/** Server responses that are the service's own fault. */
export const SERVER_ERROR = 'http_response_status_code=~"5.."';
/** Calls that failed through the other side or the way there; 4xx is the caller's own mistake. */
export const CLIENT_ERROR = 'error_type!="", http_response_status_code!~"4.."';

/** The threshold for each service: its own if it has one, else the one for all. */
export function threshold(name: Threshold): string {
  return `job:o11y_threshold:${name}`;
}

/** `expr` where it is above the service's threshold; `expr` must bind at least as tightly as a comparison. */
export function above(expr: string, name: Threshold): string {
  return `${expr}\n  > on (job) group_left () ${threshold(name)}`;
}

/**
 * What a counter grew by, summed by labels. `increase` does not see the first event of a series that appears with it, and counters with
 * labels of the app do appear with it; so a series that is new counts whole, if its target was there before.
 */
export function growth(metric: string, by: string, window: string, matchers = ''): string {
  const series = matchers ? `${metric}{${matchers}}` : metric;
  return `sum by (${by}) (
  (${series} unless ${series} offset ${window}) and on (job, instance) up offset ${window}
    or
  increase(${series}[${window}])
)`;
}

/** The share of a histogram's or counter's events that match `bad`: 0 where none was ever bad, nothing where there are no events. */
export function share(metric: string, by: string, bad: string, window: string): string {
  const all = `sum by (${by}) (rate(${metric}[${window}]))`;
  return `(
  (sum by (${by}) (rate(${metric}{${bad}}[${window}])) or 0 * ${all})
    /
  (${all} > 0)
)`;
}

/** Where at least `minimum` events that match `bad` were seen in the window; for `and`. */
export function atLeast(metric: string, by: string, bad: string, window: string, minimum: Threshold): string {
  return `sum by (${by}) (increase(${metric}{${bad}}[${window}]))\n  >= on (job) group_left () ${threshold(minimum)}`;
}

/** Processes that were there this long ago: what a start costs is no news. */
export function notStarting(age: string): string {
  return `and on (job, instance) (${RUNTIME.start} == ${RUNTIME.start} offset ${age})`;
}

export const HTTP_COUNT = `${METRICS.httpServerDuration.name}_count`;
export const HTTP_BUCKET = `${METRICS.httpServerDuration.name}_bucket`;
