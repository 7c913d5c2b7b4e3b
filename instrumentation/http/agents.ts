import type { Agent } from 'node:http';
import { isIPv6 } from 'node:net';
import type { HttpConnections, PoolReading } from '../recorders/http-connections.ts';
import { WeakList } from '../weak-list.ts';

export interface Agents {
  /** A request goes through this agent, if it goes through one. */
  see(agent: Agent | undefined): void;
  stop(): void;
}

/** Agents of `node:http` and `node:https`, of which a request costs no more than a look: they are read at a scrape. */
export function watchAgents(connections: HttpConnections): Agents {
  const seen = new WeakList<Agent>();
  const stop = connections.gather(() => seen.read(readingsOf).flat());
  return {
    see(agent) {
      if (typeof agent === 'object' && agent !== null) seen.add(agent);
    },
    stop,
  };
}

const LONGEST_IPV6 = 45;

type Lists = Readonly<Record<string, readonly unknown[] | undefined>>;

function readingsOf(agent: Agent): PoolReading[] {
  // Whatever an app hands over as an agent need not have these.
  const { sockets, freeSockets, requests, maxSockets } = agent as Partial<Record<keyof Agent, unknown>>;
  const [used, free, queued] = [sockets, freeSockets, requests].map((lists) => (lists ?? {}) as Lists);
  const readings: PoolReading[] = [];
  for (const name of new Set([...Object.keys(used), ...Object.keys(free), ...Object.keys(queued)])) {
    const target = targetOf(name);
    if (target === undefined) continue;
    readings.push({
      ...target,
      active: used[name]?.length,
      idle: free[name]?.length,
      waiting: queued[name]?.length,
      max: typeof maxSockets === 'number' ? maxSockets : Infinity,
    });
  }
  return readings;
}

/**
 * Host and port of the name under which an agent keeps sockets: `host:port:localAddress`, then the family, the path of a socket
 * and all that belongs to TLS. A host may be an IPv6 address without brackets. Undefined where there is no port (a Unix socket).
 *
 * @see https://nodejs.org/api/http.html#agentgetnameoptions
 */
export function targetOf(name: string): { address: string; port: number } | undefined {
  const first = name.indexOf(':');
  let found: { address: string; port: number } | undefined;
  for (let at = first; at >= 0 && (at === first || at <= LONGEST_IPV6); at = name.indexOf(':', at + 1)) {
    const port = /^:(\d{1,5}):/.exec(name.slice(at, at + 7));
    const address = name.slice(0, at);
    // The longest that is an address: the beginning of one may look like a name.
    if (port && at > 0 && (at === first || isIPv6(address))) found = { address, port: Number(port[1]) };
  }
  return found;
}
