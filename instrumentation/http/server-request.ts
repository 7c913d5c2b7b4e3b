import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Span } from '@opentelemetry/api';
import type { FindRoute, KitContext, RequestState, ServerCall } from '../context.ts';

/** `polling` is a long poll, `upgrade` a protocol other than WebSocket, `tunnel` a CONNECT. */
export type StreamKind = 'sse' | 'polling' | 'websocket' | 'upgrade' | 'tunnel';

/** Whoever began a request. */
interface Holder {
  hold(request: ServerRequest): void;
}

/** What a request is described by; HTTP/1 and HTTP/2 both give it. */
export interface RequestMessage {
  readonly headers: IncomingHttpHeaders;
  readonly method: string | undefined;
  /** Path and query as they came. */
  readonly target: string;
  readonly secure: boolean;
  readonly protocolVersion: string;
  /** Of the other end of the connection; read at the start, since they are gone with the connection. */
  readonly peerAddress: string | undefined;
  readonly peerPort: number | undefined;
}

/** What the request path keeps of one server request, from its first event to its last. */
export class ServerRequest implements RequestState {
  message: RequestMessage;
  readonly span: Span;
  readonly correlationId: string;
  readonly method: string;
  readonly startedAt: number;
  readonly context: KitContext;
  route: string | FindRoute | undefined = undefined;
  routeSubject: unknown = undefined;
  routeRoot: unknown = undefined;
  error: unknown = undefined;
  call: ServerCall | undefined = undefined;
  logged = false;
  ended = false;
  /** Of HTTP/1; undefined for upgrades and HTTP/2. */
  response: ServerResponse | undefined = undefined;
  /** What the response has become, where it is no longer one with an end. */
  stream: StreamKind | undefined = undefined;
  /** The finished route template, from the moment that it was asked for. */
  template: string | undefined = undefined;
  readonly #holder: Holder;

  constructor(
    holder: Holder,
    message: RequestMessage,
    caller: KitContext,
    span: Span,
    correlationId: string,
    method: string,
    startedAt: number,
  ) {
    this.#holder = holder;
    this.message = message;
    this.span = span;
    this.correlationId = correlationId;
    this.method = method;
    this.startedAt = startedAt;
    this.context = caller.forRequest(this, span, correlationId);
  }

  hold(): void {
    this.#holder.hold(this);
  }

  /**
   * Lets go of the app's objects. Timers and promises of a kept-alive socket hold the context, and so this, for longer than
   * the request: through it they would carry every request and response into the old generation of the heap.
   */
  release(): void {
    this.message = NOTHING;
    this.route = undefined;
    this.routeSubject = undefined;
    this.routeRoot = undefined;
    this.call = undefined;
    this.response = undefined;
  }
}

const NOTHING: RequestMessage = {
  headers: {},
  method: undefined,
  target: '',
  secure: false,
  protocolVersion: '',
  peerAddress: undefined,
  peerPort: undefined,
};
