import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { REQUEST, storage } from '../context.ts';
import { CLIENT } from './client.ts';
import type { ClientRequest, ClientSpans } from './client-spans.ts';
import { INTERNAL, type ServerRequest } from './server-request.ts';
import type { ServerSpans } from './server-spans.ts';
import { headerValue, undoAll, wrap } from './wrap.ts';

type Emit = (this: any, event: string | symbol, ...args: any[]) => boolean;
type StoreHeader = (this: any, firstLine: string, headers: unknown) => void;

/**
 * HTTP/1 servers. Node's diagnostics channels lose the context of requests with a body on Node 24 and leave it behind on
 * kept-alive sockets on Node 20 and 22, so `emit` of the prototypes is wrapped: of servers, to run handlers in the
 * request's context; of messages, to run their later events in it and to see the response end without adding listeners.
 */
export function instrumentHttp1(
  http: typeof import('node:http'),
  https: typeof import('node:https'),
  correlationHeader: string,
  spans: ServerSpans,
  clients: ClientSpans,
): () => void {
  const undo = [
    wrap(http.Server.prototype, 'emit', (original) => serverEmit(original, spans, false)),
    wrap(https.Server.prototype, 'emit', (original) => serverEmit(original, spans, true)),
    wrap(http.IncomingMessage.prototype, 'emit', (original) => messageEmit(original, clients)),
    wrap(http.ServerResponse.prototype, 'emit', (original) => responseEmit(original, spans)),
    wrap(http.ServerResponse.prototype, '_storeHeader', (original) => storeHeader(original, correlationHeader, spans)),
  ];
  return () => undoAll(undo);
}

function serverEmit(original: Emit, spans: ServerSpans, secure: boolean): Emit {
  return function emit(event, request: IncomingMessage, response: unknown) {
    switch (event) {
      case 'request':
      case 'checkContinue':
      case 'checkExpectation':
        return handle(this, request, response, arguments);
      case 'upgrade':
      case 'connect':
        return upgrade(this, request, response as Socket, arguments);
      default:
        return Reflect.apply(original, this, arguments);
    }
  };

  function handle(server: any, request: any, response: any, args: IArguments): boolean {
    // `checkContinue` may emit `request` again for the same message.
    const known: ServerRequest | undefined = request[REQUEST];
    if (known !== undefined || server[INTERNAL] === true)
      return known ? storage.run(known.context, run, server, args) : run(server, args);
    const state = begin(request);
    response[REQUEST] = state;
    return storage.run(state.context, run, server, args);
  }

  function upgrade(server: any, request: any, socket: Socket, args: IArguments): boolean {
    if (server[INTERNAL] === true) return run(server, args);
    const state = begin(request);
    const handled = storage.run(state.context, run, server, args);
    if (socket.destroyed) spans.end(state, undefined);
    else {
      spans.openStream(state, 'websocket', 101);
      socket.once('close', () => spans.closeStream(state));
    }
    return handled;
  }

  function run(server: any, args: IArguments): boolean {
    return Reflect.apply(original, server, args);
  }

  function begin(request: any): ServerRequest {
    const state = spans.begin({
      headers: request.headers,
      method: request.method,
      target: request.url,
      secure,
      protocolVersion: request.httpVersion,
      socket: request.socket,
    });
    request[REQUEST] = state;
    return state;
  }
}

/** One class serves requests that a server got and responses that a client got. */
function messageEmit(original: Emit, clients: ClientSpans): Emit {
  return function emit(event) {
    const state: ServerRequest | undefined = this[REQUEST];
    if (state === undefined) {
      const client: ClientRequest | undefined = this[CLIENT];
      if (client !== undefined && (event === 'end' || event === 'close')) clients.end(client, this.statusCode);
      return Reflect.apply(original, this, arguments);
    }
    if (this._events?.[event] === undefined || storage.getStore() === state.context)
      return Reflect.apply(original, this, arguments);
    return storage.run(state.context, apply, original, this, arguments);
  };
}

function responseEmit(original: Emit, spans: ServerSpans): Emit {
  return function emit(event) {
    const state: ServerRequest | undefined = this[REQUEST];
    if (state === undefined) return Reflect.apply(original, this, arguments);
    const inside = this._events?.[event] === undefined || storage.getStore() === state.context;
    const result = inside
      ? Reflect.apply(original, this, arguments)
      : storage.run(state.context, apply, original, this, arguments);
    // After the app's own listeners, so that what they log or record still belongs to the request.
    if (event === 'finish') spans.end(state, this.statusCode);
    else if (event === 'close') {
      spans.end(state, undefined);
      spans.closeStream(state);
    }
    return result;
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

function apply(original: Emit, self: unknown, args: IArguments): boolean {
  return Reflect.apply(original, self, args);
}
