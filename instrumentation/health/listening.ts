import { Server } from 'node:net';
import { INTERNAL } from '../context.ts';

const MOST_SERVERS = 100;

/** What the app's servers do, seen at the one method that every kind of server listens with. */
export interface Listening {
  /** Whether a server of the app has ever listened, on a port or a local socket. */
  isServer(): boolean;
  /** Whether the app has called `listen()`. */
  asked(): boolean;
  /** The app's servers that listen now. */
  servers(): readonly Server[];
  /** `fn` is called right before a server of the app binds a port. @returns ends it */
  beforeBind(fn: (port: number) => void): () => void;
  stop(): void;
}

export function watchListening(): Listening {
  let known: readonly WeakRef<Server>[] = [];
  const pending = new WeakSet<Server>();
  const watchers = new Set<(port: number) => void>();
  let asked = false;
  let listened = false;

  const original = Server.prototype.listen;
  function listen(this: Server, ...args: unknown[]): Server {
    if (!(this as { [INTERNAL]?: boolean })[INTERNAL]) notice(this, args);
    return Reflect.apply(original, this, args);
  }

  function notice(server: Server, args: readonly unknown[]): void {
    asked = true;
    if (!known.some((entry) => entry.deref() === server)) {
      // Those that have closed make room first.
      const kept = known.length < MOST_SERVERS ? known : known.filter((entry) => entry.deref()?.listening);
      known = [...kept.slice(1 - MOST_SERVERS), new WeakRef(server)];
    }
    if (!pending.has(server)) {
      // One listener however often the app tries; not a look at `listening` later on, because the primary of a cluster takes
      // the handle out of the server that it has just opened.
      pending.add(server);
      server.prependOnceListener('listening', () => {
        listened = true;
        pending.delete(server);
      });
    }
    const port = portOf(args);
    if (port !== undefined) for (const watcher of watchers) watcher(port);
  }

  const servers = () => known.flatMap((entry) => entry.deref() ?? []).filter((server) => server.listening);

  Server.prototype.listen = listen as typeof original;
  return {
    servers,
    asked: () => asked,
    isServer: () => listened,
    beforeBind: (fn) => {
      watchers.add(fn);
      return () => watchers.delete(fn);
    },
    stop: () => {
      watchers.clear();
      // Whoever wrapped it after us keeps a method that still works.
      if (Server.prototype.listen === listen) Server.prototype.listen = original;
    },
  };
}

/** The port of `listen(port, …)` or `listen({port}, …)`; undefined for local sockets, handles and a port of 0. */
function portOf([first]: readonly unknown[]): number | undefined {
  const given = typeof first === 'object' && first !== null ? (first as { port?: unknown }).port : first;
  const port = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
