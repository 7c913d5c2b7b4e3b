import { unlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { INTERNAL } from '../context.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import { depart, mergeSnapshots, type Part } from '../metrics/merge.ts';
import type { Snapshot } from '../metrics/metrics.ts';
import {
  type Family,
  type FromPrimary,
  type FromWorker,
  PROTOCOL,
  receive,
  send,
  socketPath,
  type WorkerHealth,
} from './protocol.ts';

const ANSWER_MS = 2000;
const MOST_WORKERS = 512;
/** Snapshots of one worker that may be under way at once. */
const MOST_ANSWERS = 16;
const MOST_FAMILIES = 20_000;

/** A process that was forked by this one and shares its page. */
export interface Worker {
  /** The smallest free number when it came: a worker that replaces another goes on in its place. */
  readonly slot: number;
  readonly pid: number;
  readonly health: WorkerHealth | undefined;
  /** `performance.now()` when its health came. */
  readonly healthAt: number;
}

export interface Gathering {
  /** Whether there are, or were, workers. */
  active(): boolean;
  /** The numbers of this process and of all workers, those that have ended included. */
  snapshot(own: Snapshot): Promise<Snapshot>;
  workers(): readonly Worker[];
  stop(): void;
}

export interface GatheringDeps {
  readonly job: string;
  readonly diagnostics: Diagnostics;
  /** Where the sum is shown, for the workers to tell. */
  address(): { readonly host: string; readonly port: number } | undefined;
}

interface Member extends Worker {
  readonly socket: Socket;
  health: WorkerHealth | undefined;
  healthAt: number;
  /** The last whole snapshot. */
  last: Snapshot | undefined;
  readonly coming: Map<number, Family[]>;
  readonly asked: Map<number, () => void>;
}

/** Collects what the workers of a cluster count. Starts with the first fork; keeps nothing alive. */
export function gatherWorkers({ job, diagnostics, address }: GatheringDeps, path = socketPath(process.pid)): Gathering {
  const members = new Set<Member>();
  let departed: Snapshot | undefined;
  let questions = 0;

  const server = createServer((socket) => {
    socket.unref();
    socket.on('error', () => socket.destroy());
    let member: Member | undefined;
    receive<FromWorker>(socket, (message) => {
      if (member !== undefined) return take(member, message);
      member = admit(socket, message);
    });
    socket.once('close', () => member && lose(member));
  });
  (server as { [INTERNAL]?: boolean })[INTERNAL] = true;
  server.maxConnections = MOST_WORKERS;
  server.on('error', (error) => {
    diagnostics.warn(
      `The workers of this cluster cannot be summed up (${reason(error)}); each serves /metrics on a port of its own.`,
    );
  });
  if (path.startsWith('/')) removeStale(path);
  server.listen({ path, exclusive: true });
  server.unref();

  function admit(socket: Socket, message: FromWorker): Member | undefined {
    const at = address();
    if (message.type !== 'hello' || message.protocol !== PROTOCOL || message.job !== job || at === undefined) {
      send(socket, { type: 'refused' } satisfies FromPrimary);
      socket.end();
      return undefined;
    }
    const member: Member = {
      slot: freeSlot(),
      pid: message.pid,
      socket,
      health: undefined,
      healthAt: performance.now(),
      last: undefined,
      coming: new Map(),
      asked: new Map(),
    };
    members.add(member);
    send(socket, { type: 'welcome', ...at });
    return member;
  }

  function freeSlot(): number {
    const taken = new Set(Array.from(members, ({ slot }) => slot));
    let slot = 1;
    while (taken.has(slot)) slot++;
    return slot;
  }

  function take(member: Member, message: FromWorker): void {
    if (message.type === 'health') {
      // The socket is open to every local user: what does not look like a report would break the page of all.
      if (typeof message.health?.report?.checks !== 'object' || message.health.report.checks === null)
        return void member.socket.destroy();
      member.health = message.health;
      member.healthAt = performance.now();
    } else if (message.type === 'family') {
      if (!member.coming.has(message.id) && member.coming.size >= MOST_ANSWERS) return void member.socket.destroy();
      const families = member.coming.get(message.id) ?? [];
      if (families.length >= MOST_FAMILIES) return void member.socket.destroy();
      families.push(message.family);
      member.coming.set(message.id, families);
    } else if (message.type === 'end') {
      member.last = { families: member.coming.get(message.id) ?? [] };
      member.coming.delete(message.id);
      member.asked.get(message.id)?.();
      if (message.id < 0) send(member.socket, { type: 'kept', id: message.id });
    }
  }

  function lose(member: Member): void {
    members.delete(member);
    for (const done of member.asked.values()) done();
    // A sum that fell would look like a restart, and be counted once more.
    if (member.last !== undefined) departed = depart(departed, member.last);
  }

  /** Resolves when the worker has answered, has gone, or is late; then its last numbers stand in. */
  function ask(member: Member): Promise<void> {
    const id = ++questions;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        member.asked.delete(id);
        resolve();
      };
      const timer = setTimeout(() => {
        member.coming.delete(id);
        diagnostics.warn(
          `worker ${member.slot} (process ${member.pid}) did not give its metrics within ${ANSWER_MS} ms; the last ones are shown.`,
        );
        done();
      }, ANSWER_MS).unref();
      member.asked.set(id, done);
      send(member.socket, { type: 'get', id });
    });
  }

  return {
    active: () => members.size > 0 || departed !== undefined,
    snapshot: async (own) => {
      await Promise.all([...members].map(ask));
      const parts: Part[] = [{ worker: 'primary', snapshot: own }];
      for (const { slot, last } of members) if (last !== undefined) parts.push({ worker: String(slot), snapshot: last });
      return mergeSnapshots(parts, departed);
    },
    workers: () => [...members],
    stop: () => {
      server.close();
      for (const { socket } of members) socket.destroy();
    },
  };
}

function removeStale(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // There was none.
  }
}
