import type { EventEmitter } from 'node:events';

export type EndSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR2';

// SIGUSR2 ends a process like the others do; nodemon restarts with it.
const SIGNALS: readonly EndSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'];

export interface SignalActions {
  /** The app has no handler: its end, which may take as long as the promise does. Must not reject. */
  end(signal: EndSignal): Promise<void>;
  /** The app's own handlers are about to run: whatever can be done beside them. */
  ride(signal: EndSignal): void;
  /** Nobody handles the signal, and the process goes on all the same, because it is the first one of a container. */
  spared(signal: EndSignal): void;
}

export interface Signals {
  /** To be called before each event of `process`. */
  noticed(event: string | symbol): void;
  stop(): void;
}

/**
 * Delays the end by a signal where the app has no handler, and then lets the same signal take its default effect; a second
 * signal does so at once. Where the app has a handler, nothing of ours is installed, so that code which counts listeners
 * (signal-exit does) sees only its own: our listener comes and goes with the first and the last of the app's.
 */
export function watchSignals({ end, ride, spared }: SignalActions): Signals {
  const ours = new Map<string | symbol, () => void>();
  const ending = new Set<EndSignal>();
  let stopped = false;

  function install(signal: EndSignal): void {
    const listener = ours.get(signal);
    if (listener === undefined || stopped || process.listenerCount(signal) > 0) return;
    try {
      process.on(signal, listener);
    } catch {
      // A signal that this platform does not have.
      ours.delete(signal);
    }
  }

  function uninstall(signal: EndSignal): void {
    const listener = ours.get(signal);
    if (listener !== undefined) process.off(signal, listener);
  }

  function die(signal: EndSignal): void {
    const listener = ours.get(signal);
    ours.delete(signal);
    if (listener !== undefined) process.off(signal, listener);
    process.kill(process.pid, signal);
    // Still here: the app took a handler meanwhile, and the signal went to it.
    setTimeout(() => {
      if (listener !== undefined) ours.set(signal, listener);
      ending.delete(signal);
      install(signal);
    }, 0).unref();
  }

  function onNewListener(event: string | symbol, listener: unknown): void {
    const own = ours.get(event);
    if (own !== undefined && listener !== own) uninstall(event as EndSignal);
  }

  // Runs for our own listener too: `removeAllListeners` takes it with the app's.
  function onRemoveListener(event: string | symbol, listener: unknown): void {
    const own = ours.get(event);
    if (own !== undefined && listener !== own) install(event as EndSignal);
  }

  for (const signal of SIGNALS) {
    ours.set(signal, () => {
      // To this process the kernel delivers no signal that has no handler.
      if (process.pid === 1) return spared(signal);
      if (ending.has(signal)) return die(signal);
      ending.add(signal);
      void end(signal).then(() => die(signal));
    });
  }
  // First in line: Node's own listener opens the signal's handle for the first listener, and closes it with the last; had
  // ours been removed after that, the app's would never run.
  (process as EventEmitter).prependListener('newListener', onNewListener);
  process.on('removeListener', onRemoveListener);
  for (const signal of SIGNALS) install(signal);

  return {
    noticed: (event) => {
      const own = ours.get(event);
      if (own !== undefined && process.listenerCount(event) > 0 && !process.listeners(event as EndSignal).includes(own)) {
        ride(event as EndSignal);
      }
    },
    stop: () => {
      stopped = true;
      process.off('newListener', onNewListener);
      process.off('removeListener', onRemoveListener);
      for (const signal of SIGNALS) uninstall(signal);
    },
  };
}
