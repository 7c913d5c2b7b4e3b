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
 * order, but always directly after each other. `half` is the first of such two, until the turn is over.
 *
 * @see https://nodejs.org/api/process.html#event-uncaughtexceptionmonitor
 */
export function watchCrashes({ count, report }: CrashActions): Crashes {
  let half: { readonly by: 'event' | 'monitor'; met: boolean } | undefined;

  /** Whether this is the second telling. Otherwise it is taken for the first, and `alone` runs if no second one follows. */
  function completes(by: 'event' | 'monitor', alone = () => {}): boolean {
    if (half !== undefined && half.by !== by) {
      half.met = true;
      half = undefined;
      return true;
    }
    const opened = (half = { by, met: false });
    process.nextTick(() => {
      if (half === opened) half = undefined;
      if (!opened.met) alone();
    });
    return false;
  }

  function monitor(error: unknown, origin: string): void {
    const kind = origin === 'unhandledRejection' ? 'rejection' : 'exception';
    if (kind === 'exception' || !completes('monitor')) count(kind);
    report(kind, error, process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback());
  }

  process.on('uncaughtExceptionMonitor', monitor);
  return {
    noticed: (error, handled) => {
      // An app that handles it says itself what happened. Where nobody does and no exception follows, Node goes on.
      if (!completes('event', handled ? undefined : () => report('rejection', error, false))) count('rejection');
    },
    stop: () => void process.off('uncaughtExceptionMonitor', monitor),
  };
}
