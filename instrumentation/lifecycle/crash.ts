export type UnhandledKind = 'exception' | 'rejection';

export interface CrashActions {
  count(kind: UnhandledKind): void;
  /** @param dies whether the process ends by it, as far as can be told */
  report(kind: UnhandledKind, error: unknown, dies: boolean): void;
}

export interface Crashes {
  /** To be called after each event of `process`. */
  noticed(event: string | symbol, args: readonly unknown[], handled: boolean): void;
  stop(): void;
}

/**
 * Sees uncaught exceptions and unhandled rejections without handling them.
 *
 * Node tells of a rejection twice: with `unhandledRejection`, and where that makes an exception of it
 * (`--unhandled-rejections=throw`, the default, and `strict`), with `uncaughtExceptionMonitor`, in this order or, under
 * `strict`, in the other one, but always directly after each other. `pair` remembers the first of the two.
 *
 * @see https://nodejs.org/api/process.html#event-uncaughtexceptionmonitor
 */
export function watchCrashes({ count, report }: CrashActions): Crashes {
  let pair: 'event' | 'monitor' | undefined;

  function monitor(error: unknown, origin: string): void {
    const rejection = origin === 'unhandledRejection';
    const kind = rejection ? 'rejection' : 'exception';
    if (rejection && pair === 'event') pair = undefined;
    else {
      if (rejection) pair = 'monitor';
      count(kind);
    }
    report(kind, error, process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback());
  }

  process.on('uncaughtExceptionMonitor', monitor);
  return {
    noticed: (event, [error], handled) => {
      if (event !== 'unhandledRejection') return;
      if (pair === 'monitor') {
        pair = undefined;
        return;
      }
      count('rejection');
      // An app that handles it says itself what happened. Otherwise the exception follows, unless Node was told to go on.
      pair = handled ? undefined : 'event';
      if (!handled) queueMicrotask(() => pair === 'event' && report('rejection', error, false));
    },
    stop: () => void process.off('uncaughtExceptionMonitor', monitor),
  };
}
