import { REQUEST } from '../context.ts';
import { type Emit, emitIn } from './enter.ts';
import type { ServerRequest } from './server-request.ts';
import type { ServerSpans } from './server-spans.ts';
import { undoAll, wrap } from './wrap.ts';

/** Streams of HTTP/2 servers, for the compatibility API and for the stream API alike. */
export interface Http2 {
  /** A server is about to emit `stream`: the request that it is, undefined if it is not observed. */
  begin(stream: unknown, headers: unknown): ServerRequest | undefined;
  undo(): void;
}

/**
 * The prototype of server streams is not public: it is taken from the first stream. As with HTTP/1, its `emit` is wrapped to
 * run later events in the request's context and to see the stream end.
 */
export function createHttp2(header: string, spans: ServerSpans): Http2 {
  const lower = header.toLowerCase();
  const patched = new WeakSet<object>();
  const undo: (() => void)[] = [];

  function patch(prototype: object): void {
    if (patched.has(prototype)) return;
    patched.add(prototype);
    undo.push(
      wrap(prototype, 'emit', (original) => streamEmit(original, spans)),
      wrap(prototype, 'respond', (original) => respond(original, 0, lower, spans)),
      wrap(prototype, 'respondWithFD', (original) => respond(original, 1, lower, spans)),
      wrap(prototype, 'respondWithFile', (original) => respond(original, 1, lower, spans)),
    );
  }

  return {
    begin(stream: any, headers: any) {
      if (typeof stream?.respond !== 'function' || typeof headers?.[':method'] !== 'string') return undefined;
      const { session } = stream;
      const state = spans.begin({
        headers,
        method: headers[':method'],
        target: headers[':path'] ?? '*',
        secure: headers[':scheme'] === 'https' || session?.encrypted === true,
        protocolVersion: '2',
        ...peerOf(session),
      });
      if (state === undefined) return undefined;
      patch(Object.getPrototypeOf(stream));
      stream[REQUEST] = state;
      return state;
    },
    undo: () => undoAll(undo),
  };
}

function peerOf(session: any): { peerAddress: string | undefined; peerPort: number | undefined } {
  try {
    return { peerAddress: session.socket.remoteAddress, peerPort: session.socket.remotePort };
  } catch {
    // The socket of a session that has ended meanwhile throws whatever it is asked.
    return { peerAddress: undefined, peerPort: undefined };
  }
}

function streamEmit(original: Emit, spans: ServerSpans): Emit {
  return function emit(event) {
    const state: ServerRequest | undefined = this[REQUEST];
    if (state === undefined) return Reflect.apply(original, this, arguments);
    const result = emitIn(state, original, this, event, arguments);
    if (event === 'close') {
      const status = statusOf(this);
      spans.end(state, status, this.rstCode !== 0 || status === undefined, this);
      spans.closeStream(state);
    }
    return result;
  };
}

/** The ways to send headers; they stand at `at` among the arguments: an object, a flat list on new Node, or missing. */
function respond(original: (...args: any[]) => unknown, at: number, lower: string, spans: ServerSpans) {
  return function (this: any, ...args: any[]): unknown {
    const state: ServerRequest | undefined = this[REQUEST];
    if (state === undefined) return Reflect.apply(original, this, args);
    const given = args[at];
    if (!has(given, lower)) args[at] = withHeader(given, lower, state.correlationId);
    const result = Reflect.apply(original, this, args);
    const sent = this.sentHeaders;
    const type = sent?.['content-type'];
    if (typeof type === 'string' && type.startsWith('text/event-stream')) spans.openStream(state, 'sse', statusOf(this));
    // WebSocket over HTTP/2. @see https://www.rfc-editor.org/rfc/rfc8441
    else if (state.message.headers[':protocol'] === 'websocket' && statusOf(this) === 200)
      spans.openStream(state, 'websocket', 200);
    return result;
  };
}

/** What was sent; a text where the app gave one. */
function statusOf(stream: { sentHeaders?: Record<string, unknown> }): number | undefined {
  const status = stream.sentHeaders?.[':status'];
  return status === undefined ? undefined : Number(status);
}

function has(headers: unknown, lower: string): boolean {
  if (Array.isArray(headers)) return headers.some((name, i) => i % 2 === 0 && String(name).toLowerCase() === lower);
  return typeof headers === 'object' && headers !== null && Object.keys(headers).some((name) => name.toLowerCase() === lower);
}

function withHeader(headers: unknown, lower: string, id: string): unknown {
  if (Array.isArray(headers)) return [...headers, lower, id];
  // What is neither is for Node to refuse.
  if (headers !== undefined && headers !== null && typeof headers !== 'object') return headers;
  // Symbols come along: Node keeps the list of sensitive headers under one.
  return Object.assign(Object.create(null), headers, { [lower]: id });
}
