import type { HistogramChild, Metrics } from '../metrics/metrics.ts';
import { METRICS, OVERFLOW } from '../names.ts';
import { WeakList } from '../weak-list.ts';

/** What a connection pool is doing now. */
export interface PoolState {
  readonly used: number;
  readonly idle: number;
  /** Most connections it opens; undefined where it has no limit. */
  readonly max: number | undefined;
  /** Callers that wait for a connection. */
  readonly pending: number;
}

export interface Pools {
  /**
   * Shows a pool from now on, as long as the app holds it and `read` gives its state: undefined says that it was ended. A pool
   * that is known is left as it is. The first of a target (host, port and database) has the target's name, others at the
   * same time are `…#2`, `…#3`; from the fifth on they are added up, so that an app which makes a pool for each request shows
   * as what it is. The name of a pool that is gone is the next one's.
   */
  watch<P extends object>(pool: P, target: string, read: (pool: P) => PoolState | undefined): void;
  /** A connection of a pool that is watched was handed out, after so many seconds. */
  waited(pool: object, seconds: number): void;
  /** A caller gave up waiting. */
  timedOut(pool: object): void;
  /** What a health check says of those pools of a target that have callers waiting; undefined where none has. */
  waiting(target: string): { readonly status: 'warn'; readonly output: string } | undefined;
  stop(): void;
}

const MOST_TARGETS = 100;
const MOST_OF_A_TARGET = 5;

interface Known {
  readonly name: string;
  readonly wait: HistogramChild;
  readonly read: (pool: object) => PoolState | undefined;
}

/** Those that are shown under one name. */
type Shown = WeakList<object>;

export function createPools(metrics: Metrics): Pools {
  const count = metrics.gauge(METRICS.dbConnections);
  const max = metrics.gauge(METRICS.dbConnectionsMax);
  const pending = metrics.gauge(METRICS.dbPendingRequests);
  const wait = metrics.histogram(METRICS.dbWaitTime);
  const timeouts = metrics.counter(METRICS.dbTimeouts);
  /** By target, in the order of their names. */
  const targets = new Map<string, readonly Shown[]>();
  let known = new WeakMap<object, Known>();
  const end = metrics.onScrape('db_pools', publish);

  /** Targets come from settings, but an app may have one database for each of its customers. */
  function bounded(target: string): string {
    return targets.has(target) || targets.size < MOST_TARGETS ? target : OVERFLOW;
  }

  function publish(): void {
    for (const [target, all] of targets) {
      const states = all.map(statesOf);
      for (const [at, each] of states.entries()) show(nameOf(target, at), each.length === 0 ? undefined : sum(each));
      if (states.every((each) => each.length === 0)) targets.delete(target);
    }
  }

  /** Of those that are still there; the others are forgotten. */
  function statesOf(shown: Shown): PoolState[] {
    return shown.read((pool) => known.get(pool)?.read(pool));
  }

  /** Asked while the app waits for its connection, so it must not throw. */
  function isFree(shown: Shown): boolean {
    try {
      return statesOf(shown).length === 0;
    } catch {
      return false;
    }
  }

  function show(name: string, state: PoolState | undefined): void {
    const labels = { db_client_connection_pool_name: name };
    const used = { ...labels, db_client_connection_state: 'used' };
    const idle = { ...labels, db_client_connection_state: 'idle' };
    if (state === undefined) {
      count.remove(used);
      count.remove(idle);
      pending.remove(labels);
    } else {
      count.set(used, state.used);
      count.set(idle, state.idle);
      pending.set(labels, state.pending);
    }
    if (state?.max === undefined) max.remove(labels);
    else max.set(labels, state.max);
  }

  return {
    watch(pool, given, read) {
      if (known.has(pool)) return;
      const target = bounded(given);
      let all = targets.get(target);
      if (all === undefined)
        targets.set(target, (all = Array.from({ length: target === OVERFLOW ? 1 : MOST_OF_A_TARGET }, () => new WeakList())));
      const free = all.slice(0, -1).findIndex(isFree);
      const at = free < 0 ? all.length - 1 : free;
      const name = nameOf(target, at);
      known.set(pool, { name, wait: wait.child(name), read: read as Known['read'] });
      all[at].add(pool);
    },
    waited(pool, seconds) {
      known.get(pool)?.wait.observe(seconds);
    },
    timedOut(pool) {
      const name = known.get(pool)?.name;
      if (name !== undefined) timeouts.inc({ db_client_connection_pool_name: name });
    },
    waiting(target) {
      const states = (targets.get(target) ?? []).flatMap(statesOf).filter((each) => each.pending > 0);
      if (states.length === 0) return undefined;
      const { used, max: limit, pending: callers } = sum(states);
      const most = limit === undefined ? '' : ` of ${limit}`;
      return { status: 'warn', output: `${callers} waiting for a connection, ${used}${most} in use` };
    },
    stop() {
      end();
      publish();
      targets.clear();
      known = new WeakMap();
    },
  };
}

function nameOf(target: string, at: number): string {
  return at === 0 ? target : `${target}#${at + 1}`;
}

function sum(states: readonly PoolState[]): PoolState {
  const total = (read: (state: PoolState) => number) => states.reduce((all, state) => all + read(state), 0);
  return {
    used: total(({ used }) => used),
    idle: total(({ idle }) => idle),
    max: states.every(({ max }) => max === undefined) ? undefined : total(({ max = 0 }) => max),
    pending: total(({ pending }) => pending),
  };
}
