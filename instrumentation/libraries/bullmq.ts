import { active, callIn, correlationIdOf, ROOT, storage } from '../context.ts';
import { recordJobs } from '../messaging/bullmq-jobs.ts';
import { allCarrying, batch, carrying, metadataOf, single } from '../messaging/bullmq-sending.ts';
import { type FlowNode, type Getters, type Job, labelOf, type Owner } from '../messaging/bullmq-types.ts';
import { watchQueues } from '../messaging/bullmq-watch.ts';
import { createMessages, type Sending } from '../messaging/messages.ts';
import { aloud, quietly } from '../messaging/quiet.ts';
import { withBaggageId } from '../traces/propagation.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';
import { type Method, patch } from './patch.ts';

type Prototype = Record<string, Method>;

interface BullMQ {
  readonly Queue: { readonly prototype: Prototype };
  readonly Worker: { readonly prototype: Prototype };
  readonly FlowProducer?: { readonly prototype: Prototype };
}

/**
 * BullMQ. Trace context and correlation id travel in the job's options, where BullMQ's telemetry interface keeps them, in
 * the form of its OpenTelemetry package: producers and workers of both understand each other. An app that gives `telemetry`
 * itself keeps the spans of that; metrics and the correlation id are the kit's all the same.
 *
 * Jobs that repeat carry nothing: each of their runs is a trace of its own.
 *
 * @see https://docs.bullmq.io/guide/telemetry
 */
export const bullmq = defineLibrary<BullMQ>({
  name: 'bullmq',
  gives:
    'One trace from the producer to the last attempt of a job, the correlation id in its processor, duration and results of attempts, dead letters by category, job counts and age of the oldest waiting job of each queue, health of the connection.',
  packages: { bullmq: '>=5.0.0 <7.0.0' },
  accepts: (exports): exports is BullMQ =>
    isExports(exports) && isExports(exports.Queue) && isExports(exports.Worker) && isExports(exports.Queue.prototype),
  wire({ Queue, Worker, FlowProducer }, kit) {
    const messages = createMessages(kit);
    const recorder = recordJobs(kit, messages, 'bullmq');
    const watch = watchQueues(kit, 'bullmq', Queue.prototype as unknown as Getters);

    /** Queues and flows hand jobs over; `write` puts the fields into the arguments. */
    function producer(
      describe: (self: any, args: any[]) => Sending,
      write: (args: any[], metadata: string) => any[],
    ): (original: Method) => Method {
      return (original) =>
        function (this: any, ...args) {
          if (this.name !== undefined) watch.note(this);
          const sending = describe(this, args);
          if (this.opts?.telemetry !== undefined || this.telemetry !== undefined) {
            const context = active();
            const carrying = withBaggageId(context, correlationIdOf(context));
            return messages.count(
              sending,
              storage.run(carrying, () => original.apply(this, args)),
            );
          }
          return messages.send(sending, (fields) => {
            const metadata = metadataOf(fields);
            return original.apply(this, metadata === undefined ? args : write(args, metadata));
          });
        };
    }

    const undos: Undo[] = [
      patch(
        Queue.prototype,
        'add',
        producer(
          (queue: Owner, [name]) => single('bullmq', labelOf(queue.name, queue.opts?.prefix), name),
          ([name, data, opts, ...rest], metadata) => [name, data, carrying(opts, metadata), ...rest],
        ),
      ),
      patch(
        Queue.prototype,
        'addBulk',
        producer(
          (queue: Owner, [jobs]) => {
            const name = labelOf(queue.name, queue.opts?.prefix);
            return batch('bullmq', 'addBulk', name, Array.isArray(jobs) ? jobs.map(() => name) : []);
          },
          ([jobs, ...rest], metadata) => [allCarrying(jobs, metadata), ...rest],
        ),
      ),
      patch(Queue.prototype, 'waitUntilReady', (original) => noting(original)),
      patch(Queue.prototype, 'emit', listeners()),
      patch(Worker.prototype, 'waitUntilReady', (original) => noting(original)),
      patch(
        Worker.prototype,
        'run',
        (original) =>
          function (this: any, ...args) {
            watch.note(this);
            // Polling belongs to no request, not even to the one in which the worker was made.
            return this.opts?.telemetry === undefined ? quietly(ROOT, original, this, args) : original.apply(this, args);
          },
      ),
      patch(
        Worker.prototype,
        'callProcessJob',
        (original) =>
          function (this: any, ...args) {
            const [job] = args;
            return isExports(job)
              ? recorder.attempt(this, job as unknown as Job, () => original.apply(this, args))
              : original.apply(this, args);
          },
      ),
      patch(
        Worker.prototype,
        'emit',
        listeners((worker, [event, subject, error]) => recorder.event(worker, event, subject, error)),
      ),
    ];
    if (FlowProducer !== undefined) {
      undos.push(
        patch(
          FlowProducer.prototype,
          'add',
          producer(
            (flows: Owner, [flow]) => ofFlows('addFlow', flows, [flow]),
            ([flow, ...rest], metadata) => [carryingNode(flow, metadata), ...rest],
          ),
        ),
        patch(
          FlowProducer.prototype,
          'addBulk',
          producer(
            (producer: Owner, [flows]) => ofFlows('addBulkFlows', producer, flows),
            ([flows, ...rest], metadata) => [
              Array.isArray(flows) ? flows.map((flow) => carryingNode(flow, metadata)) : flows,
              ...rest,
            ],
          ),
        ),
      );
    }
    return together([...undos, () => watch.stop()]);

    function noting(original: Method): Method {
      return function (this: any, ...args) {
        watch.note(this);
        return original.apply(this, args);
      };
    }

    /** Listeners are the app's code: they run in the context of the job that they are told of. */
    function listeners(note?: (self: any, args: any[]) => void): (original: Method) => Method {
      return (original) =>
        function (this: any, ...args) {
          try {
            note?.(this, args);
          } catch {
            // An event that says something else than we know is the listeners' affair.
          }
          const context = recorder.contextOf(args[1]) ?? aloud();
          return callIn(context, original, this, args);
        };
    }
  },
});

function ofFlows(operation: string, producer: Owner, flows: unknown): Sending {
  const destinations: string[] = [];
  const visit = (nodes: unknown): void => {
    if (!Array.isArray(nodes)) return;
    for (const node of nodes) {
      if (!isExports(node)) continue;
      const { queueName, prefix, children } = node as Partial<FlowNode> & { readonly prefix?: string };
      destinations.push(labelOf(String(queueName), prefix ?? producer.opts?.prefix));
      visit(children);
    }
  };
  visit(flows);
  return batch('bullmq', operation, destinations[0] ?? '', destinations);
}

function carryingNode(node: FlowNode, metadata: string): FlowNode {
  if (!isExports(node)) return node;
  const children = Array.isArray(node.children) ? node.children.map((child) => carryingNode(child, metadata)) : node.children;
  return { ...node, opts: carrying(node.opts, metadata), children };
}
