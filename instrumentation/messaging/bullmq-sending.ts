import type { BulkJob, Job, JobOptions, JobSystem } from './bullmq-types.ts';
import type { Fields } from './carrier.ts';
import type { Sending } from './messages.ts';

export function single(system: JobSystem, queue: string, name: unknown): Sending {
  return {
    to: { system, name: queue },
    operation: 'add',
    attributes: { [`${system}.job.name`]: String(name) },
    describe: (job: Job) => ({ 'messaging.message.id': job?.id }),
  };
}

/** @param destinations the queue of each job */
export function batch(system: JobSystem, operation: string, name: string, destinations: readonly string[]): Sending {
  const counts = new Map<string, number>();
  for (const destination of destinations) counts.set(destination, (counts.get(destination) ?? 0) + 1);
  const attributes = { 'messaging.batch.message_count': destinations.length };
  return { to: { system, name }, operation, counts, attributes };
}

export function metadataOf(fields: Fields): string | undefined {
  return Object.keys(fields).length === 0 ? undefined : JSON.stringify(fields);
}

/** The options of a job with the metadata in them. A copy: the app may use one object for many jobs. */
export function carrying(opts: JobOptions | undefined, metadata: string): JobOptions | undefined {
  if (opts?.repeat || opts?.telemetry?.omitContext || opts?.telemetry?.metadata !== undefined) return opts;
  return { ...opts, telemetry: { ...opts?.telemetry, metadata } };
}

export function allCarrying(jobs: unknown, metadata: string): unknown {
  return Array.isArray(jobs) ? jobs.map((job: BulkJob) => ({ ...job, opts: carrying(job.opts, metadata) })) : jobs;
}
