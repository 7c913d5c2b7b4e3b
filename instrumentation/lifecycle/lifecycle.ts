import type { Context } from '@opentelemetry/api';
import type { Config } from '../config.ts';
import { active, storage } from '../context.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import type { Health } from '../health/health.ts';
import type { Listening } from '../health/listening.ts';
import { heapLimit, nodeFlags } from '../heap-limit.ts';
import { isStrict, type UnhandledKind, watchCrashes } from './crash.ts';
import { drain } from './drain.ts';
import { watchHeap } from './heap.ts';
import { hookProcessEmit } from './process-emit.ts';
import { watchReadiness } from './readiness.ts';
import { watchSignals } from './signals.ts';

export type { UnhandledKind } from './crash.ts';

/** What is kept of the whole bound for the flush, where requests in flight would use it all up. Milliseconds. */
const FLUSH_RESERVE_MS = 1000;
/** A heap that is nearly full may never let the event loop turn again, so this flush blocks; but not for long. */
const HEAP_FLUSH_MS = 1000;

export interface LifecycleDeps {
  readonly config: Pick<Config, 'shutdownDelayMs' | 'shutdownTimeoutMs' | 'surroundings'>;
  readonly diagnostics: Diagnostics;
  readonly health: Pick<Health, 'phase' | 'setPhase'>;
  readonly listening: Pick<Listening, 'asked' | 'isServer' | 'servers'>;
  /** Where the lines about the end go; without it, the kit's own messages. */
  readonly logs?: { lifecycle(level: 'info' | 'error' | 'fatal', msg: string, fields: Record<string, unknown>): void };
  /**
   * Delivers what was recorded. Resolves when that is done, at the latest after `timeoutMs`. It is not to keep the process
   * alive: where the process is to wait for it, that is seen to here.
   *
   * @param options.last the process ends after this: no time for retries
   */
  flush(timeoutMs: number, options: { last: boolean }): Promise<void>;
  /** The same without the event loop: blocks until it is done, at most `timeoutMs`. */
  flushSync(timeoutMs: number): void;
  countUnhandled(kind: UnhandledKind): void;
  /** The process is about to end by this error. @returns the context of the request in which it was thrown, if it was in one */
  onCrash?(error: unknown): Context | undefined;
  /** Right before the process ends: frees what would outlive it, such as the announced scrape address. */
  onEnd?(): void;
}

/**
 * Watches over the life of the process without changing how it ends: the same exit code or signal, at most
 * `O11Y_SHUTDOWN_TIMEOUT_MS` later. Health goes from starting to ready, and to draining when the end begins.
 */
export function startLifecycle(deps: LifecycleDeps): () => void {
  const {
    config,
    diagnostics,
    health,
    listening,
    logs,
    flush,
    flushSync,
    countUnhandled,
    onCrash = () => undefined,
    onEnd = () => {},
  } = deps;
  const { shutdownDelayMs, shutdownTimeoutMs } = config;

  const signals = watchSignals({
    end: async (signal) => {
      health.setPhase('draining');
      // The stdout of a script belongs to whoever reads it.
      if (listening.isServer()) line('info', `${signal}: stopping`, { signal });
      if (shutdownDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, shutdownDelayMs));
      const deadline = performance.now() + shutdownTimeoutMs;
      if (shutdownDelayMs > 0) await finishRequests(shutdownTimeoutMs - FLUSH_RESERVE_MS);
      await bounded(deadline - performance.now(), (ms) => flush(ms, { last: true }));
      guard(onEnd);
    },
    ride: (signal) => {
      // SIGHUP and SIGUSR2 tell many apps to read their settings again.
      if (signal === 'SIGTERM' || signal === 'SIGINT') health.setPhase('draining');
      flushBeside();
    },
    spared: (signal) => {
      if (signal === 'SIGTERM') {
        health.setPhase('draining');
        diagnostics.warn(
          'SIGTERM: the app does not handle it, and as process 1 of its container it is not ended by it either; it will be killed when the time to stop is over. Handle SIGTERM, or start the container with an init (docker run --init).',
        );
      }
      flushBeside();
    },
  });

  async function finishRequests(timeoutMs: number): Promise<void> {
    const left = await drain(listening.servers(), Math.max(0, timeoutMs));
    if (left > 0) line('error', 'Requests were still in flight when the time to drain was over', { servers: left });
  }

  /** The process goes on, for how long nobody knows. */
  function flushBeside(): void {
    void bounded(shutdownTimeoutMs, (ms) => flush(ms, { last: false }), false);
  }

  const flags = nodeFlags(config.surroundings.nodeOptions);
  let exiting = false;
  const crashes = watchCrashes(
    {
      count: (kind) => guard(() => countUnhandled(kind)),
      report: (kind, err, dies) => {
        const level = dies ? 'fatal' : 'error';
        const message = kind === 'exception' ? 'Uncaught exception' : 'Unhandled rejection';
        let context: Context | undefined;
        if (dies) guard(() => (context = onCrash(err)));
        storage.run(context ?? active(), line, level, message, { err });
        // An exit listener has thrown: there is no further exit event in which to flush.
        if (exiting) guard(() => flushSync(shutdownTimeoutMs));
      },
    },
    isStrict(flags),
  );

  const limit = heapLimit(flags);
  const stopHeap = watchHeap(limit, (used) => {
    line('fatal', 'The heap is within 5 % of its limit: the process may end at any moment', {
      heap_used: used,
      heap_limit: limit,
    });
    guard(() => flushSync(Math.min(HEAP_FLUSH_MS, shutdownTimeoutMs)));
  });

  const unhook = hookProcessEmit({
    before: (event) => signals.noticed(event),
    after: (event, args, handled) => {
      if (event === 'unhandledRejection') crashes.noticed(args[0], handled);
      if (event !== 'exit') return;
      exiting = true;
      guard(onEnd);
      guard(() => flushSync(shutdownTimeoutMs));
    },
  });
  const stopReadiness = watchReadiness(health, listening);

  /** Waits for `work`, at most `ms`; never rejects. */
  async function bounded(ms: number, work: (ms: number) => Promise<void>, keepAlive = true): Promise<void> {
    if (ms <= 0) return;
    let timer: NodeJS.Timeout | undefined;
    const bound = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
      if (!keepAlive) timer.unref();
    });
    try {
      await Promise.race([bound, work(ms)]);
    } catch (error) {
      diagnostics.debug(`flush: ${reason(error)}`);
    }
    clearTimeout(timer);
  }

  function line(level: 'info' | 'error' | 'fatal', msg: string, fields: Record<string, unknown>): void {
    guard(() => {
      if (logs !== undefined) logs.lifecycle(level, msg, fields);
      else if (level !== 'info') diagnostics.error(fields.err === undefined ? msg : `${msg}: ${reason(fields.err)}`);
    });
  }

  function guard(action: () => unknown): void {
    try {
      action();
    } catch (error) {
      diagnostics.debug(`lifecycle: ${reason(error)}`);
    }
  }

  return () => {
    signals.stop();
    crashes.stop();
    stopHeap();
    unhook();
    stopReadiness();
  };
}
