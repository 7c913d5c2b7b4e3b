/** Waits for conditions that are looked at whenever something has arrived. */
export interface Waiter {
  /** Looks at every condition again. */
  changed(): void;
  /**
   * Resolves with the first value of `look` that is not undefined.
   *
   * @param missing what was waited for, made when it did not come.
   * @param timeout milliseconds
   */
  until<T>(look: () => T | undefined, missing: () => string, timeout?: number): Promise<T>;
  /** Rejects everything that still waits. */
  close(): void;
}

export function createWaiter(): Waiter {
  const waiting = new Set<{ look(): void; stop(why: string): void }>();
  let scheduled = false;

  return {
    changed() {
      // Many records come in one request: one look for all of them.
      if (scheduled || waiting.size === 0) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        for (const one of [...waiting]) one.look();
      });
    },

    until<T>(look: () => T | undefined, missing: () => string, timeout = 5000): Promise<T> {
      // Errors point at the caller's line, not at a timer.
      const frames = new Error().stack?.split('\n').slice(1).join('\n');
      return new Promise<T>((resolve, reject) => {
        const one = {
          look() {
            try {
              const found = look();
              if (found === undefined) return;
              end();
              resolve(found);
            } catch (error) {
              end();
              reject(error);
            }
          },
          stop(why: string) {
            end();
            const error = new Error(`${why}: ${missing()}`);
            error.stack = `Error: ${error.message}\n${frames}`;
            reject(error);
          },
        };
        const timer = setTimeout(() => one.stop(`Waited ${timeout} ms in vain for`), timeout);
        const end = () => {
          clearTimeout(timer);
          waiting.delete(one);
        };
        waiting.add(one);
        one.look();
      });
    },

    close() {
      for (const one of [...waiting]) one.stop('The viewer was closed while waiting for');
    },
  };
}
