import type { Diagnostics } from '../diagnostics.ts';
import type { Health, Outcome } from '../health/health.ts';
import { type Failure, isUnreachable, safeMessage } from '../traces/failure.ts';

/** More databases than a service has; beyond it they have no check of their own. */
const MOST_TARGETS = 20;

/** What a client or a pool says against its server. */
export interface Concern {
  readonly status: 'warn' | 'fail';
  readonly output: string;
}

interface Target {
  lastSuccess: number | undefined;
  lastFailure: number | undefined;
  failure: Failure | undefined;
}

export interface Targets {
  /** What a call told of its server. Never throws. */
  note(name: string, failure: Failure | undefined): void;
  /**
   * Adds to the check of a server what its client or pool knows of itself; undefined where nothing is wrong. The server has
   * a check from now on, before the first call.
   */
  describe(name: string, ask: () => Concern | undefined): void;
  stop(): void;
}

/**
 * A health check for each server that the app talks to, told from the app's own calls: it asks the server nothing. Any
 * answer counts as success, an error in a statement too; what fails is reaching the server.
 *
 * The checks never decide about readiness: a process that is taken out of the load balancer makes no calls, so it would
 * never learn that its database is back, and all its siblings would be out with it.
 */
export function createTargets(health: Pick<Health, 'register'>, diagnostics: Pick<Diagnostics, 'debug'>): Targets {
  const targets = new Map<string, Target>();
  const asked = new Map<string, () => Concern | undefined>();
  const stops: (() => void)[] = [];

  function find(name: string): Target | undefined {
    const known = targets.get(name);
    if (known !== undefined) return known;
    if (targets.size >= MOST_TARGETS) {
      diagnostics.debug(`${name} gets no health check: there are ${MOST_TARGETS} of databases already, the most allowed.`);
      return undefined;
    }
    const target: Target = { lastSuccess: undefined, lastFailure: undefined, failure: undefined };
    targets.set(name, target);
    stops.push(
      health.register(name, () => outcome(target, asked.get(name)?.()), {
        required: false,
        componentType: 'datastore',
        interval: 1000,
      }),
    );
    return target;
  }

  return {
    note(name, failure) {
      const target = find(name);
      if (target === undefined) return;
      if (failure !== undefined && isUnreachable(failure)) {
        target.lastFailure = Date.now();
        target.failure = failure;
      } else {
        target.lastSuccess = Date.now();
        target.failure = undefined;
      }
    },
    describe(name, ask) {
      if (find(name) !== undefined) asked.set(name, ask);
    },
    stop() {
      for (const stop of stops.splice(0)) stop();
      targets.clear();
      asked.clear();
    },
  };
}

function outcome({ lastSuccess, lastFailure, failure }: Target, concern: Concern | undefined): Outcome {
  const times = `last success ${time(lastSuccess)}, last failure ${time(lastFailure)}`;
  if (failure !== undefined) {
    const what = [failure.code ?? failure.name, safeMessage(failure)].filter(Boolean).join(': ');
    return { status: 'fail', observedValue: false, output: `${what}; ${times}` };
  }
  if (concern !== undefined)
    return { status: concern.status, observedValue: concern.status === 'warn', output: `${concern.output}; ${times}` };
  return { status: 'pass', observedValue: true, output: times };
}

function time(ms: number | undefined): string {
  return ms === undefined ? 'never' : new Date(ms).toISOString();
}
