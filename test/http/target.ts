import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { freePort } from '../support/free-port.ts';

const certificate = createRequire(import.meta.url)('../apps/fixtures/certificate.cjs');

/** What the app under test sends its own requests to; it keeps the headers of the last one for each correlation id. */
export interface Target {
  /** For the app: addresses that answer, and one where nobody does. */
  readonly to: { readonly url: string; readonly port: number; readonly securePort: number; readonly closedPort: number };
  /** Requests that have arrived since the last {@link Target.take}. */
  take(): http.IncomingMessage[];
  close(): void;
}

export async function startTarget(): Promise<Target> {
  let seen: http.IncomingMessage[] = [];
  const handle: http.RequestListener = (req, res) => {
    seen.push(req);
    const path = (req.url ?? '').split('?', 1)[0];
    switch (path) {
      case '/echo':
        req.pipe(res);
        break;
      case '/hang':
        break;
      case '/reset':
        req.socket.resetAndDestroy();
        break;
      case '/half':
        res.writeHead(200, { 'content-length': '100' });
        res.write('half', () => setTimeout(() => res.destroy(), 5));
        break;
      case '/redirect':
        res.writeHead(302, { location: '/ok' }).end();
        break;
      default: {
        const status = /^\/\d{3}$/.test(path) ? Number(path.slice(1)) : 200;
        res.writeHead(status).end(status === 204 ? undefined : 'ok');
      }
    }
  };
  const plain = http.createServer(handle);
  const secure = https.createServer(certificate, handle);
  plain.on('upgrade', (req, socket) => {
    seen.push(req);
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  });
  plain.on('connect', (req, socket) => {
    seen.push(req);
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  });
  const ports = await Promise.all(
    [plain, secure].map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
        }),
    ),
  );
  const [port, securePort] = ports;
  return {
    to: { url: `http://127.0.0.1:${port}`, port, securePort, closedPort: await freePort() },
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
    close() {
      for (const server of [plain, secure]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}
