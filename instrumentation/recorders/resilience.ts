import { trace } from '@opentelemetry/api';
import type { Kit } from '../kit.ts';
import { METRICS } from '../names.ts';
import { type BreakerRecorder, type Breakers, createBreakers } from './breaker.ts';

export interface RetryRecorder {
  /** One attempt: it worked, it failed and will be repeated, or it failed and nothing follows. */
  attempt(result: 'success' | 'failure' | 'exhausted'): void;
}

export interface RateLimitRecorder {
  allowed(): void;
  limited(): void;
}

export interface CacheRecorder {
  hit(): void;
  miss(): void;
  error(): void;
}

/** What an app may tell of its own breakers, retries, limiters and caches. */
export interface Resilience {
  breaker(name: string): BreakerRecorder;
  retry(name: string): RetryRecorder;
  rateLimit(limiter: string): RateLimitRecorder;
  cache(name: string): CacheRecorder;
}

/** The same for the libraries that the kit wires, which also know of breaker objects and of time limits. */
export interface LibraryResilience extends Resilience {
  readonly breakers: Breakers;
  /** An operation exceeded its time limit. */
  timedOut(component: string, operation: string, timeoutMs?: number): void;
}

const ofKit = new WeakMap<Kit, LibraryResilience>();

/** The recorders of a kit: one set for the app and for all libraries, which may speak of the same breaker. */
export function resilienceOf(kit: Kit): LibraryResilience {
  let resilience = ofKit.get(kit);
  if (resilience === undefined) ofKit.set(kit, (resilience = createResilience(kit)));
  return resilience;
}

function createResilience(kit: Kit): LibraryResilience {
  const { metrics } = kit;
  const attempts = metrics.counter(METRICS.retryAttempts);
  const limits = metrics.counter(METRICS.rateLimitRequests);
  const lookups = metrics.counter(METRICS.cacheRequests);
  const timeouts = metrics.counter(METRICS.operationTimeouts);
  const breakers = createBreakers(kit);

  return {
    breakers,
    breaker: (name) => breakers.named(name),
    retry: (name) => ({
      attempt(result) {
        attempts.inc({ name, result });
        if (result !== 'success') trace.getActiveSpan()?.addEvent('retry', { 'retry.name': name, 'retry.result': result });
      },
    }),
    rateLimit: (limiter) => ({
      allowed: () => limits.inc({ limiter, result: 'allowed' }),
      limited: () => {
        limits.inc({ limiter, result: 'limited' });
        trace.getActiveSpan()?.addEvent('rate_limited', { 'rate_limit.limiter': limiter });
      },
    }),
    cache: (name) => ({
      hit: () => lookups.inc({ cache: name, result: 'hit' }),
      miss: () => lookups.inc({ cache: name, result: 'miss' }),
      error: () => lookups.inc({ cache: name, result: 'error' }),
    }),
    timedOut(component, operation, timeoutMs) {
      timeouts.inc({ component, operation });
      trace.getActiveSpan()?.addEvent('timeout', { 'timeout.operation': operation, 'timeout.ms': timeoutMs });
    },
  };
}
