import type { IncomingMessage } from 'node:http';
import { INTERNAL, REQUEST } from '../context.ts';
import { CLIENT } from './client.ts';
import type { ClientRequest, ClientSpans } from './client-spans.ts';
import { type Emit, emitIn, enter } from './enter.ts';
import { emitFinish } from './finish.ts';
import type { Http2 } from './http2.ts';
import type { ServerRequest } from './server-request.ts';
import type { ServerSpans } from './server-spans.ts';
import { onFirstAnswer } from './upgrade.ts';
import { headerValue, undoAll, wrap } from './wrap.ts';

type StoreHeader = (this: any, firstLine: string, headers: unknown) => void;

/**
 * HTTP servers. Node's diagnostics channels lose the context of requests with a body on Node 24 and leave it behind on
 * kept-alive sockets on Node 20 and 22, so `emit` of the prototypes is wrapped: of servers, to run handlers in the
 * request's context; of messages, to run their later events in it and to see the response end without adding listeners.
 *
 * The server's `emit` is that of `net.Server`, in which all servers meet: those of `node:http` and `node:https`, and HTTP/2
 * ones, that may also speak HTTP/1. So `node:https` and `node:http2` need not be loaded in a process that does not use them.
 */
export function instrumentServers(
  http: typeof import('node:http'),
  net: typeof import('node:net'),
  correlationHeader: string,
  spans: ServerSpans,
  http2: Http2,
  clients: ClientSpans,
): () => void {
  const undo = [
    ...[net.Server, ...wrappedBefore(http)].map((server) =>
      wrap(server.prototype, 'emit', (original) => serverEmit(original, http, spans, http2)),
    ),
    wrap(http.IncomingMessage.prototype, 'emit', (original) => messageEmit(original, spans, clients)),
    wrap(http.ServerResponse.prototype, 'emit', (original) => responseEmit(original, spans)),
    wrap(http.ServerResponse.prototype, 'assignSocket', assignSocket),
    wrap(http.ServerResponse.prototype, '_storeHeader', (original) => storeHeader(original, correlationHeader, spans)),
  ];
  return () => undoAll(undo);
}

/**
 * Classes of servers that another tool has given an `emit` of their own before us: it leads past `net.Server`'s. A request
 * that meets ours twice is known the second time.
 */
function wrappedBefore(http: typeof import('node:http')): { readonly prototype: object }[] {
  if (!Object.hasOwn(http.Server.prototype, 'emit')) return [];
  const https: typeof import('node:https') = process.getBuiltinModule?.('node:https') ?? require('node:https');
  return [http.Server, ...(Object.hasOwn(https.Server.prototype, 'emit') ? [https.Server] : [])];
}

function serverEmit(
  original: Emit,
  { IncomingMessage, ServerResponse }: typeof import('node:http'),
  spans: ServerSpans,
  http2: Http2,
): Emit {
  return function emit(event, request: any, second: any) {
    switch (event) {
      case 'request':
      case 'checkContinue':
      case 'checkExpectation':
        // Other kinds of server may have events of these names, and tests emit them with objects of their own.
        if (request instanceof IncomingMessage && second instanceof ServerResponse) {
          const state = known(request) ?? begin(this, request);
          if (state === undefined) break;
          (second as any)[REQUEST] ??= state;
          state.response ??= second;
          return enter(state, original, this, arguments);
        }
        break;
      case 'upgrade':
      case 'connect':
        if (request instanceof IncomingMessage && typeof second?.once === 'function') {
          const state = known(request) ?? upgrade(begin(this, request), event, second);
          if (state !== undefined) return enter(state, original, this, arguments);
        }
        break;
      case 'stream': {
        // Streams of even numbers are pushed by the server: nobody has asked for them.
        if (this[INTERNAL] === true || request?.id % 2 === 0) break;
        const state = known(request) ?? http2.begin(request, second);
        if (state !== undefined) return enter(state, original, this, arguments);
      }
    }
    return Reflect.apply(original, this, arguments);
  };

  // A server may emit an event for a request that another one, or itself as `checkContinue`, has had already.
  function known(request: any): ServerRequest | undefined {
    return request?.[REQUEST];
  }

  function begin(server: any, request: IncomingMessage): ServerRequest | undefined {
    const socket = request.socket as (typeof request.socket & { encrypted?: boolean }) | null;
    // A request that came over no connection, as tests make them, may have an answer that never ends.
    if (server[INTERNAL] === true || !socket) return undefined;
    const state = spans.begin({
      headers: request.headers,
      method: request.method,
      target: request.url ?? '',
      secure: socket.encrypted === true,
      protocolVersion: request.httpVersion,
      peerAddress: socket.remoteAddress,
      peerPort: socket.remotePort,
    });
    if (state !== undefined) (request as any)[REQUEST] = state;
    return state;
  }

  function upgrade(state: ServerRequest | undefined, event: 'upgrade' | 'connect', socket: any): ServerRequest | undefined {
    if (state === undefined) return undefined;
    onFirstAnswer(socket, (status) => {
      const accepted = event === 'upgrade' ? status === 101 : status === undefined || (status >= 200 && status < 300);
      if (!accepted) spans.end(state, status);
      else if (event === 'connect') spans.openStream(state, 'tunnel', status);
      else spans.openStream(state, isWebSocket(state) ? 'websocket' : 'upgrade', status);
    });
    socket.once('close', () => {
      spans.end(state, undefined, true);
      spans.closeStream(state);
    });
    return state;
  }
}

