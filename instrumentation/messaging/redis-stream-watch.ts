import { reason } from '../diagnostics.ts';
import type { Kit } from '../kit.ts';
import { METRICS } from '../names.ts';
import { isWord, textOf } from './redis-entries.ts';

/** A connection as far as it can be asked. */
export interface StreamClient {
  /** Server and database, without credentials: clients of one server may answer for each other. */
  readonly server: string;
  readonly ready: boolean;
  /** Sends a command whose keys are written out. */
  ask(...words: string[]): Promise<unknown>;
}

const SHORTEST_INTERVAL_MS = 5000;
const MOST_STREAMS = 50;
const MOST_CLIENTS = 4;
/** A stream that this process has not touched for so long makes room for another. */
const FORGOTTEN_MS = 15 * 60_000;

/** Length of the streams that this process uses, and how far their groups are behind. */
export interface StreamWatch {
  touched(server: string, stream: string): void;
  /** A connection that does not wait in a blocking read; held weakly. */
  usable(owner: object, client: (owner: object) => StreamClient, server: string): void;
  /** The connection waits in blocking reads: it is asked nothing from now on. */
  unusable(owner: object): void;
  stop(): void;
}

interface Watched {
  readonly server: string;
  readonly stream: string;
  usedAt: number;
  groups: readonly string[];
  pending: boolean;
}

export function watchStreams(kit: Kit): StreamWatch {
  const length = kit.metrics.gauge(METRICS.redisStreamLength);
  const lag = kit.metrics.gauge(METRICS.redisStreamLag);
  const pending = kit.metrics.gauge(METRICS.redisStreamPending);
  const streams = new Map<string, Watched>();
  const clients = new Map<string, { readonly ref: WeakRef<object>; readonly client: (owner: object) => StreamClient }[]>();
  const known = new WeakSet<object>();
  const blocking = new WeakSet<object>();
  let stopScrape: (() => void) | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  function touched(server: string, stream: string): void {
    const key = `${server} ${stream}`;
    const watched = streams.get(key);
    const now = performance.now();
    if (watched !== undefined) {
      watched.usedAt = now;
      return;
    }
    if (streams.size >= MOST_STREAMS && !forget(now)) {
      kit.diagnostics.warn(
        `O11Y_METRIC: ${MOST_STREAMS} Redis streams are looked at, the most allowed; length and lag of further ones are not shown.`,
        'redis streams',
      );
      return;
    }
    streams.set(key, { server, stream, usedAt: now, groups: [], pending: false });
    stopScrape ??= kit.metrics.onScrape('redis_streams', lookAtAll);
  }

  /** @returns whether there is room now */
  function forget(now: number): boolean {
    for (const [key, watched] of streams) {
      if (now - watched.usedAt <= FORGOTTEN_MS) continue;
      hide(watched);
      streams.delete(key);
    }
    return streams.size < MOST_STREAMS;
  }

  async function lookAtAll(): Promise<void> {
    const now = performance.now();
    if (now - lookedAt < SHORTEST_INTERVAL_MS) return;
    lookedAt = now;
    const failures: string[] = [];
    await Promise.all(
      [...streams.values()].map(async (watched) => {
        const client = clientFor(watched.server);
        // No connection but one that waits in a blocking read: others may look at this stream.
        if (watched.pending || client === undefined) return;
        try {
          await look(watched, client);
        } catch (error) {
          hide(watched);
          failures.push(`${watched.stream}: ${reason(error)}`);
        }
      }),
    );
    if (failures.length > 0) throw new Error(failures.slice(0, 3).join('; '));
  }

  function clientFor(server: string): StreamClient | undefined {
    const list = clients.get(server) ?? [];
    for (const entry of [...list]) {
      const owner = entry.ref.deref();
      if (owner === undefined || blocking.has(owner)) list.splice(list.indexOf(entry), 1);
      else {
        const client = entry.client(owner);
        if (client.ready) return client;
      }
    }
    return undefined;
  }

  async function look(watched: Watched, client: StreamClient): Promise<void> {
    const { stream } = watched;
    watched.pending = true;
    try {
      const [entries, groups] = await Promise.all([client.ask('XLEN', stream), groupsOf(client, stream)]);
      length.set({ stream }, Number(entries));
      const names = groups.map(({ name }) => name);
      for (const group of watched.groups) if (!names.includes(group)) hideGroup(stream, group);
      watched.groups = names;
      for (const group of groups) {
        const labels = { stream, group: group.name };
        pending.set(labels, group.pending);
        // Redis before 7 does not count it, and later ones lose count when entries are deleted from the middle.
        if (group.lag === undefined) lag.remove(labels);
        else lag.set(labels, group.lag);
      }
    } finally {
      watched.pending = false;
    }
  }

  function hide(watched: Watched): void {
    length.remove({ stream: watched.stream });
    for (const group of watched.groups) hideGroup(watched.stream, group);
    watched.groups = [];
  }

  function hideGroup(stream: string, group: string): void {
    lag.remove({ stream, group });
    pending.remove({ stream, group });
  }

  return {
    touched,
    usable(owner, client, server) {
      if (known.has(owner)) return;
      known.add(owner);
      const list = clients.get(server) ?? [];
      clients.set(server, list);
      if (list.length >= MOST_CLIENTS) list.shift();
      list.push({ ref: new WeakRef(owner), client });
    },
    unusable: (owner) => void blocking.add(owner),
    stop() {
      stopScrape?.();
      streams.forEach(hide);
      streams.clear();
      clients.clear();
    },
  };
}

interface Group {
  readonly name: string;
  readonly pending: number;
  readonly lag: number | undefined;
}

async function groupsOf(client: StreamClient, stream: string): Promise<Group[]> {
  let answer: unknown;
  try {
    answer = await client.ask('XINFO', 'GROUPS', stream);
  } catch (error) {
    // The stream is not there yet.
    if (/no such key/i.test(reason(error))) return [];
    throw error;
  }
  return Array.isArray(answer) ? answer.map(readGroup) : [];
}

/** A list of names and values in RESP2, a map in RESP3. */
function readGroup(answer: unknown): Group {
  const values = new Map<string, unknown>();
  if (Array.isArray(answer)) {
    for (let i = 0; i + 1 < answer.length; i += 2) values.set(plain(answer[i]), answer[i + 1]);
  } else if (answer instanceof Map) {
    for (const [name, value] of answer) values.set(plain(name), value);
  } else for (const [name, value] of Object.entries(answer ?? {})) values.set(name, value);
  const lag = values.get('lag');
  return {
    name: plain(values.get('name')),
    pending: Number(values.get('pending') ?? 0),
    lag: lag === null || lag === undefined ? undefined : Number(lag),
  };
}

function plain(value: unknown): string {
  return isWord(value) ? textOf(value) : String(value);
}
