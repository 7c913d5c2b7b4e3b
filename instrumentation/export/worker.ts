import { parentPort, workerData } from 'node:worker_threads';
import { FLUSHED, type FromWorker, type ToWorker, UNDELIVERED, type WorkerStart } from './protocol.ts';
import type { Report } from './sink.ts';
import type { Shipped } from './stats.ts';
import { unreachable } from './worker-http.ts';
import { createLogSink } from './worker-logs.ts';
import { createTraceSink } from './worker-traces.ts';

// The export thread. Its main loop is one port; the signals' sinks hold OpenTelemetry's exporters.
const { traces, logs, shared } = workerData as WorkerStart;
const slots = new Int32Array(shared);
const port = parentPort!;
const pending = { traces: 0, logs: 0 };

const sinks = lazily({
  traces: () => createTraceSink(traces, reporter('traces')),
  logs: () => createLogSink(logs, reporter('logs')),
});

port.on('message', (message: ToWorker) => {
  if (message.type === 'flush') {
    flush(message);
    return;
  }
  if (message.type === 'traces') {
    for (const { count } of message.items) pending.traces += count;
    sinks.traces.write(message.items);
  } else {
    pending.logs += message.items.length;
    sinks.logs.write(message.items);
  }
});

function reporter(signal: Shipped): Report {
  return (result) => {
    pending[signal] -= result.exported + result.dropped;
    port.postMessage({ type: 'report', signal, ...result } satisfies FromWorker);
  };
}

async function flush({ id, timeoutMs, last }: Extract<ToWorker, { type: 'flush' }>): Promise<void> {
  const work: Promise<unknown>[] = [];
  const targets = new Set<string>();
  for (const signal of ['traces', 'logs'] as const) {
    if (pending[signal] === 0) continue;
    work.push(sinks[signal].flush(timeoutMs));
    targets.add((signal === 'traces' ? traces : logs).target.url);
  }
  // Retrying against a backend that is not there would only hold up a process that is ending.
  const hopeless = last ? [Promise.all([...targets].map(unreachable))] : [];
  await Promise.race([Promise.all(work), ...hopeless]);
  Atomics.store(slots, UNDELIVERED, pending.traces + pending.logs);
  Atomics.store(slots, FLUSHED, id);
  Atomics.notify(slots, FLUSHED);
  port.postMessage({ type: 'flushed', id } satisfies FromWorker);
}

/** A signal that is never used costs nothing. */
function lazily<T extends Record<string, () => unknown>>(make: T): { readonly [K in keyof T]: ReturnType<T[K]> } {
  const made: Record<string, unknown> = {};
  return new Proxy({} as { readonly [K in keyof T]: ReturnType<T[K]> }, {
    get: (_, key: string) => (made[key] ??= make[key]()),
  });
}
