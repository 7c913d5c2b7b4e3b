/**
 * BullMQ's classes, as far as the kit touches them; what 5.0 and 6 have in common. Bull keeps its jobs in the same way, its
 * queues are given this shape.
 */

/** `messaging.system`, and the first word of its own attributes. */
export type JobSystem = 'bullmq' | 'bull';

export interface JobOptions {
  readonly attempts?: number;
  readonly repeat?: unknown;
  readonly telemetry?: { readonly metadata?: unknown; readonly omitContext?: boolean };
  /** The metadata, as versions that know it write it, read by one that does not. */
  readonly tm?: unknown;
}

export interface Job {
  readonly id?: string;
  readonly name: string;
  readonly opts?: JobOptions;
  /** Milliseconds since the epoch at which it was added. */
  readonly timestamp?: number;
  /** Finished attempts. */
  readonly attemptsMade?: number;
  /** Set once the job has completed, or failed for good. */
  readonly finishedOn?: number;
}

export interface Client {
  /** ioredis. */
  readonly status?: unknown;
  /** node-redis. */
  readonly isReady?: unknown;
  hmget?(key: string, ...fields: string[]): Promise<readonly (string | null)[]>;
}

interface Connection {
  readonly _client?: Client;
}

/** A Queue or a Worker. */
export interface Owner {
  readonly name: string;
  readonly opts?: { readonly prefix?: string; readonly telemetry?: unknown };
  readonly closing?: unknown;
  /** Up to 5. */
  readonly connection?: Connection;
  /** From 6 on. */
  readonly backend?: { readonly connection?: Connection };
  toKey(type: string): string;
}

/** What only a Queue has. */
export interface Getters {
  getJobCounts(): Promise<Readonly<Record<string, number>>>;
  getRanges(types: readonly string[], start: number, end: number, asc: boolean): Promise<readonly string[]>;
}

export interface BulkJob {
  readonly name: string;
  readonly data: unknown;
  readonly opts?: JobOptions;
}

export interface FlowNode {
  readonly name: string;
  readonly queueName: string;
  readonly opts?: JobOptions;
  readonly children?: readonly FlowNode[];
}

/** The connection's client, without waiting for it. */
export function clientOf(owner: Owner): Client | undefined {
  return (owner.connection ?? owner.backend?.connection)?._client;
}

/** Whether commands would be sent at once, undefined where the client does not say. */
export function isConnected(client: Client | undefined): boolean | undefined {
  if (typeof client?.status === 'string') return client.status === 'ready' || client.status === 'connect';
  return typeof client?.isReady === 'boolean' ? client.isReady : undefined;
}

/**
 * The `queue` label: the queue's name, with the prefix before it if that is not the usual one. Braces, which keep a queue
 * on one node of a cluster, are no part of the name.
 */
export function labelOf(name: string, prefix: string | undefined): string {
  const plain = (prefix ?? 'bull').replace(/[{}]/g, '');
  return plain === 'bull' ? name : `${plain}:${name}`;
}
