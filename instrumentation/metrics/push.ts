import { Worker } from 'node:worker_threads';
import { type Config, otlpTarget } from '../config.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import type { SinkSettings } from '../export/sink.ts';
import { METRICS } from '../names.ts';
import type { Resource } from '../resource.ts';
import { show } from '../settings.ts';
import { Slice } from './pause.ts';
import type { KitRegistry } from './registry.ts';
import type { Family, Sample } from './types.ts';

/** `workerData` of the thread that pushes metrics. */
export interface PushStart {
  readonly settings: Pick<SinkSettings, 'target' | 'resource' | 'certificates'>;
  readonly intervalMs: number;
  /** When the counting began, in milliseconds since the epoch. */
  readonly startedAt: number;
}

/** Main thread to pushing thread. A family comes in pieces, so that copying one never holds the event loop. */
export type ToPusher =
  | { readonly type: 'family'; readonly round: number; readonly family: Family & { readonly samples: readonly Sample[] } }
  | { readonly type: 'end'; readonly round: number }
  | { readonly type: 'flush'; readonly id: number };

/** Pushing thread to main thread. */
export type FromPusher =
  | { readonly type: 'collect'; readonly round: number }
  | { readonly type: 'pushed'; readonly points: number; readonly seconds: number; readonly error?: string }
  | { readonly type: 'flushed'; readonly id: number };

const PIECE = 256;

export interface Push {
  start(): () => void;
  /** Resolves when what stands on the page now was pushed, or after `timeoutMs`. Never rejects. */
  flush(timeoutMs: number): Promise<void>;
}

interface Dependencies {
  readonly config: Config;
  readonly diagnostics: Diagnostics;
  readonly resource: Pick<Resource, 'attributes'>;
  readonly registry: KitRegistry;
  /** The built file of push-worker.ts. */
  readonly worker: string;
  families(): Promise<Iterable<Family>>;
}

/**
 * The page, pushed over OTLP in the interval that OpenTelemetry's settings say, for backends that do not scrape. The timer,
 * the serialising and the sending live in a thread of their own, so none of them keeps the app alive or holds it up.
 */
export function createPush({ config, diagnostics, resource, registry, worker: file, families }: Dependencies): Push {
  const exported = registry.counter(METRICS.exported);
  const dropped = registry.counter(METRICS.dropped);
  const duration = registry.histogram(METRICS.exportDuration);
  const waiting = new Map<number, () => void>();
  const target = otlpTarget(config, 'metrics');
  let worker: Worker | undefined;
  let flushes = 0;

  function receive(message: FromPusher): void {
    if (message.type === 'collect') void collect(message.round);
    else if (message.type === 'flushed') waiting.get(message.id)?.();
    else {
      const { points, seconds, error } = message;
      duration.observe({ signal: 'metrics' }, seconds);
      if (error === undefined) exported.inc({ signal: 'metrics' }, points);
      else {
        dropped.inc({ signal: 'metrics', reason: 'export_failed' }, points);
        diagnostics.warn(
          `metrics could not be delivered to ${show(target.url)}: ${error}. They are sent again next time.`,
          'push',
        );
      }
    }
  }

  async function collect(round: number): Promise<void> {
    const post = (message: ToPusher) => worker?.postMessage(message);
    try {
      const slice = new Slice();
      for (const family of await families()) {
        let samples: Sample[] = [];
        for (const sample of family.samples) {
          samples.push(sample);
          if (samples.length < PIECE && !slice.over()) continue;
          post({ type: 'family', round, family: { ...family, samples } });
          samples = [];
          await slice.pause();
        }
        if (samples.length > 0) post({ type: 'family', round, family: { ...family, samples } });
      }
    } catch (error) {
      diagnostics.warn(`O11Y_METRIC: metrics could not be collected for the push: ${reason(error)}.`, 'push collect');
    }
    post({ type: 'end', round });
  }

  function lost(why: string): void {
    worker = undefined;
    for (const done of waiting.values()) done();
    diagnostics.warn(
      `O11Y_WORKER: the thread that pushes metrics is gone (${why}); metrics are not pushed any more.`,
      'push thread',
    );
  }

  return {
    start() {
      const certificates = { ca: config.certificate, key: config.clientKey, cert: config.clientCertificate };
      const workerData: PushStart = {
        settings: { target, resource: resource.attributes, certificates },
        intervalMs: config.metricExportInterval,
        startedAt: Date.now(),
      };
      try {
        // Nothing is inherited: with the app's flags the thread would run the preload again, without end.
        const started = new Worker(file, {
          name: 'o11y-kit metrics',
          argv: [],
          execArgv: [],
          env: {},
          stdout: true,
          stderr: true,
          workerData,
        });
        worker = started;
        started.on('message', receive);
        started.on('error', (error) => lost(reason(error)));
        // After the listeners: adding one for messages would make the thread keep the process alive again.
        started.unref();
      } catch (error) {
        lost(reason(error));
      }
      return () => {
        const thread = worker;
        worker = undefined;
        thread?.removeAllListeners();
        void thread?.terminate();
      };
    },
    flush(timeoutMs) {
      const thread = worker;
      if (thread === undefined) return Promise.resolve();
      return new Promise((resolve) => {
        const id = ++flushes;
        // Referenced: it may be all that keeps the process until the push is done.
        const timer = setTimeout(done, timeoutMs);
        function done() {
          clearTimeout(timer);
          waiting.delete(id);
          resolve();
        }
        waiting.set(id, done);
        thread.postMessage({ type: 'flush', id } satisfies ToPusher);
      });
    },
  };
}
