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
  readonly port: number;
  /** Frees the port at once, within this call. */
  close(): void;
}

/**
 * Listens on one port of every host. The first host must be had; another that this machine does not have is left out.
 *
 * @param port 0 is any free port
 * @throws the system's error (`EADDRINUSE`, `EACCES` …); nothing is left open
 */
export async function bind(handler: RequestListener, hosts: readonly (string | undefined)[], port: number): Promise<Bound> {
  const servers: Server[] = [];
  const close = () => servers.forEach(shut);
  try {
    for (const host of hosts) {
      const first = servers.length === 0;
      try {
        servers.push(await listen(handler, host, first ? port : portOf(servers[0])));
      } catch (error) {
        if (first || (error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw error;
      }
    }
  } catch (error) {
    close();
    throw error;
  }
  return { port: portOf(servers[0]), close };
}

function listen(handler: RequestListener, host: string | undefined, port: number): Promise<Server> {
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
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Exclusive: the workers of a cluster would otherwise share the port, and each scrape would see another of them.
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve(server);
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function shut(server: Server): void {
  server.close();
  server.closeAllConnections();
}
