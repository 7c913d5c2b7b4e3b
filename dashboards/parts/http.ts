import { METRICS } from '../../instrumentation/names.ts';
import { failed, part, quantile, rate, SELECTED, SERVER_ERROR, sum } from './promql.ts';

/** The service's own requests that the variables select. */
export const REQUESTS = `${SELECTED}, http_route=~"$route"`;

const duration = METRICS.httpServerDuration;

/** Requests a second. */
export function requestRate(...by: readonly string[]): string {
  return sum(rate(part(duration, 'count'), REQUESTS), ...by);
}

/** Share of requests that were answered 5xx. */
export function errorShare(...by: readonly string[]): string {
  return failed(duration, REQUESTS, SERVER_ERROR, by);
}

/** A quantile of the duration of requests, in seconds. */
export function latency(q: number, ...by: readonly string[]): string {
  return quantile(q, duration, REQUESTS, by);
}
