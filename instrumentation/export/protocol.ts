import type { LogItem, Outcome, SinkSettings, SpanRun } from './sink.ts';
import type { Shipped } from './stats.ts';

/** `workerData` of the export thread. */
export interface WorkerStart {
  readonly traces: SinkSettings;
  readonly logs: SinkSettings;
  /** Int32: see {@link FLUSHED} and {@link UNDELIVERED}. */
  readonly shared: SharedArrayBuffer;
}

/** Slots of the shared memory, with which a process that is ending waits for the export thread without an event loop. */
export const FLUSHED = 0;
export const UNDELIVERED = 1;

/** Main thread to export thread. */
export type ToWorker =
  | { readonly type: 'traces'; readonly items: readonly SpanRun[] }
  | { readonly type: 'logs'; readonly items: readonly LogItem[] }
  /** Send everything; answer within `timeoutMs`. `last`: the process is ending, so an unreachable backend is given up at once. */
  | { readonly type: 'flush'; readonly id: number; readonly timeoutMs: number; readonly last: boolean };

/** Export thread to main thread. */
export type FromWorker =
  | ({ readonly type: 'report'; readonly signal: Shipped; readonly spent: readonly ArrayBuffer[] } & Outcome)
  | { readonly type: 'flushed'; readonly id: number };
