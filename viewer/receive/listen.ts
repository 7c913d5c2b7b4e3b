import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listening {
  port: number;
  servers: Server[];
  close(): Promise<void>;
}

/** Both loopbacks: `localhost` is ::1 first for one sender and 127.0.0.1 for the next. */
const LOOPBACKS = ['127.0.0.1', '::1'];
const ATTEMPTS = 10;

/**
 * Listens on 127.0.0.1 and, where the machine has it, on ::1; or on `host` alone.
 *
 * @param port 0 for a free one, the same on both addresses.
 * @throws the error of `listen`, such as EADDRINUSE.
 */
export async function listen(handler: RequestListener, port: number, host?: string): Promise<Listening> {
  for (let attempt = 1; ; attempt++) {
    const first = await open(handler, port, host ?? LOOPBACKS[0]);
    const servers = [first];
    const bound = (first.address() as AddressInfo).port;
    if (host === undefined) {
      try {
        servers.push(await open(handler, bound, LOOPBACKS[1]));
      } catch (error) {
        // Only a taken port is a fault; a machine without IPv6 answers EADDRNOTAVAIL or EAFNOSUPPORT.
        if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
          await close(servers);
          // The free port of one family may be taken in the other: ask for the next.
          if (port === 0 && attempt < ATTEMPTS) continue;
          throw error;
        }
      }
    }
    return { port: bound, servers, close: () => close(servers) };
  }
}

async function open(handler: RequestListener, port: number, host: string): Promise<Server> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}

async function close(servers: Server[]): Promise<void> {
  await Promise.all(
    servers.map((server) => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      return closed;
    }),
  );
}
