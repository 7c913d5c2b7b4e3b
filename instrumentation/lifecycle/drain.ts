import type { Server } from 'node:net';

const POLL_MS = 50;

/**
 * Stops accepting connections and waits for the requests in flight, at most `timeoutMs`. Connections that are kept alive
 * without a request are closed as they become idle; a plain TCP server is waited for until its connections have ended.
 *
 * @returns how many servers still had open connections when the time was over
 */
export async function drain(servers: readonly Server[], timeoutMs: number): Promise<number> {
  const open = new Set(servers);
  const closed = servers.map(
    (server) =>
      new Promise<void>((resolve) => {
        server.close(() => {
          open.delete(server);
          resolve();
        });
      }),
  );
  const idle = setInterval(() => open.forEach(closeIdle), POLL_MS);
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([bound, Promise.all(closed)]);
  clearInterval(idle);
  clearTimeout(timer);
  return open.size;
}

function closeIdle(server: Server & { closeIdleConnections?(): void }): void {
  server.closeIdleConnections?.();
}
