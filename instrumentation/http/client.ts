import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest as NodeRequest } from 'node:http';
import type { Context } from '@opentelemetry/api';
import { active } from '../context.ts';
import type { Agents } from './agents.ts';
import { splitHost } from './attributes.ts';
import type { ClientRequest, ClientSpans } from './client-spans.ts';
import { headerValue, undoAll, wrap } from './wrap.ts';

/** Key of the {@link ClientRequest} on a request and on its response. */
export const CLIENT = Symbol('o11y-kit.client');
const CONTEXT = Symbol('o11y-kit.client.context');

/**
 * Requests of `node:http` and `node:https`. The span starts when the header block is made (`_storeHeader`), which is the one
 * place that all ways of sending headers pass, on Node 20 too; trace context is added to the block's first line.
 */
export function instrumentHttpClient(
  http: typeof import('node:http'),
  spans: ClientSpans,
  agents: Pick<Agents, 'see'>,
): () => void {
  // A request may be sent from elsewhere than it was made, by a pool for example: it belongs to where it was made. Node 20
  // does not tell; there it belongs to where its headers are sent from, which is nearly always the same.
  const created = ({ request }: any) => {
    request[CONTEXT] = active();
  };
  subscribe('http.client.request.created', created);
  const undo = [
    wrap(http.ClientRequest.prototype, '_storeHeader', (original) => storeHeader(original, spans, agents)),
    wrap(http.ClientRequest.prototype, 'emit', (original) => requestEmit(original, spans)),
  ];
  return () => {
    unsubscribe('http.client.request.created', created);
    undoAll(undo);
  };
}

function storeHeader(original: (...args: any[]) => void, spans: ClientSpans, agents: Pick<Agents, 'see'>) {
  return function _storeHeader(this: any, firstLine: string, headers: unknown): unknown {
    if (typeof firstLine !== 'string' || this[CLIENT] !== undefined) return Reflect.apply(original, this, arguments);
    agents.see(this.agent);
    const request = begin(this, headers, spans);
    let lines = '';
    if (request !== undefined) {
      this[CLIENT] = request;
      for (const name in request.headers) lines += `${name}: ${request.headers[name]}\r\n`;
    }
    return Reflect.apply(original, this, [firstLine + lines, headers]);
  };
}

function begin(
  request: NodeRequest & { [CONTEXT]?: Context; socketPath?: string },
  headers: unknown,
  spans: ClientSpans,
): ClientRequest | undefined {
  const secure = request.protocol === 'https:';
  const named = splitHost(String(headerValue(request, headers, 'host') ?? ''));
  const outgoing = {
    method: request.method,
    secure,
    host: request.host || named.address || 'localhost',
    port: named.port ?? (secure ? 443 : 80),
    path: request.path,
    has: (header: string) => headerValue(request, headers, header) !== undefined,
  };
  return spans.begin(outgoing, request[CONTEXT] ?? active());
}

/** All that can become of a request is an event, whether somebody listens or not. */
function requestEmit(original: (...args: any[]) => boolean, spans: ClientSpans) {
  return function emit(this: any, event: string | symbol, first: any): boolean {
    const state: ClientRequest | undefined = this[CLIENT];
    if (state !== undefined && !state.ended) {
      switch (event) {
        case 'response':
          // From here on the response tells, see server.ts.
          if (first) first[CLIENT] = state;
          break;
        case 'upgrade':
        case 'connect':
          // The socket is handed over; there is no message whose end could be waited for.
          spans.end(state, first?.statusCode);
          break;
        case 'error':
          spans.end(state, this.res?.statusCode, first ?? undefined, true);
          break;
        case 'close':
          // Destroyed before an answer, or one that came whole and that nobody read.
          if (!this.res) spans.end(state, undefined, undefined, true);
          else if (this.res.complete) spans.end(state, this.res.statusCode);
      }
    }
    return Reflect.apply(original, this, arguments);
  };
}
