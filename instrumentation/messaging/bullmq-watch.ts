import { reason } from '../diagnostics.ts';
import type { Kit } from '../kit.ts';
import { METRICS } from '../names.ts';
import { clientOf, type Getters, isConnected, type JobSystem, labelOf, type Owner } from './bullmq-types.ts';

/** A queue is looked at once in this time, however often the page is read. */
const SHORTEST_INTERVAL_MS = 5000;
const LOOK_TIMEOUT_MS = 2000;
const MOST_QUEUES = 200;
const MOST_OWNERS = 8;
const AT_A_TIME = 8;
/** A connection may take this long to be made before it counts as down. */
const CONNECTING_MS = 5000;
/** The check reads a field of each client. */
const CHECK_INTERVAL_MS = 2000;

/** The lists in which a job waits for a worker. */
const WAITING = ['wait', 'paused', 'prioritized'];
/** Jobs at the front of each of them that are looked at for the oldest. */
const HEAD = 10;

/** Depth and age of the queues that this process uses, asked for when the page of metrics is read. */
export interface QueueWatch {
  /** Notes a Queue or a Worker, held weakly; its connection is used as long as it is open. */
  note(owner: Owner): void;
  stop(): void;
}

interface Watched {
  readonly label: string;
  readonly owners: WeakRef<Owner>[];
  /** The states that have a series. */
  states: readonly string[];
  lookedAt: number;
  /** An earlier look has not been answered. */
  pending: boolean;
}

/**
 * @param getters `Queue.prototype`: a Worker has the same connection but not the methods
 */
