import { type Api, type Correlation, currentApi } from './api.ts';
import type { Logger } from './logs/logger.ts';
import type { UserCounter, UserGauge, UserHistogram, UserMetrics } from './metrics/types.ts';
import type { BreakerRecorder } from './recorders/breaker.ts';
import type { Operation, OperationOptions } from './recorders/operation.ts';
import type { CacheRecorder, RateLimitRecorder, RetryRecorder } from './recorders/resilience.ts';

export type { Correlation } from './api.ts';
export type { ErrorCategory, ErrorClassifier } from './error-type.ts';
export type { Check, CheckOptions, Outcome } from './health/check.ts';
export type { Logger } from './logs/logger.ts';
export type { UserCounter, UserGauge, UserHistogram, UserMetrics } from './metrics/types.ts';
export type { BreakerRecorder, BreakerResult, BreakerState } from './recorders/breaker.ts';
export type { OperationOptions } from './recorders/operation.ts';
export type { CacheRecorder, RateLimitRecorder, RetryRecorder } from './recorders/resilience.ts';

// Everything here looks the preload up when it is called, so an app may import it before or without the preload: then
// functions run as they are, recorders do nothing, and nothing throws.

function nothing(): void {}

const QUIET: Logger = {
  level: 'fatal',
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  isLevelEnabled: () => false,
  child: () => QUIET,
};
const COUNTER: UserCounter = { inc: nothing };
const GAUGE: UserGauge = { set: nothing, inc: nothing, dec: nothing, remove: nothing };
const HISTOGRAM: UserHistogram = { observe: nothing, startTimer: () => () => 0 };
const BREAKER: BreakerRecorder = { state: nothing, request: nothing };
const RETRY: RetryRecorder = { attempt: nothing };
const LIMITER: RateLimitRecorder = { allowed: nothing, limited: nothing };
const CACHE: CacheRecorder = { hit: nothing, miss: nothing, error: nothing };

/** Whether the preload runs in this process. */
export function isActive(): boolean {
  return currentApi() !== undefined;
}

/**
 * A structured logger whose lines carry the ids of the request. Without the preload it writes nothing.
 *
 * @example
 * logger.child({ component: 'billing' }).info({ duration_ms: 12 }, 'invoice sent');
 */
export const logger: Logger = {
  get level() {
    return (currentApi()?.logger ?? QUIET).level;
  },
  trace: (...args: any[]) => (currentApi()?.logger ?? QUIET).trace(...(args as [string])),
  debug: (...args: any[]) => (currentApi()?.logger ?? QUIET).debug(...(args as [string])),
  info: (...args: any[]) => (currentApi()?.logger ?? QUIET).info(...(args as [string])),
  warn: (...args: any[]) => (currentApi()?.logger ?? QUIET).warn(...(args as [string])),
  error: (...args: any[]) => (currentApi()?.logger ?? QUIET).error(...(args as [string])),
  fatal: (...args: any[]) => (currentApi()?.logger ?? QUIET).fatal(...(args as [string])),
  isLevelEnabled: (level) => (currentApi()?.logger ?? QUIET).isLevelEnabled(level),
  child: (fields) => currentApi()?.logger.child(fields) ?? QUIET,
};

/**
 * Business metrics on the process's `/metrics` page.
 *
 * @example
 * const orders = metrics.counter('shop_orders_total', { help: 'Orders placed', labels: ['plan'] });
 * orders.inc({ plan: 'free' });
 */
export const metrics: UserMetrics = {
  counter: (name, options) => currentApi()?.metrics.counter(name, options) ?? COUNTER,
  gauge: (name, options) => currentApi()?.metrics.gauge(name, options) ?? GAUGE,
  histogram: (name, options) => currentApi()?.metrics.histogram(name, options) ?? HISTOGRAM,
};

/**
 * Health checks of `/health` and `/health/ready`.
 *
 * @example
 * health.register('database', () => pool.query('select 1'), { timeout: 1000 });
 */
export const health: Api['health'] = {
  register: (name, check, options) => currentApi()?.health.register(name, check, options) ?? nothing,
};

/** The correlation id of the running request, and a way to run work under one (a job taken from a queue). */
export const correlation: Correlation = {
  id: () => currentApi()?.correlation.id(),
  run: (id, fn) => {
    const api = currentApi();
    return api ? api.correlation.run(id, fn) : fn();
  },
};

/**
 * Runs a function as a named operation: a span, a duration metric, and its error where it fails. Returns what `fn` returns.
 *
 * @example
 * const report = await operation('report.render', () => render(data), { component: 'reports', timeoutMs: 5000 });
 */
export const operation: Operation = (name, fn, options?: OperationOptions) => {
  const api = currentApi();
  return api ? api.operation(name, fn, options) : fn();
};

/**
 * The categories of errors: `retriable`, `transient`, `invalid_input`, `fatal`. A classifier of the app is asked first about
 * every error that is counted, logged or put on a span; for those that it answers with undefined, what is known of their
 * code, class or status decides. There is one at a time; what it returns takes it back.
 *
 * @example
 * errors.classify((error) => (error instanceof OutOfStock ? 'invalid_input' : undefined));
 */
export const errors: Api['errors'] = {
  classify: (classifier) => currentApi()?.errors.classify(classifier) ?? nothing,
};

/** Recorder for a hand-written circuit breaker. */
export function breaker(name: string): BreakerRecorder {
  return currentApi()?.breaker(name) ?? BREAKER;
}

/** Recorder for a hand-written retry loop. */
export function retry(name: string): RetryRecorder {
  return currentApi()?.retry(name) ?? RETRY;
}

/** Recorder for a hand-written rate limiter. */
export function rateLimit(limiter: string): RateLimitRecorder {
  return currentApi()?.rateLimit(limiter) ?? LIMITER;
}

/** Recorder for a cache. */
export function cache(name: string): CacheRecorder {
  return currentApi()?.cache(name) ?? CACHE;
}
