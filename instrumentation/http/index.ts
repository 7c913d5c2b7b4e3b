import type { Context } from '@opentelemetry/api';
import { activeRequest } from '../context.ts';
import type { Kit } from '../kit.ts';
import { httpConnectionsOf } from '../recorders/http-connections.ts';
import { watchAgents } from './agents.ts';
import { instrumentHttpClient } from './client.ts';
import { createClientSpans } from './client-spans.ts';
import { takeThrower } from './enter.ts';
import { createHttp2 } from './http2.ts';
import { instrumentServers } from './server.ts';
import type { ServerRequest } from './server-request.ts';
import { createServerSpans } from './server-spans.ts';
import { instrumentUndici } from './undici.ts';
import { undoAll } from './wrap.ts';

export interface Http {
  /**
   * The process is crashing with `error`: ends the request that it belongs to, so that its span is delivered.
   *
   * @returns the context of that request, if there is one
   */
  crash(error: unknown): Context | undefined;
  stop(): void;
}

/** The request path: servers and clients of HTTP/1 and HTTP/2, and fetch. */
export function startHttp(kit: Kit): Http {
  const http: typeof import('node:http') = process.getBuiltinModule?.('node:http') ?? require('node:http');
  const net: typeof import('node:net') = process.getBuiltinModule?.('node:net') ?? require('node:net');
  const { correlationHeader } = kit.config;
  const server = createServerSpans(kit);
  const client = createClientSpans(kit);
  const connections = httpConnectionsOf(kit);
  const agents = watchAgents(connections);
  const http2 = createHttp2(correlationHeader, server);
  const stops = [
    instrumentServers(http, net, correlationHeader, server, http2, client),
    http2.undo,
    instrumentHttpClient(http, client, agents),
    instrumentUndici(client, connections, kit.diagnostics),
    agents.stop,
    connections.stop,
    server.stop,
  ];
  return {
    crash(error) {
      const request = (activeRequest() as ServerRequest | undefined) ?? takeThrower();
      if (request !== undefined && !request.ended) {
        request.error ??= error;
        server.end(request, undefined, true);
      }
      return request?.context;
    },
    stop: () => undoAll(stops),
  };
}
