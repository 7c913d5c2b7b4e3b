import type { Metrics } from '../metrics/metrics.ts';
import { METRICS, OVERFLOW } from '../names.ts';

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
   * Shows a pool from now on, as long as the app holds it; a pool that is known is left as it is. Pools of one name (host,
   * port and database) are added up, so that an app which makes a pool for each request shows as what it is.
   */
  watch<P extends object>(pool: P, name: string, read: (pool: P) => PoolState): void;
  /** A connection was handed out, after so many seconds. */
  waited(name: string, seconds: number): void;
  /** A caller gave up waiting. */
  timedOut(name: string): void;
  /** All pools of a name together; undefined where there are none any more. */
  state(name: string): PoolState | undefined;
  stop(): void;
}

const MOST_NAMES = 100;

interface Watched {
  readonly pool: WeakRef<object>;
  readonly read: (pool: object) => PoolState;
}

export function createPools(metrics: Metrics): Pools {
  const count = metrics.gauge(METRICS.dbConnections);
  const max = metrics.gauge(METRICS.dbConnectionsMax);
  const pending = metrics.gauge(METRICS.dbPendingRequests);
  const wait = metrics.histogram(METRICS.dbWaitTime);
  const timeouts = metrics.counter(METRICS.dbTimeouts);
  const byName = new Map<string, Watched[]>();
  let known = new WeakSet<object>();
  const end = metrics.onScrape('db_pools', publish);

  /** Names come from settings, but an app may have one database for each of its customers. */
  function bounded(name: string): string {
    return byName.has(name) || byName.size < MOST_NAMES ? name : OVERFLOW;
  }

  function state(name: string): PoolState | undefined {
    const watched = byName.get(name);
    if (watched === undefined) return undefined;
    let [used, idle, most, waiting, alive] = [0, 0, 0, 0, 0];
    let limited = false;
    for (let at = watched.length - 1; at >= 0; at--) {
      const pool = watched[at].pool.deref();
      if (pool === undefined) {
        watched.splice(at, 1);
        continue;
      }
      const now = watched[at].read(pool);
      alive++;
      used += now.used;
      idle += now.idle;
      waiting += now.pending;
      if (now.max !== undefined) {
        limited = true;
        most += now.max;
      }
    }
    return alive === 0 ? undefined : { used, idle, max: limited ? most : undefined, pending: waiting };
  }

  function publish(): void {
    for (const name of byName.keys()) {
      const labels = { db_client_connection_pool_name: name };
      const used = { ...labels, db_client_connection_state: 'used' };
      const idle = { ...labels, db_client_connection_state: 'idle' };
      const now = state(name);
      if (now === undefined) {
        byName.delete(name);
        count.remove(used);
        count.remove(idle);
        max.remove(labels);
        pending.remove(labels);
        continue;
      }
      count.set(used, now.used);
      count.set(idle, now.idle);
      if (now.max !== undefined) max.set(labels, now.max);
      pending.set(labels, now.pending);
    }
  }

  return {
    watch(pool, given, read) {
      if (known.has(pool)) return;
      known.add(pool);
      const name = bounded(given);
      let watched = byName.get(name);
      if (watched === undefined) byName.set(name, (watched = []));
      watched.push({ pool: new WeakRef(pool), read: read as Watched['read'] });
    },
    waited: (name, seconds) => wait.observe({ db_client_connection_pool_name: bounded(name) }, seconds),
    timedOut: (name) => timeouts.inc({ db_client_connection_pool_name: bounded(name) }),
    state,
    stop() {
      end();
      publish();
      byName.clear();
      known = new WeakSet();
    },
  };
}

/** What a health check says of a pool that has callers waiting; undefined where none has. */
export function waiting(state: PoolState | undefined): { status: 'warn'; output: string } | undefined {
  if (state === undefined || state.pending === 0) return undefined;
  const most = state.max === undefined ? '' : ` of ${state.max}`;
  return { status: 'warn', output: `${state.pending} waiting for a connection, ${state.used}${most} in use` };
}
