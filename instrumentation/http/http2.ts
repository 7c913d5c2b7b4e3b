import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { REQUEST, storage } from '../context.ts';
import type { ServerRequest } from './server-request.ts';
import type { ServerSpans } from './server-spans.ts';
import { undoAll, wrap } from './wrap.ts';

/**
 * HTTP/2 servers, for the compatibility API and for streams. The prototype of server streams is not public: it is taken from
 * the first stream that Node announces. Node 20 announces none, so its HTTP/2 servers stay unobserved.
 */
export function instrumentHttp2(header: string, spans: ServerSpans): () => void {
  let undo: (() => void)[] | undefined;

  const created = ({ stream }: any) => {
    undo ??= patchStreams(Object.getPrototypeOf(stream), header, spans);
  };
  const started = ({ stream, headers }: any) => {
    const socket = stream.session?.socket;
    const state = spans.begin({
      headers: headers[':authority'] && !headers.host ? { ...headers, host: headers[':authority'] } : headers,
      method: headers[':method'],
      target: headers[':path'] ?? '*',
      secure: headers[':scheme'] === 'https' || stream.session?.encrypted === true,
      protocolVersion: '2',
      socket,
    });
    stream[REQUEST] = state;
    // Each stream starts in a callback of its own, so this reaches its handlers and nothing else.
    storage.enterWith(state.context);
  };

  subscribe('http2.server.stream.created', created);
  subscribe('http2.server.stream.start', started);
  return () => {
    unsubscribe('http2.server.stream.created', created);
    unsubscribe('http2.server.stream.start', started);
    undoAll(undo ?? []);
  };
}

function patchStreams(prototype: any, header: string, spans: ServerSpans): (() => void)[] {
  const lower = header.toLowerCase();
  return [
    wrap(
      prototype,
      'emit',
      (original) =>
        function emit(this: any, event: string | symbol) {
          const state: ServerRequest | undefined = this[REQUEST];
          if (state === undefined) return Reflect.apply(original, this, arguments);
          const inside = this._events?.[event] === undefined || storage.getStore() === state.context;
          const result = inside
            ? Reflect.apply(original, this, arguments)
            : storage.run(state.context, apply, original, this, arguments);
          if (event === 'close') {
            const status = this.sentHeaders?.[':status'];
            spans.end(state, this.rstCode === 0 || status === undefined ? status : undefined);
            spans.closeStream(state);
          }
          return result;
        },
    ),
    wrap(
      prototype,
      'respond',
      (original) =>
        function respond(this: any, headers: unknown, ...rest: unknown[]) {
          const state: ServerRequest | undefined = this[REQUEST];
          if (state === undefined || Array.isArray(headers) || (headers as any)?.[lower] !== undefined) {
            return Reflect.apply(original, this, [headers, ...rest]);
          }
          const own = Object.assign(Object.create(null), headers, { [lower]: state.correlationId });
          const type = own['content-type'];
          const result = Reflect.apply(original, this, [own, ...rest]);
          if (typeof type === 'string' && type.startsWith('text/event-stream'))
            spans.openStream(state, 'sse', own[':status'] ?? 200);
          return result;
        },
    ),
  ];
}

function apply(original: (...args: any[]) => unknown, self: unknown, args: IArguments): unknown {
  return Reflect.apply(original, self, args);
}
