import { AsyncLocalStorage } from 'node:async_hooks';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Config, otlpTarget } from '../config.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import { createRedactor } from '../redaction.ts';
import type { Resource } from '../resource.ts';
import { show } from '../settings.ts';
import { BufferPool } from './buffers.ts';
import { createSpanEncoder } from './otlp-json.ts';
import { FLUSHED, type FromWorker, type ToWorker, UNDELIVERED, type WorkerStart } from './protocol.ts';
import { ExportQueue } from './queue.ts';
import type { LogItem, SinkSettings } from './sink.ts';
import type { SpanRecord } from './span-record.ts';
import { SpanStock } from './span-stock.ts';
import type { ExportStats, Shipped } from './stats.ts';
import { ListStock } from './stock.ts';

/** Starts of the export thread in a minute. */
const MOST_STARTS = 5;
const MINUTE_MS = 60_000;
/** Lines are posted to the export thread in small pieces, so that copying one never holds the event loop. */
const MOST_LINES = 64;
/** As many spans as may go at once; as a rule their memory is full before. */
const MOST_SPANS = 128;
/**
 * Items wait here for company at most this long, and in the export thread for the rest of their delay: each hand-over wakes
 * a thread, which costs a quiet service more than all else. An item is no safer there, it is the same process.
 */
const HANDOVER_MS = 500;
/**
 * What completes the resource is waited for this often and this long, some two seconds in all. In turns of the event loop and
 * not by the clock: an app that is busy while it starts holds up what is waited for as well.
 */
const HOLD_TURNS = 100;
const HOLD_TURN_MS = 20;

/** The way out of the process: two bounded queues and one thread that exports them. */
export interface Shipper {
  readonly spans: { push(span: SpanRecord): void };
  readonly logs: { push(line: LogItem): void };
  /**
   * Hands nothing over before the promise is settled: the export thread starts with the resource as it is then. A flush
   * does not wait for it.
   */
  hold(until: Promise<unknown>): void;
  /** Resolves when all that was recorded so far is settled, or after `timeoutMs`. Never rejects. */
  flush(timeoutMs: number, options?: { last?: boolean }): Promise<void>;
  /** The same for a process that is ending: blocks the thread. Returns how many items were not delivered. */
  flushSync(timeoutMs: number): number;
  stop(): Promise<void>;
}

interface Dependencies {
  readonly config: Config;
  readonly diagnostics: Diagnostics;
  readonly resource: Resource;
  readonly stats: ExportStats;
  /** Folder of the built files, for the thread's own. */
  readonly dist: string;
}

