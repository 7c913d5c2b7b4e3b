import type { ChildProcess } from 'node:child_process';

/** Resolves when someone wants this process to end. A second signal ends it at once. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

/**
 * Hands signals on to a child. Ctrl-C reaches it from the terminal already: sent twice, many programs end at once.
 *
 * @returns ends that
 */
export function forward(child: ChildProcess): () => void {
  const fromTerminal = process.stdin.isTTY === true;
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const handlers = signals.map((signal) => {
    const handler = () => {
      if (!(signal === 'SIGINT' && fromTerminal)) child.kill(signal);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const off of handlers) off();
  };
}
