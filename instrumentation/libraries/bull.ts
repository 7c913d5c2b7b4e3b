import { callIn, ROOT } from '../context.ts';
import { recordJobs } from '../messaging/bullmq-jobs.ts';
import { allCarrying, batch, carrying, metadataOf, single } from '../messaging/bullmq-sending.ts';
import { type Client, type Getters, type Job, labelOf, type Owner } from '../messaging/bullmq-types.ts';
import { watchQueues } from '../messaging/bullmq-watch.ts';
import { createMessages, type Sending } from '../messaging/messages.ts';
import { aloud, quietly } from '../messaging/quiet.ts';
import { defineLibrary, isExports, together } from './define.ts';
import { type Method, patch } from './patch.ts';

/** Producer and worker in one. */
interface Queue {
  readonly name: string;
  readonly keyPrefix?: string;
  readonly closing?: unknown;
  readonly handlers?: Record<string, unknown>;
  /** Asking for it connects. */
  readonly client: Client & { lrange(key: string, start: number, stop: number): Promise<readonly string[]> };
  readonly clientInitialized?: boolean;
  toKey(type: string): string;
  getJobCounts(): Promise<Readonly<Record<string, number>>>;
  listenerCount(event: string): number;
}

interface Bull {
  readonly prototype: Record<string, Method>;
}

type View = Owner & Getters & Pick<Queue, 'listenerCount'>;

/**
 * Bull, BullMQ's predecessor. Trace context and correlation id travel in the job's options, in the form that BullMQ uses;
 * Bull keeps options that it does not know. Jobs that repeat carry nothing: each of their runs is a trace of its own.
 *
 * @see https://github.com/OptimalBits/bull/blob/develop/REFERENCE.md
 */
export const bull = defineLibrary<Bull>({
  name: 'bull',
  gives:
    'One trace from the producer to the last attempt of a job, the correlation id in its processor, duration and results of attempts, dead letters by category, job counts and age of the oldest waiting job of each queue, health of the connection.',
  packages: { bull: '>=4.0.0 <5.0.0' },
  accepts: (exports): exports is Bull =>
    isExports(exports) && isExports(exports.prototype) && typeof exports.prototype.setHandler === 'function',
  wire({ prototype }, kit) {
    const messages = createMessages(kit);
    const recorder = recordJobs(kit, messages, 'bull');
    const views = new WeakMap<Queue, View>();
    const watch = watchQueues(kit, 'bull', prototype as unknown as Getters);

    function viewOf(queue: Queue): View {
      let view = views.get(queue);
      if (view === undefined) {
        views.set(queue, (view = describe(queue)));
        watch.note(view);
      }
      return view;
    }

    function producer(
      sendingOf: (queue: string, args: any[]) => Sending,
      write: (args: any[], metadata: string) => any[],
    ): (original: Method) => Method {
      return (original) =>
        function (this: Queue, ...args) {
          const { name, opts } = viewOf(this);
          return messages.send(sendingOf(labelOf(name, opts?.prefix), args), (fields) => {
            const metadata = metadataOf(fields);
            return original.apply(this, metadata === undefined ? args : write(args, metadata));
          });
        };
    }

    function setHandler(original: Method): Method {
      return function (this: Queue, ...args) {
        const result = original.apply(this, args);
        // By now callbacks are promises, and files are functions that hand the job to a process of its own.
        const run = this.handlers?.[args[0]];
        if (typeof run === 'function') {
          const view = viewOf(this);
          (this.handlers as Record<string, unknown>)[args[0]] = function (this: unknown, ...given: [Job, ...unknown[]]) {
            return recorder.attempt(view, given[0], () => run.apply(this, given));
          };
        }
        return result;
      };
    }

    /** Listeners are the app's code: they run in the context of the job that they are told of. */
    function emit(original: Method): Method {
      return function (this: Queue, ...args) {
        const [event, subject, error] = args;
        try {
          // What other processes do is told by the job's id.
          if (subject === null || typeof subject === 'object') recorder.event(viewOf(this), event, subject, error);
        } catch {
          // An event that says something else than we know is the listeners' affair.
        }
        const context = recorder.contextOf(subject) ?? aloud();
        return callIn(context, original, this, args);
      };
    }

    return together([
      patch(
        prototype,
        'add',
        producer(
          (queue, [name]) => single('bull', queue, typeof name === 'string' ? name : DEFAULT_NAME),
          ([...args], metadata) => {
            const at = typeof args[0] === 'string' ? 2 : 1;
            args[at] = carrying(args[at], metadata);
            return args;
          },
        ),
      ),
      patch(
        prototype,
        'addBulk',
        producer(
          (queue, [jobs]) => batch('bull', 'addBulk', queue, Array.isArray(jobs) ? jobs.map(() => queue) : []),
          ([jobs, ...rest], metadata) => [allCarrying(jobs, metadata), ...rest],
        ),
      ),
      patch(prototype, 'setHandler', setHandler),
      patch(
        prototype,
        'process',
        (original) =>
          function (this: unknown, ...args) {
            // Polling belongs to no request, not even to the one in which it was begun.
            return quietly(ROOT, original, this, args);
          },
      ),
      patch(prototype, 'emit', emit),
      () => watch.stop(),
    ]);
  },
});

/** Of jobs without a name. */
const DEFAULT_NAME = '__default__';

/** A queue in the shape of BullMQ's. */
function describe(queue: Queue): View {
  return {
    name: queue.name,
    opts: { prefix: queue.keyPrefix },
    get closing() {
      return queue.closing;
    },
    connection: {
      get _client() {
        return queue.clientInitialized === true ? queue.client : undefined;
      },
    },
    toKey: (type) => queue.toKey(type),
    getJobCounts: () => queue.getJobCounts(),
    // Both lists are taken from their end; jobs with a priority wait among the others.
    async getRanges(types, start, end) {
      const lists = types.filter((type) => type === 'wait' || type === 'paused');
      const ids = lists.map((type) => queue.client.lrange(queue.toKey(type), -end - 1, -start - 1));
      return (await Promise.all(ids)).flat();
    },
    listenerCount: (event) => queue.listenerCount(event),
  };
}