function isWebSocket({ message }: ServerRequest): boolean {
  return message.headers.upgrade?.toLowerCase() === 'websocket';
}

/** One class serves requests that a server got and responses that a client got. */
function messageEmit(original: Emit, spans: ServerSpans, clients: ClientSpans): Emit {
  return function emit(event) {
    const state: ServerRequest | undefined = this[REQUEST];
    if (state === undefined) {
      const client: ClientRequest | undefined = this[CLIENT];
      if (client !== undefined && !client.ended) {
        if (event === 'end') clients.end(client, this.statusCode);
        else if (event === 'close') clients.end(client, this.statusCode, this.errored ?? undefined, !this.complete);
      }
      return Reflect.apply(original, this, arguments);
    }
    const result = emitIn(state, original, this, event, arguments);
    // A pipelined request whose turn never came: its response has no socket yet, so it is never told that the client left.
    if (event === 'close' && !state.ended && state.response !== undefined && !state.response.socket && this.socket?.destroyed) {
      spans.end(state, undefined, true);
      spans.closeStream(state);
    }
    return result;
  };
}

function responseEmit(original: Emit, spans: ServerSpans): Emit {
  return function emit(event) {
    const state: ServerRequest | undefined = this[REQUEST];
    if (state === undefined) return Reflect.apply(original, this, arguments);
    const result =
      event === 'finish' ? emitFinish(state, original, this, arguments) : emitIn(state, original, this, event, arguments);
    // After the app's own listeners, so that what they log or record still belongs to the request.
    if (event === 'finish') spans.end(state, this.statusCode);
    else if (event === 'close') {
      if (!state.ended) spans.end(state, this.headersSent ? this.statusCode : undefined, true);
      spans.closeStream(state);
    }
    return result;
  };
}

/**
 * A pipelined response gets its socket, and writes what it has held back, when the one before it has finished. Without this
 * the callbacks of those writes would run in that one's context.
 */
function assignSocket(original: (socket: unknown) => void): (socket: unknown) => void {
  return function (this: any) {
    const state: ServerRequest | undefined = this[REQUEST];
    if (state === undefined) Reflect.apply(original, this, arguments);
    else enter(state, original, this, arguments);
  };
}

/**
 * `_storeHeader` makes the header block of every response, whichever way its headers were set; its first argument is the
 * text that the block begins with. A line added there costs a string concatenation, where `setHeader` would push each
 * response off Node's fast path. This is also the one moment at which the content type is known.
 */
function storeHeader(original: StoreHeader, header: string, spans: ServerSpans): StoreHeader {
  const lower = header.toLowerCase();
  return function _storeHeader(firstLine, headers) {
    const state: ServerRequest | undefined = this[REQUEST];
    if (state === undefined || typeof firstLine !== 'string') return Reflect.apply(original, this, arguments);
    const own = headerValue(this, headers, lower) === undefined ? `${header}: ${state.correlationId}\r\n` : '';
    const result = Reflect.apply(original, this, [firstLine + own, headers]);
    const type = headerValue(this, headers, 'content-type');
    if (typeof type === 'string' && type.startsWith('text/event-stream')) spans.openStream(state, 'sse', this.statusCode);
    return result;
  };
}