export function createShipper({ config, diagnostics, resource, stats, dist }: Dependencies): Shipper {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const waiting = new Map<number, () => void>();
  const buffers = new BufferPool();
  const encode = createSpanEncoder(createRedactor(config.redactKeys));
  // A thread is started for the first span, in the middle of a request, whose stores its ports would hold as long as it lives.
  const outside = AsyncLocalStorage.snapshot();
  const handoverMs = Math.min(HANDOVER_MS, config.bspDelay / 2, config.blrpDelay / 2);
  let timer: NodeJS.Timeout | undefined;
  const queues = {
    traces: new ExportQueue(
      config.bspQueue,
      later,
      stats.traces,
      new SpanStock(encode, Math.min(MOST_SPANS, config.bspBatch), buffers),
      (items) =>
        post(
          { type: 'traces', items },
          items.map(({ spans }) => spans.buffer),
        ),
    ),
    logs: new ExportQueue(
      config.blrpQueue,
      later,
      stats.logs,
      new ListStock<LogItem>(Math.min(MOST_LINES, config.blrpBatch)),
      (items) => post({ type: 'logs', items }),
    ),
  };
  let worker: Worker | undefined;
  let starts = 0;
  let startedAt = 0;
  let flushes = 0;

  /** One timer for both signals, so that the thread is woken once for what both have. */
  function later(): void {
    if (timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      queues.traces.due();
      queues.logs.due();
    }, handoverMs).unref();
  }

  function running(): Worker | undefined {
    return worker ?? outside(start);
  }

  function start(): Worker | undefined {
    if (performance.now() - startedAt > MINUTE_MS) starts = 0;
    if (starts >= MOST_STARTS) return undefined;
    starts++;
    startedAt = performance.now();
    try {
      const workerData: WorkerStart = {
        traces: sinkSettings('traces', config.bspQueue, config.bspBatch, config.bspDelay),
        logs: sinkSettings('logs', config.blrpQueue, config.blrpBatch, config.blrpDelay),
        shared: shared.buffer as SharedArrayBuffer,
      };
      // Nothing is inherited: with the app's flags and NODE_OPTIONS the thread would run the preload again, without end.
      const thread = new Worker(join(dist, 'worker.cjs'), {
        name: 'o11y-kit export',
        argv: [],
        execArgv: [],
        env: { OTEL_NODE_RESOURCE_DETECTORS: 'none' },
        stdout: true,
        stderr: true,
        workerData,
        // Most of what it makes lives for one export: with the usual 16 MB it would only collect later.
        resourceLimits: { maxYoungGenerationSizeMb: 6 },
      });
      thread.on('message', receive);
      // A thread that throws ends as well, which is told a moment later, when the next one may have been started.
      const gone = (why: string) => {
        if (worker === thread) lost(why);
      };
      thread.on('error', (error) => gone(reason(error)));
      thread.on('exit', (code) => gone(`it ended with code ${code}`));
      // After the listeners: the first one for messages makes the thread's port keep the process alive again.
      thread.unref();
      worker = thread;
    } catch (error) {
      lost(reason(error));
    }
    return worker;
  }

  function sinkSettings(signal: Shipped, queueSize: number, batchSize: number, delayMs: number): SinkSettings {
    return {
      target: otlpTarget(config, signal),
      resource: resource.attributes,
      queueSize,
      batchSize: Math.min(batchSize, queueSize),
      delayMs: delayMs - handoverMs,
      certificates: { ca: config.certificate, key: config.clientKey, cert: config.clientCertificate },
      redactKeys: config.redactKeys,
    };
  }

  function lost(why: string): void {
    worker = undefined;
    queues.traces.lost();
    queues.logs.lost();
    stats.healthy = false;
    stats.lastError = `export thread: ${why}`;
    for (const done of waiting.values()) done();
    waiting.clear();
    const next =
      starts < MOST_STARTS
        ? 'It is started again with the next span or log line.'
        : 'Spans and log lines are dropped and counted for a minute.';
    diagnostics.warn(`O11Y_WORKER: the export thread is gone (${why}). ${next}`, 'worker');
  }

  function post(message: ToWorker, transfer: ArrayBuffer[] = []): boolean {
    const thread = running();
    if (!thread) return false;
    try {
      thread.postMessage(message, transfer);
      return true;
    } catch (error) {
      diagnostics.warn(`telemetry could not be copied to the export thread and is dropped: ${reason(error)}`, 'clone');
      return false;
    }
  }

  function receive(message: FromWorker): void {
    if (message.type === 'flushed') {
      waiting.get(message.id)?.();
      waiting.delete(message.id);
      return;
    }
    const { signal, exported, dropped, seconds, error } = message;
    buffers.recycle(message.spent);
    queues[signal].settle(exported, dropped, message.reason ?? 'export_failed');
    stats.onExport?.(signal, seconds);
    stats.healthy = error === undefined;
    stats.lastError = error;
    if (error !== undefined) {
      const { url } = otlpTarget(config, signal);
      diagnostics.warn(
        `${dropped} ${signal === 'traces' ? 'spans' : 'log records'} could not be delivered to ${show(url)}: ${error}`,
        `export ${signal}`,
      );
    }
  }

  function begin(timeoutMs: number, last: boolean): number | undefined {
    queues.traces.drain();
    queues.logs.drain();
    if (queues.traces.outstanding + queues.logs.outstanding === 0) return undefined;
    const id = ++flushes;
    return post({ type: 'flush', id, timeoutMs, last }) ? id : undefined;
  }

  return {
    spans: { push: (span) => queues.traces.push(span) },
    logs: { push: (line) => queues.logs.push(line) },
    hold(until) {
      const releases = Object.values(queues).map((queue) => queue.hold());
      const release = () => {
        for (const one of releases.splice(0)) one();
      };
      let turns = 0;
      const wait = () => {
        if (++turns > HOLD_TURNS) release();
        else if (releases.length > 0) setTimeout(wait, HOLD_TURN_MS).unref();
      };
      wait();
      until.then(release, release);
    },
    flush(timeoutMs, { last = false } = {}) {
      const id = begin(timeoutMs, last);
      if (id === undefined) return Promise.resolve();
      return new Promise((resolve) => {
        // The thread keeps its own time; this one is for a thread that hangs. What the process waits for, the caller decides.
        const timer = setTimeout(done, timeoutMs + 100).unref();
        function done() {
          clearTimeout(timer);
          waiting.delete(id as number);
          if (last) for (const queue of Object.values(queues)) queue.giveUp();
          resolve();
        }
        waiting.set(id, done);
      });
    },
    flushSync(timeoutMs) {
      const id = begin(timeoutMs, true);
      if (id === undefined) return queues.traces.outstanding + queues.logs.outstanding;
      const deadline = Date.now() + timeoutMs + 50;
      for (let seen = Atomics.load(shared, FLUSHED); seen < id; seen = Atomics.load(shared, FLUSHED)) {
        const left = deadline - Date.now();
        if (left <= 0) return queues.traces.outstanding + queues.logs.outstanding;
        Atomics.wait(shared, FLUSHED, seen, left);
      }
      return Atomics.load(shared, UNDELIVERED);
    },
    async stop() {
      clearTimeout(timer);
      const thread = worker;
      worker = undefined;
      thread?.removeAllListeners();
      await thread?.terminate();
    },
  };
}
