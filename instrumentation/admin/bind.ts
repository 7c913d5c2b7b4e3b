import { createServer, type RequestListener, type Server } from 'node:http';
import { INTERNAL } from '../context.ts';

const MOST_CONNECTIONS = 50;
const HEADERS_MS = 5000;
const REQUEST_MS = 10_000;
const IDLE_MS = 30_000;
/** Longer than Prometheus' usual interval, so that a scraper keeps its connection. */
const KEEP_ALIVE_MS = 75_000;

/** Servers that share one port on all wanted addresses. */
export interface Bound {
  /** The port that was asked for, and once it is held, the real one. */
  readonly port: number;
  /** Whether they listen. */
  readonly held: boolean;
  /**
   * Resolves to whether they listen; false if they were closed before.
   *
   * @throws the system's error (`EADDRINUSE`, `EACCES` …); nothing is left open then
   */
  readonly listening: Promise<boolean>;
  /** Frees the port, or gives up the wish for it, within this call. */
  close(): void;
}

/**
 * Listens on one port of every host, from the next turn of the event loop on. The first host must be had; another that this
 * machine does not have is left out.
 *
 * @param port 0 is any free port
 */
export function bind(handler: RequestListener, hosts: readonly (string | undefined)[], port: number): Bound {
  const servers: Server[] = [];
  let closed = false;

  async function listenAll(): Promise<boolean> {
    // Node looks every host up, which takes a tick, and a listen() that has begun cannot be called back. In a turn of its own
    // no code of the app can come between. (Not an immediate: one that is unref'd waits until something else happens.)
    await new Promise((resolve) => setTimeout(resolve, 0).unref());
    try {
      for (const host of hosts) {
        if (closed) return false;
        const first = servers.length === 0;
        await open(host, first ? port : portOf(servers[0])).catch((error: NodeJS.ErrnoException) => {
          if (first || error.code !== 'EADDRNOTAVAIL') throw error;
        });
      }
    } catch (error) {
      close();
      throw error;
    }
    return !closed;
  }

  function open(host: string | undefined, at: number): Promise<void> {
    const server = create(handler);
    servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject).once('listening', resolve).once('close', resolve);
      // Exclusive: the workers of a cluster would otherwise share the port, and each scrape would see another of them.
      server.listen({ host, port: at, exclusive: true });
    });
  }

  function close(): void {
    closed = true;
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  const listening = listenAll();
  return {
    get port() {
      return (servers.length > 0 && portOf(servers[0])) || port;
    },
    get held() {
      return servers.length > 0 && servers[0].listening;
    },
    listening,
    close,
  };
}

function create(handler: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 5000,
    },
    handler,
  );
  (server as { [INTERNAL]?: boolean })[INTERNAL] = true;
  server.maxConnections = MOST_CONNECTIONS;
  // A reader that takes nothing for this long is gone.
  server.timeout = IDLE_MS;
  server.on('connection', (socket) => socket.unref());
  // Running out of file descriptors later on is no reason to end the app.
  server.on('error', () => {});
  server.unref();
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
