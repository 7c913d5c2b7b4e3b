import { trace } from '@opentelemetry/api';
import type { Kit } from '../kit.ts';
import { METRICS } from '../names.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';
export type BreakerResult = 'success' | 'failure' | 'timeout' | 'rejected' | 'fallback';

/** What a circuit breaker, hand-written or wired, tells the kit. */
export interface BreakerRecorder {
  /** The breaker is now in this state. The first call sets it; later ones count and log the change. */
  state(to: BreakerState): void;
  /** One call: how it ended, or `rejected` where the breaker let it not through. `fallback` comes in addition. */
  request(result: BreakerResult): void;
}

/** The recorder of one breaker object. */
export interface BreakerInstance extends BreakerRecorder {
  /** The breaker is shut down: it counts as closed from now on, without a change being told. */
  release(): void;
}

export interface Breakers {
  /** By name alone, so that an app may ask for a recorder anew each time that it has something to say. */
  named(name: string): BreakerRecorder;
  /**
   * Of one breaker object, which may share its name with others: the gauge then shows the worst state among them. The
   * object is held weakly; one that is collected while it is open is open no more.
   *
   * @param initial the state in which the object was first seen
   */
  instance(breaker: object, name: string, initial: BreakerState): BreakerInstance;
}

const STATE_VALUE: Record<BreakerState, number> = { closed: 0, open: 1, 'half-open': 2 };

/** Names whose states are remembered; beyond it a recorder knows only what it was told itself. */
const MOST_NAMES = 10_000;

/** Where one breaker stands. Shared with the finalizer, so it must not lead to the breaker. */
interface Standing {
  readonly name: string;
  state: BreakerState | undefined;
}

export function createBreakers({ metrics, logs, diagnostics }: Kit): Breakers {
  const states = metrics.gauge(METRICS.breakerState);
  const requests = metrics.counter(METRICS.breakerRequests);
  const changes = metrics.counter(METRICS.breakerChanges);
  const probes = metrics.counter(METRICS.breakerProbes);

  const byName = new Map<string, Standing>();
  /** How many breakers of a name are not closed. */
  const troubled = new Map<string, { open: number; halfOpen: number }>();
  const collected = new FinalizationRegistry<Standing>(forget);

  function forget(standing: Standing): void {
    if (standing.state !== 'closed') show(standing, 'closed');
  }

  /** Sets the gauge to the worst state of the name. */
  function show(standing: Standing, to: BreakerState): void {
    const { name, state: from } = standing;
    standing.state = to;
    const count = troubled.get(name) ?? { open: 0, halfOpen: 0 };
    if (from === 'open') count.open--;
    else if (from === 'half-open') count.halfOpen--;
    if (to === 'open') count.open++;
    else if (to === 'half-open') count.halfOpen++;
    if (count.open > 0 || count.halfOpen > 0) troubled.set(name, count);
    else troubled.delete(name);
    states.set({ name }, STATE_VALUE[count.open > 0 ? 'open' : count.halfOpen > 0 ? 'half-open' : 'closed']);
  }

  function change(standing: Standing, to: BreakerState): void {
    const { name, state: from } = standing;
    if (to === from) return;
    show(standing, to);
    if (from === undefined) return;
    changes.inc({ name, from, to });
    trace.getActiveSpan()?.addEvent('circuitbreaker.state_change', { 'circuitbreaker.name': name, from, to });
    logs.logger[to === 'open' ? 'warn' : 'info'](
      { component: 'circuitbreaker', breaker: name, from, to },
      `circuit breaker ${name}: ${from} → ${to}`,
    );
  }

  function count({ name, state }: Standing, result: BreakerResult): void {
    requests.inc({ name, result });
    if (result === 'rejected') {
      trace.getActiveSpan()?.addEvent('circuitbreaker.rejected', { 'circuitbreaker.name': name });
    } else if (state === 'half-open' && result !== 'fallback') {
      probes.inc({ name, result });
      trace.getActiveSpan()?.addEvent('circuitbreaker.probe', { 'circuitbreaker.name': name, 'circuitbreaker.result': result });
    }
  }

  function standingOf(name: string): Standing {
    const known = byName.get(name);
    if (known !== undefined) return known;
    const standing: Standing = { name, state: undefined };
    if (byName.size < MOST_NAMES) byName.set(name, standing);
    return standing;
  }

  return {
    named(name) {
      const standing = standingOf(name);
      return {
        state(to) {
          if (Object.hasOwn(STATE_VALUE, to)) {
            change(standing, to);
            return;
          }
          const allowed = Object.keys(STATE_VALUE).join(', ');
          diagnostics.warn(
            `O11Y_METRIC: breaker(${JSON.stringify(name)}).state: ${String(to)} is no state; there are ${allowed}. It is ignored.`,
          );
        },
        request: (result) => count(standing, result),
      };
    },
    instance(breaker, name, initial) {
      const standing: Standing = { name, state: undefined };
      change(standing, initial);
      collected.register(breaker, standing, standing);
      return {
        state: (to) => change(standing, to),
        request: (result) => count(standing, result),
        release() {
          collected.unregister(standing);
          forget(standing);
        },
      };
    },
  };
}
