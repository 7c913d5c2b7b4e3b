export type UnhandledKind = 'exception' | 'rejection';

export interface CrashActions {
  count(kind: UnhandledKind): void;
  /** @param dies whether the process ends by it */
  report(kind: UnhandledKind, error: unknown, dies: boolean): void;
}

export interface Crashes {
  /** To be called after each `unhandledRejection` event. @param handled whether the app listens to it */
  noticed(error: unknown, handled: boolean): void;
  stop(): void;
}

/**
 * Sees uncaught exceptions and unhandled rejections without handling them.
 *
 * Node tells of a rejection twice: with `unhandledRejection`, and where that makes an exception of it
 * (`--unhandled-rejections=throw`, the default, and `strict`) with `uncaughtExceptionMonitor`; under `strict` in the other
 * order, but always directly after each other. `half` is the first of such two, until the turn is over. An entry module that
 * throws is a rejection to Node only because it loads every entry asynchronously under `--import`; it is told by the
 * monitor alone, and counts as the exception that it is.
 *
 * @param strict whether the process runs with `--unhandled-rejections=strict`
 * @see https://nodejs.org/api/process.html#event-uncaughtexceptionmonitor
 */
export function watchCrashes({ count, report }: CrashActions, strict: boolean): Crashes {
  let half: { readonly by: 'event' | 'monitor'; met: boolean } | undefined;

  /** Whether this is the second telling. */
  function completes(by: 'event' | 'monitor'): boolean {
    if (half === undefined || half.by === by) return false;
    half.met = true;
    half = undefined;
    return true;
  }

  /** This is the first telling; `alone` runs if no second one follows. */
  function opens(by: 'event' | 'monitor', alone = () => {}): void {
    const opened = (half = { by, met: false });
    process.nextTick(() => {
      if (half === opened) half = undefined;
      if (!opened.met) alone();
    });
  }

  function monitor(error: unknown, origin: string): void {
    const told = origin === 'unhandledRejection' && completes('monitor');
    const kind = told || (origin === 'unhandledRejection' && strict) ? 'rejection' : 'exception';
    if (!told) count(kind);
    if (!told && kind === 'rejection') opens('monitor');
    report(kind, error, process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback());
  }

  process.on('uncaughtExceptionMonitor', monitor);
  return {
    noticed: (error, handled) => {
      if (completes('event')) return;
      count('rejection');
      // An app that handles it says itself what happened. Where nobody does and no exception follows, Node goes on.
      opens('event', handled ? undefined : () => report('rejection', error, false));
    },
    stop: () => void process.off('uncaughtExceptionMonitor', monitor),
  };
}

/** @param flags as the process was started with; the last one counts */
export function isStrict(flags: readonly string[]): boolean {
  const modes = flags.map((flag, index) =>
    flag === '--unhandled-rejections' ? flags[index + 1] : /^--unhandled-rejections=(.*)/.exec(flag)?.[1],
  );
  return modes.findLast((mode) => mode !== undefined) === 'strict';
}
