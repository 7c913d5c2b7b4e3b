import { connect, type Socket } from 'node:net';
import type { Health } from '../health/health.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type FromPrimary, PROTOCOL, receive, send, socketPath } from './protocol.ts';

const CONNECT_MS = 1000;
const HEALTH_MS = 1000;
/** Unchanged health is told again after this, as a sign of life. */
const REPEAT_MS = 10_000;

export interface WorkerDeps {
  readonly job: string;
  readonly metrics: Pick<Metrics, 'snapshot'>;
  readonly health: Pick<Health, 'ready' | 'report'>;
  /** The primary is gone, or has let this process go. */
  onLost(): void;
}

export interface Membership {
  /** Where the primary shows this process' numbers. */
  readonly host: string;
  readonly port: number;
  /** Gives the primary the last numbers, for after this process' end. Never rejects. */
  handOver(timeoutMs: number): Promise<void>;
  leave(): void;
}

type Welcome = Extract<FromPrimary, { type: 'welcome' }>;

/**
 * Joins the page of the process that forked this one, if the kit is in it and it is the same service. Nothing of it goes
 * through the channel between the two, which is the app's. @returns undefined where there is no such page
 */
export async function joinPrimary(deps: WorkerDeps, path = socketPath(process.ppid)): Promise<Membership | undefined> {
  const socket = connect(path);
  socket.unref();
  const kept = new Map<number, () => void>();
  let handOvers = 0;
  let left = false;

  const welcome = await new Promise<Welcome | undefined>((resolve) => {
    const timer = setTimeout(resolve, CONNECT_MS, undefined).unref();
    // An error is followed by `close`.
    socket.on('error', () => {});
    socket.once('close', resolve);
    socket.once('connect', () => send(socket, { type: 'hello', protocol: PROTOCOL, job: deps.job, pid: process.pid }));
    receive<FromPrimary>(socket, (message) => {
      if (message.type === 'get') void sendSnapshot(socket, message.id, deps.metrics);
      else if (message.type === 'kept') kept.get(message.id)?.();
      else {
        clearTimeout(timer);
        resolve(message.type === 'welcome' ? message : undefined);
      }
    });
  });
  if (welcome === undefined || socket.destroyed) {
    socket.destroy();
    return undefined;
  }

  const stopHealth = tellHealth(socket, deps.health);
  socket.once('close', () => {
    stopHealth();
    for (const done of kept.values()) done();
    if (!left) deps.onLost();
  });

  return {
    host: welcome.host,
    port: welcome.port,
    handOver: (timeoutMs) => {
      // Below zero, so that it cannot be taken for the answer to a question.
      const id = -++handOvers;
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          kept.delete(id);
          resolve();
        };
        const timer = setTimeout(done, timeoutMs).unref();
        kept.set(id, done);
        if (socket.destroyed) done();
        else void sendSnapshot(socket, id, deps.metrics);
      });
    },
    leave: () => {
      left = true;
      socket.destroy();
    },
  };
}

async function sendSnapshot(socket: Socket, id: number, metrics: Pick<Metrics, 'snapshot'>): Promise<void> {
  try {
    const { families } = await metrics.snapshot();
    for (const family of families) {
      if (!send(socket, { type: 'family', id, family })) await drained(socket);
      // Between two families the event loop turns: the app comes first.
      await new Promise((resolve) => setImmediate(resolve));
    }
    send(socket, { type: 'end', id });
  } catch {
    // Without an end the primary shows what it had before.
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
    if (socket.destroyed) done();
  });
}

function tellHealth(socket: Socket, health: Pick<Health, 'ready' | 'report'>): () => void {
  let last = '';
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = () => {
    const { ready, reason } = health.ready();
    const report = health.report();
    const state = JSON.stringify([ready, reason, report.status, report.output]);
    if (state === last && performance.now() - toldAt < REPEAT_MS) return;
    last = state;
    toldAt = performance.now();
    send(socket, { type: 'health', health: { ready, reason, report } });
  };
  const timer = setInterval(tell, HEALTH_MS).unref();
  tell();
  return () => clearInterval(timer);
}
