import { createServer, type RequestListener, type Server } from 'node:http';
import { INTERNAL } from '../health/listening.ts';

const MOST_CONNECTIONS = 50;
const HEADERS_MS = 5000;
const REQUEST_MS = 10_000;
const IDLE_MS = 30_000;
/** Longer than Prometheus' usual interval, so that a scraper keeps its connection. */
const KEEP_ALIVE_MS = 75_000;

/** Servers that share one port on all wanted addresses. */
export interface Bound {
  /** The port that was asked for, and from the time that {@link listening} says so, the real one. */
  readonly port: number;
  /**
   * Resolves to whether they listen; false if they were closed before.
   *
   * @throws the system's error (`EADDRINUSE`, `EACCES` …); nothing is left open then
   */
  readonly listening: Promise<boolean>;
  /** Frees the port at once, within this call. */
  close(): void;
}

/**
 * Listens on one port of every host. The port is taken within this call. The first host must be had; another that this
 * machine does not have is left out.
 *
 * @param port 0 is any free port
 */
export function bind(handler: RequestListener, hosts: readonly (string | undefined)[], port: number): Bound {
  const servers: Server[] = [];
  let closed = false;

  async function listenAll(): Promise<boolean> {
    try {
      const [first, ...others] = hosts;
      const main = open(first, port);
      // Only where the port is known can the others follow at once.
      if (port === 0) await main;
      const rest = others.map((host) => open(host, portOf(servers[0])).catch(absent));
      await Promise.all([main, ...rest]);
    } catch (error) {
      if (!closed) close();
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
      return portOf(servers[0]) || port;
    },
    listening,
    close,
  };
}

function absent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EADDRNOTAVAIL') throw error;
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