export function watchQueues(kit: Kit, system: JobSystem, getters: Getters): QueueWatch {
  const counts = kit.metrics.gauge(METRICS.bullmqJobCount);
  const oldest = kit.metrics.gauge(METRICS.bullmqOldestWaiting);
  const queues = new Map<string, Watched>();
  const noted = new WeakSet<Owner>();
  const stops: (() => void)[] = [];
  let begunAt = 0;

  function note(owner: Owner): void {
    if (noted.has(owner)) return;
    noted.add(owner);
    if (stops.length === 0) begin();
    const label = labelOf(owner.name, owner.opts?.prefix);
    let watched = queues.get(label);
    if (watched === undefined) {
      if (queues.size >= MOST_QUEUES) {
        const left = `O11Y_METRIC: ${MOST_QUEUES} queues are looked at, the most allowed; job counts of further ones are not shown.`;
        kit.diagnostics.warn(left, `${system} queues`);
        return;
      }
      watched = { label, owners: [], states: [], lookedAt: Number.NEGATIVE_INFINITY, pending: false };
      queues.set(label, watched);
    }
    if (watched.owners.length >= MOST_OWNERS) watched.owners.splice(0, 1);
    watched.owners.push(new WeakRef(owner));
  }

  function begin(): void {
    begunAt = performance.now();
    stops.push(
      kit.metrics.onScrape(system, lookAtAll),
      kit.health.register(system, check, { required: false, componentType: 'datastore', interval: CHECK_INTERVAL_MS }),
    );
  }

  function isStarting(): boolean {
    return performance.now() - begunAt < CONNECTING_MS;
  }

  /** Those that are neither closed nor gone. */
  function living(watched: Watched): Owner[] {
    const alive: Owner[] = [];
    for (const ref of [...watched.owners]) {
      const owner = ref.deref();
      if (owner === undefined || owner.closing) watched.owners.splice(watched.owners.indexOf(ref), 1);
      else alive.push(owner);
    }
    return alive;
  }

  async function lookAtAll(): Promise<void> {
    const now = performance.now();
    const due: Watched[] = [];
    for (const watched of queues.values()) {
      if (living(watched).length === 0) {
        hide(watched);
        queues.delete(watched.label);
      } else if (!watched.pending && now - watched.lookedAt >= SHORTEST_INTERVAL_MS) due.push(watched);
    }
    const failures: string[] = [];
    const next = due.values();
    const lane = async () => {
      for (const watched of next) {
        // On a connection that is down the question would wait with the app's own commands.
        const owner = living(watched).find((each) => isConnected(clientOf(each)) !== false);
        if (owner === undefined) {
          hide(watched);
          if (!isStarting()) failures.push(`${watched.label}: no connection`);
          continue;
        }
        watched.lookedAt = now;
        try {
          await look(watched, owner);
        } catch (error) {
          // A gap says that nothing is known; the last value would say that all is as it was.
          hide(watched);
          failures.push(`${watched.label}: ${reason(error)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_A_TIME, due.length) }, lane));
    if (failures.length > 0) throw new Error(failures.slice(0, 3).join('; '));
  }

  async function look(watched: Watched, owner: Owner): Promise<void> {
    watched.pending = true;
    const asked = ask(owner).finally(() => {
      watched.pending = false;
    });
    const { states, age } = await within(LOOK_TIMEOUT_MS, asked);
    const { label } = watched;
    for (const state of watched.states) if (states[state] === undefined) counts.remove({ queue: label, state });
    watched.states = Object.keys(states);
    for (const state of watched.states) counts.set({ queue: label, state }, states[state]);
    if (age === undefined) oldest.remove({ queue: label });
    else oldest.set({ queue: label }, age);
  }

  async function ask(owner: Owner): Promise<{ states: Readonly<Record<string, number>>; age: number | undefined }> {
    const view = viewOf(owner);
    const states = await view.getJobCounts();
    const waiting = (states.waiting ?? 0) + (states.paused ?? 0) + (states.prioritized ?? 0);
    return { states, age: waiting === 0 ? 0 : await ageOfOldest(owner, view) };
  }

  /** A Worker with the methods of a Queue. */
  function viewOf(owner: Owner): Owner & Getters {
    if ('getJobCounts' in owner) return owner as Owner & Getters;
    return new Proxy(owner, {
      get: (target, key) => (key in target ? Reflect.get(target, key, target) : Reflect.get(getters, key)),
    }) as Owner & Getters;
  }

  async function ageOfOldest(owner: Owner, view: Getters): Promise<number | undefined> {
    const client = clientOf(owner);
    if (typeof client?.hmget !== 'function') return undefined;
    // Jobs that are to be repeated stand before those that wait longer, a few at most: as many as were worked on at once.
    const ids = await view.getRanges(WAITING, 0, HEAD - 1, true);
    const jobs = ids
      .slice(0, WAITING.length * HEAD)
      .map((id) => client.hmget?.(owner.toKey(id), 'timestamp', 'delay', 'processedOn') ?? []);
    let most = 0;
    for (const [added, delay, processed] of await Promise.all(jobs)) {
      // A job that is to be repeated waits since its last attempt, a delayed one since it was due.
      const since = Number(processed ?? added ?? Number.NaN) + Number(delay ?? 0);
      if (since > 0) most = Math.max(most, Date.now() - since);
    }
    return most / 1000;
  }

  function hide(watched: Watched): void {
    for (const state of watched.states) counts.remove({ queue: watched.label, state });
    watched.states = [];
    oldest.remove({ queue: watched.label });
  }

  /** Looks at the state of the connections; sends nothing. */
  function check() {
    const down: string[] = [];
    for (const watched of queues.values()) {
      if (living(watched).some((owner) => isConnected(clientOf(owner)) === false)) down.push(watched.label);
    }
    if (down.length === 0) return { status: 'pass', observedValue: queues.size, observedUnit: 'queues' };
    const more = down.length > 5 ? ` and ${down.length - 5} more` : '';
    return {
      status: isStarting() ? 'warn' : 'fail',
      output: `no connection to the Redis of ${down.slice(0, 5).join(', ')}${more}`,
    };
  }

  return {
    note,
    stop() {
      for (const stop of stops.splice(0)) stop();
      queues.forEach(hide);
      queues.clear();
    },
  };
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms).unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
