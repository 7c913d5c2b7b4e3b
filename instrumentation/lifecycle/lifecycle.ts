import type { Config } from '../config.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import type { Health } from '../health/health.ts';
import type { Listening } from '../health/listening.ts';
import { type UnhandledKind, watchCrashes } from './crash.ts';
import { hookProcessEmit } from './process-emit.ts';
import { watchReadiness } from './readiness.ts';
import { type EndSignal, watchSignals } from './signals.ts';

export interface LifecycleDeps {
  readonly config: Pick<Config, 'shutdownDelayMs' | 'shutdownTimeoutMs'>;
  readonly diagnostics: Diagnostics;
  readonly health: Pick<Health, 'phase' | 'setPhase'>;
  readonly listening: Pick<Listening, 'asked' | 'servers'>;
  /** Where the lines about the end go; without it, the kit's own messages. */
  readonly logs?: { lifecycle(level: 'info' | 'error' | 'fatal', msg: string, fields: Record<string, unknown>): void };
  /** Delivers what was recorded; resolves when it is done, at the latest after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>;
  /** The same without the event loop: blocks until it is handed over, at most `timeoutMs`. */
  flushSync(timeoutMs: number): void;
  countUnhandled(kind: UnhandledKind): void;
  /** The last thing before the process ends: frees what would outlive it (the announced scrape address). */
  onEnd?(): void;
}

/** Watches over the life of the process, and changes nothing about how it ends. */
export function startLifecycle(deps: LifecycleDeps): () => void {
  const { config, diagnostics, health, listening, logs, flush, flushSync, countUnhandled, onEnd = () => {} } = deps;

  function line(level: 'info' | 'error' | 'fatal', msg: string, fields: Record<string, unknown>): void {
    guard(() => {
      if (logs !== undefined) logs.lifecycle(level, msg, fields);
      else if (level !== 'info') diagnostics.error(fields.err === undefined ? msg : `${msg}: ${reason(fields.err)}`);
    });
  }

  /** Never rejects, and never takes longer than the time that is left. */
  async function flushWithin(timeoutMs: number): Promise<void> {
    if (timeoutMs <= 0) return;
    let timer: NodeJS.Timeout | undefined;
    // Not unref'd: until it is over, the process is to live.
    const bound = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([bound, flush(timeoutMs).catch((error) => diagnostics.debug(`flush: ${reason(error)}`))]);
    clearTimeout(timer);
  }

  const signals = watchSignals({
    end: async (signal) => {
      health.setPhase('draining');
      line('info', `${signal}: stopping`, { signal });
      if (config.shutdownDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, config.shutdownDelayMs));
      await flushWithin(config.shutdownTimeoutMs);
      guard(onEnd);
    },
    ride: (signal) => {
      if (meansEnd(signal)) health.setPhase('draining');
      guard(() => void flush(config.shutdownTimeoutMs).catch(() => {}));
    },
  });

  const crashes = watchCrashes({
    count: (kind) => guard(() => countUnhandled(kind)),
    report: (kind, error, dies) => {
      const what = kind === 'exception' ? 'Uncaught exception' : 'Unhandled rejection';
      line(dies ? 'fatal' : 'error', what, { err: error });
    },
  });

  const unhook = hookProcessEmit({
    before: (event) => signals.noticed(event),
    after: (event, args, handled) => {
      if (event === 'unhandledRejection') crashes.noticed(event, args, handled);
      if (event !== 'exit') return;
      guard(onEnd);
      guard(() => flushSync(config.shutdownTimeoutMs));
    },
  });
  const stopReadiness = watchReadiness(health, listening);

  function guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      diagnostics.debug(`lifecycle: ${reason(error)}`);
    }
  }

  return () => {
    signals.stop();
    crashes.stop();
    unhook();
    stopReadiness();
  };
}

/** SIGHUP and SIGUSR2 tell many apps to read their settings again. */
function meansEnd(signal: EndSignal): boolean {
  return signal === 'SIGTERM' || signal === 'SIGINT';
}
