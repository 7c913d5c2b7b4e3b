import { channel } from 'node:diagnostics_channel';

/**
 * Calls `loaded` once the app's entry module has been evaluated, top-level `await` included, however it ended.
 *
 * Under `--import`, Node loads every entry, CommonJS too, through its ES module loader. From Node 22 the import of the
 * entry is the one without a parent on the channel of module imports. Node 20 has no such channel; there an `exit`
 * listener of Node's own exists as long as the entry is being loaded. Where neither says anything (`-e`, the REPL, a
 * `--require`d preload), the entry is loaded when the event loop first turns.
 *
 * @returns ends the wait
 * @see https://nodejs.org/api/diagnostics_channel.html#modules
 */
export function whenEntryLoaded(loaded: () => void): () => void {
  const start = channel('tracing:module.import:start');
  const end = channel('tracing:module.import:asyncEnd');
  const guard = process.listeners('exit').find(({ name }) => name === 'handleProcessExit');
  let importing = guard !== undefined;
  let done = false;

  const isEntry = (message: unknown) => (message as { parentURL?: unknown }).parentURL === undefined;
  const onStart = (message: unknown) => {
    importing ||= isEntry(message);
  };
  const onEnd = (message: unknown) => {
    if (importing && isEntry(message)) finish();
  };
  const onRemove = (event: string | symbol, listener: unknown) => {
    if (event === 'exit' && listener === guard) finish();
  };
  // Not an immediate: one that is unref'd waits until something else happens.
  const turn = setTimeout(() => {
    if (!importing) finish();
  }, 0).unref();

  function stop(): void {
    done = true;
    start.unsubscribe(onStart);
    end.unsubscribe(onEnd);
    process.off('removeListener', onRemove);
    clearTimeout(turn);
  }

  function finish(): void {
    if (done) return;
    stop();
    loaded();
  }

  if (guard === undefined) {
    start.subscribe(onStart);
    end.subscribe(onEnd);
  } else process.on('removeListener', onRemove);
  return stop;
}
