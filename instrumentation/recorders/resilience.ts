import { trace } from '@opentelemetry/api';
import type { Kit } from '../kit.ts';
import { METRICS } from '../names.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';
export type BreakerResult = 'success' | 'failure' | 'timeout' | 'rejected' | 'fallback';

/** What a circuit breaker, hand-written or wired, tells the kit. */
export interface BreakerRecorder {
  /** The breaker is now in this state. The first call sets it; later ones count and log the change. */
  state(to: BreakerState): void;
  request(result: BreakerResult): void;
}

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

export interface Resilience {
  breaker(name: string): BreakerRecorder;
  retry(name: string): RetryRecorder;
  rateLimit(limiter: string): RateLimitRecorder;
  cache(name: string): CacheRecorder;
}

const STATE_VALUE: Record<BreakerState, number> = { closed: 0, open: 1, 'half-open': 2 };

/** Names whose states are remembered; beyond it a recorder knows only what it was told itself. */
const MOST_NAMES = 10_000;

export function createResilience({ metrics, logs, diagnostics }: Kit): Resilience {
  const states = metrics.gauge(METRICS.breakerState);
  const requests = metrics.counter(METRICS.breakerRequests);
  const changes = metrics.counter(METRICS.breakerChanges);
  const attempts = metrics.counter(METRICS.retryAttempts);
  const limits = metrics.counter(METRICS.rateLimitRequests);
  const lookups = metrics.counter(METRICS.cacheRequests);

  // By name, so that an app may ask for a recorder anew each time that it has something to say.
  const current = new Map<string, BreakerState>();

  return {
    breaker(name) {
      return {
        state(to) {
          if (!Object.hasOwn(STATE_VALUE, to)) {
            const allowed = Object.keys(STATE_VALUE).join(', ');
            diagnostics.warn(
              `O11Y_METRIC: breaker(${JSON.stringify(name)}).state: ${String(to)} is no state; there are ${allowed}. It is ignored.`,
            );
            return;
          }
          const from = current.get(name);
          if (to === from) return;
          if (from !== undefined || current.size < MOST_NAMES) current.set(name, to);
          states.set({ name }, STATE_VALUE[to]);
          if (from === undefined) return;
          changes.inc({ name, from, to });
          trace.getActiveSpan()?.addEvent('circuitbreaker.state_change', { 'circuitbreaker.name': name, from, to });
          logs.logger[to === 'open' ? 'warn' : 'info'](
            { component: 'circuitbreaker', breaker: name, from, to },
            `circuit breaker ${name}: ${from} → ${to}`,
          );
        },
        request(result) {
          requests.inc({ name, result });
          if (result === 'rejected') trace.getActiveSpan()?.addEvent('circuitbreaker.rejected', { 'circuitbreaker.name': name });
        },
      };
    },
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
  };
}
