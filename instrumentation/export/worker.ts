import { parentPort, workerData } from 'node:worker_threads';
import { FLUSHED, type FromWorker, type ToWorker, UNDELIVERED, type WorkerStart } from './protocol.ts';
import type { Report, Sink } from './sink.ts';
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
  traces: () => {
    const report = reporter('traces');
    return orNowhere(
      () => createTraceSink(traces, report),
      report,
      (runs) => runs.reduce((sum, { count }) => sum + count, 0),
    );
  },
  logs: () => {
    const report = reporter('logs');
    return orNowhere(
      () => createLogSink(logs, report),
      report,
      (items) => items.length,
    );
  },
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
  return (result, spent = []) => {
    pending[signal] -= result.exported + result.dropped;
    port.postMessage({ type: 'report', signal, spent, ...result } satisfies FromWorker, [...spent]);
  };
}

async function flush({ id, timeoutMs, last }: Extract<ToWorker, { type: 'flush' }>): Promise<void> {
  const work = (['traces', 'logs'] as const)
    .filter((signal) => pending[signal] > 0)
    .map((signal) => {
      const flushed = sinks[signal].flush(timeoutMs);
      // Retrying against a backend that is not there would only hold up a process that is ending.
      return last ? Promise.race([flushed, unreachable((signal === 'traces' ? traces : logs).target.url)]) : flushed;
    });
  await Promise.all(work);
  Atomics.store(slots, UNDELIVERED, pending.traces + pending.logs);
  Atomics.store(slots, FLUSHED, id);
  Atomics.notify(slots, FLUSHED);
  port.postMessage({ type: 'flushed', id } satisfies FromWorker);
}

/** What cannot be set up (a certificate that cannot be read) costs its signal, with the reason, and not the thread. */
function orNowhere<T>(make: () => Sink<T>, report: Report, count: (items: readonly T[]) => number): Sink<T> {
  try {
    return make();
  } catch (error) {
    return {
      write: (items) =>
        report({ exported: 0, dropped: count(items), reason: 'export_failed', error: (error as Error).message, seconds: 0 }),
      flush: async () => {},
    };
  }
}

/** A signal that is never used costs nothing. */
function lazily<T extends Record<string, () => unknown>>(make: T): { readonly [K in keyof T]: ReturnType<T[K]> } {
  const made: Record<string, unknown> = {};
  return new Proxy({} as { readonly [K in keyof T]: ReturnType<T[K]> }, {
    get: (_, key: string) => (made[key] ??= make[key]()),
  });
}
