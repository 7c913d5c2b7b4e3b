import type { KitContext } from '../context.ts';
import { storage } from '../context.ts';
import { errorCategory } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import { METRICS } from '../names.ts';
import { type Job, type JobSystem, labelOf, type Owner } from './bullmq-types.ts';
import type { Carrier } from './carrier.ts';
import type { Messages, Processing } from './messages.ts';

/** What workers do with jobs. */
export interface JobRecorder {
  /** Runs one attempt of a job. */
  attempt<T>(worker: Owner, job: Job, run: () => T): T;
  /** Notes an event of a worker. */
  event(worker: Owner & Listening, event: unknown, subject: unknown, error: unknown): void;
  /** The context of a job's last attempt in this process, for listeners that are told of it. */
  contextOf(subject: unknown): KitContext | undefined;
}

interface Listening {
  listenerCount(event: string): number;
}

/** Thrown by a processor to put its job off; by message, where it is only that. */
const PUT_OFF = new Set(['DelayedError', 'WaitingError', 'WaitingChildrenError', 'RateLimitError', 'bullmq:rateLimitExceeded']);

export function recordJobs(kit: Kit, messages: Messages, system: JobSystem): JobRecorder {
  const jobs = kit.metrics.counter(METRICS.bullmqJobs);
  const deadLettered = kit.metrics.counter(METRICS.bullmqDeadLettered);
  const contexts = new WeakMap<object, KitContext>();

  function attempt<T>(worker: Owner, job: Job, run: () => T): T {
    const processing: Processing = {
      from: { system, name: labelOf(worker.name, worker.opts?.prefix) },
      attributes: attributesOf(system, job),
      origin: (carrier) => originOf(carrier, worker, job),
      onContext: (context) => contexts.set(job, context),
      isFailure: (error) => !isPutOff(error),
    };
    // The app has given the worker a telemetry of its own: its spans are that one's.
    return worker.opts?.telemetry === undefined ? messages.process(processing, run) : messages.measure(processing, run);
  }

  function originOf(carrier: Carrier, { name }: Owner, job: Job): KitContext {
    const origin = carrier.read(readMetadata(job));
    // A job of a producer that knows no correlation ids: all of its attempts get the same.
    const made = `${name}:${job.id}`.replace(/[^A-Za-z0-9._:-]/g, '_').slice(0, 128);
    return origin.correlationId === undefined ? origin.withCorrelationId(made) : origin;
  }

  function event(worker: Owner & Listening, name: unknown, subject: unknown, error: unknown): void {
    const queue = labelOf(worker.name, worker.opts?.prefix);
    if (name === 'completed') jobs.inc({ queue, result: 'completed' });
    else if (name === 'stalled') jobs.inc({ queue, result: 'stalled' });
    else if (name === 'failed') {
      const job = subject as Job | undefined;
      // A job that has stalled too often may be gone by the time that this is told.
      const final = job == null || typeof job.finishedOn === 'number';
      jobs.inc({ queue, result: final ? 'failed' : 'retried' });
      if (!final) return;
      deadLettered.inc({ queue, error_category: errorCategory(error) });
      if (worker.listenerCount('failed') === 0) tell(queue, job, error);
    }
  }

  /** Nobody else will say it: an app that wants to know listens to `failed`. */
  function tell(queue: string, job: Job | undefined, error: unknown): void {
    const line = () =>
      kit.logs.logger.error(
        { component: system, queue, job_id: job?.id, job_name: job?.name, attempts: job?.attemptsMade, err: error },
        `job ${job?.name ?? ''} ${job?.id ?? ''} of queue ${queue} has failed for good`,
      );
    const context = contextOf(job);
    if (context === undefined) line();
    else storage.run(context, line);
  }

  function contextOf(subject: unknown): KitContext | undefined {
    return typeof subject === 'object' && subject !== null ? contexts.get(subject) : undefined;
  }

  return { attempt, event, contextOf };
}

function attributesOf(system: JobSystem, job: Job) {
  return {
    'messaging.message.id': job.id,
    [`${system}.job.name`]: job.name,
    [`${system}.job.attempt`]: (job.attemptsMade ?? 0) + 1,
    [`${system}.job.attempts`]: job.opts?.attempts ?? 1,
    [`${system}.job.age_ms`]: job.timestamp === undefined ? undefined : Math.max(0, Date.now() - job.timestamp),
  };
}

/** What the producer wrote, as BullMQ's own telemetry interface does: a JSON object of header names and values. */
function readMetadata({ opts }: Job): Record<string, string> {
  const metadata = opts?.telemetry?.metadata ?? opts?.tm;
  if (typeof metadata !== 'string') return {};
  try {
    const fields: unknown = JSON.parse(metadata);
    return typeof fields === 'object' && fields !== null ? (fields as Record<string, string>) : {};
  } catch {
    return {};
  }
}

function isPutOff(error: unknown): boolean {
  try {
    const { name, message } = error as { name?: unknown; message?: unknown };
    return PUT_OFF.has(String(name)) || PUT_OFF.has(String(message));
  } catch {
    return false;
  }
}
