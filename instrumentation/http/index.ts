import { activeRequest } from '../context.ts';
import type { Kit } from '../kit.ts';
import { instrumentHttpClient } from './client.ts';
import { createClientSpans } from './client-spans.ts';
import { instrumentHttp2 } from './http2.ts';
import { instrumentHttp1 } from './server.ts';
import type { ServerRequest } from './server-request.ts';
import { createServerSpans } from './server-spans.ts';
import { instrumentUndici } from './undici.ts';
import { undoAll } from './wrap.ts';

export interface Http {
  /** The process is crashing with `error`: ends the request that it belongs to, so that its span is delivered. */
  crash(error: unknown): void;
  stop(): void;
}

/** The request path: servers and clients of HTTP/1 and HTTP/2, and fetch. */
export function startHttp(kit: Kit): Http {
  const http: typeof import('node:http') = process.getBuiltinModule?.('node:http') ?? require('node:http');
  const https: typeof import('node:https') = process.getBuiltinModule?.('node:https') ?? require('node:https');
  const server = createServerSpans(kit);
  const client = createClientSpans(kit);
  const stops = [
    instrumentHttp1(http, https, kit.config.correlationHeader, server, client),
    instrumentHttp2(kit.config.correlationHeader, server),
    instrumentHttpClient(http, client),
    instrumentUndici(client),
    server.stop,
  ];
  return {
    crash(error) {
      const request = activeRequest() as ServerRequest | undefined;
      if (request === undefined || request.ended) return;
      request.error ??= error;
      server.end(request, undefined);
    },
    stop: () => undoAll(stops),
  };
}
