import type { IncomingHttpHeaders } from 'node:http';
import type { Span } from '@opentelemetry/api';
import type { KitContext, RequestState } from '../context.ts';

/** Marks a server of the kit's own, which is not observed. */
export const INTERNAL = Symbol.for('o11y-kit.internal');

/** What a request is described by; HTTP/1 and HTTP/2 both give it. */
export interface RequestMessage {
  readonly headers: IncomingHttpHeaders;
  readonly method: string | undefined;
  /** Path and query as they came. */
  readonly target: string;
  readonly secure: boolean;
  readonly protocolVersion: string;
  readonly socket: { readonly remoteAddress?: string; readonly remotePort?: number } | undefined;
}

/** What the request path keeps of one server request, from its first event to its last. */
export class ServerRequest implements RequestState {
  readonly message: RequestMessage;
  readonly span: Span;
  readonly correlationId: string;
  readonly method: string;
  readonly startedAt: number;
  readonly context: KitContext;
  route: string | (() => string) | undefined = undefined;
  error: unknown = undefined;
  logged = false;
  ended = false;
  /** `sse` or `websocket` once the response has become a stream. */
  stream: 'sse' | 'websocket' | undefined = undefined;
  /** The finished route template, from the moment that it was asked for. */
  template: string | undefined = undefined;

  constructor(message: RequestMessage, caller: KitContext, span: Span, correlationId: string, method: string, startedAt: number) {
    this.message = message;
    this.span = span;
    this.correlationId = correlationId;
    this.method = method;
    this.startedAt = startedAt;
    this.context = caller.forRequest(this, span, correlationId);
  }
}
