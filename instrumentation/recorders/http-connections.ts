import type { Kit } from '../kit.ts';
import type { HistogramChild } from '../metrics/metrics.ts';
import { METRICS, OVERFLOW } from '../names.ts';

/**
 * What the HTTP clients of this process have to do with one host and port. The numbers are written on the request path and
 * read at a scrape.
 */
export interface Target {
  /** Connections that are open. */
  open: number;
  /** Those of them that serve a request. */
  active: number;
  /** Requests that are not yet on a connection. */
  waiting: number;
  /** Takes the seconds that a request waited. */
  readonly wait: HistogramChild;
  /** Whoever keeps a target must ask for it again where this is true: it made room for another one, or it is {@link OVERFLOW}. */
  readonly stale: boolean;
}

/** What one pool or agent says of itself when it is asked; all of it comes on top of what the {@link Target} holds. */
export interface PoolReading {
  readonly address: string;
  readonly port: number;
  readonly active?: number;
  readonly idle?: number;
  readonly waiting?: number;
  /** Most connections that it opens to this target; `Infinity` where it has no limit. */
  readonly max?: number;
}

/** Connections of HTTP clients, by host and port. Nothing here throws on the request path. */
export interface HttpConnections {
  target(address: string, port: number): Target;
  /** Calls `read` at each scrape. Returns what ends it. */
  gather(read: () => Iterable<PoolReading>): () => void;
  /**
   * `performance.now()` of the call whose request is being made, where that call waited for a free client before: set by who
   * takes it out of the queue, and taken by who sees the request.
   */
  queuedAt: number | undefined;
  stop(): void;
}

interface Known extends Target {
  readonly labels: { readonly server_address: string; readonly server_port: string };
  stale: boolean;
  /** Whether the last scrape found anything; a target that is all zeros may make room. */
  shown: boolean;
}

interface Total {
  active: number;
  idle: number;
  waiting: number;
  max: number;
}

/** Host, an IPv6 address without its brackets, and port of an origin. */
export function whereIs({ protocol, hostname, port }: URL): { readonly address: string; readonly port: number } {
  return { address: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}

const made = new WeakMap<Kit, HttpConnections>();

export function httpConnectionsOf(kit: Kit): HttpConnections {
  let connections = made.get(kit);
  if (connections === undefined) made.set(kit, (connections = createHttpConnections(kit)));
  return connections;
}

function createHttpConnections({ config, metrics }: Kit): HttpConnections {
  const count = metrics.gauge(METRICS.httpClientConnections);
  const max = metrics.gauge(METRICS.httpClientConnectionsMax);
  const pending = metrics.gauge(METRICS.httpClientPending);
  const wait = metrics.histogram(METRICS.httpClientWait);
  // Two series each, and all beyond the bound in one sum: the registry's own bound would show the last one instead.
  const most = Math.max(1, Math.floor(config.maxSeries / 2) - 1);
  const targets = new Map<string, Known>();
  const readers = new Set<() => Iterable<PoolReading>>();
  let rest: Known | undefined;
  const end = metrics.onScrape('http_connections', publish);

  function make(address: string, port: string, stale: boolean): Known {
    const labels = { server_address: address, server_port: port };
    let child: HistogramChild | undefined;
    return {
      open: 0,
      active: 0,
      waiting: 0,
      // Made with the first wait: a series of its own would stand on the page of who never waits.
      get wait() {
        return (child ??= wait.child(address, port));
      },
      labels,
      stale,
      shown: false,
    };
  }

  function find(address: string, port: number): Known {
    const key = `${address} ${port}`;
    let target = targets.get(key);
    if (target === undefined) {
      if (targets.size >= most && !makeRoom()) return (rest ??= make(OVERFLOW, OVERFLOW, true));
      targets.set(key, (target = make(address, String(port), false)));
    }
    return target;
  }

  function makeRoom(): boolean {
    for (const [key, target] of targets) {
      if (target.open !== 0 || target.waiting !== 0 || target.shown) continue;
      target.stale = true;
      targets.delete(key);
      hide(target);
      return true;
    }
    return false;
  }

  function publish(): void {
    const totals = new Map<Known, Total>();
    for (const target of targets.values()) totals.set(target, totalOf(target));
    if (rest !== undefined) totals.set(rest, totalOf(rest));
    for (const read of readers) {
      for (const { address, port, active = 0, idle = 0, waiting = 0, max = 0 } of read()) {
        // A pool that was never used, or no longer is, takes nobody's place.
        const idles = active + idle + waiting === 0;
        const target = idles ? targets.get(`${address} ${port}`) : find(address, port);
        if (target === undefined) continue;
        let total = totals.get(target);
        if (total === undefined) totals.set(target, (total = totalOf(target)));
        total.active += active;
        total.idle += idle;
        total.waiting += waiting;
        total.max += max;
        target.shown = true;
      }
    }
    for (const [target, total] of totals) if (target === rest || !target.stale) show(target, total);
  }

  function totalOf({ active, open, waiting }: Known): Total {
    return { active, idle: open - active, waiting, max: 0 };
  }

  function show(target: Known, { active, idle, waiting, max: limit }: Total): void {
    const { labels } = target;
    count.set({ ...labels, http_connection_state: 'active' }, active);
    count.set({ ...labels, http_connection_state: 'idle' }, idle);
    pending.set(labels, waiting);
    // The built-in fetch has no limit, and shows that only by having more.
    if (limit >= Math.max(1, active + idle) && limit < Infinity && target !== rest) max.set(labels, limit);
    else max.remove(labels);
    target.shown = active + idle + waiting > 0;
  }

  function hide({ labels }: Known): void {
    count.remove({ ...labels, http_connection_state: 'active' });
    count.remove({ ...labels, http_connection_state: 'idle' });
    pending.remove(labels);
    max.remove(labels);
  }

  return {
    target: find,
    gather(read) {
      readers.add(read);
      return () => readers.delete(read);
    },
    queuedAt: undefined,
    stop() {
      end();
      for (const target of targets.values()) hide(target);
      if (rest !== undefined) hide(rest);
    },
  };
}
