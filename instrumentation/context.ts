import { AsyncLocalStorage } from 'node:async_hooks';
import { type Baggage, type Context, createContextKey, isSpanContextValid, type Span, TraceFlags } from '@opentelemetry/api';
import { isCorrelationId } from './correlation.ts';
import { CORRELATION_ID, LOG } from './names.ts';

// The API makes its keys with Symbol.for, so every copy of it, the app's included, agrees on them.
const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN');
const BAGGAGE_KEY = createContextKey('OpenTelemetry Baggage Key');

/**
 * Finds a route template when the response ends. One function serves all requests, with what it needs beside it in the
 * {@link RequestState}: a closure made for each request lives on until a major garbage collection, and takes the request,
 * the response and all that hangs on them with it.
 */
export type FindRoute = (subject: any, root: any) => string;

/** How a server request ended on the wire. */
export interface WireEnd {
  readonly seconds: number;
  /** The other side did not get the whole answer. */
  readonly aborted: boolean;
  readonly headers: Readonly<Record<string, unknown>> | undefined;
  readonly trailers: Readonly<Record<string, unknown>> | undefined;
}

/** A server request that is a call by a protocol on top of HTTP/2 (gRPC), which names and measures it in HTTP's stead. */
export interface ServerCall {
  /** Stands in the access line where requests have their route. */
  readonly name: string;
  /** Describes the span of the request, which ends then, and counts the call. */
  ended(request: RequestState, end: WireEnd): void;
}

/**
 * What the kit knows of one HTTP server request. It stands on the request and the response under {@link REQUEST}, so that
 * the request path reads it without asking the AsyncLocalStorage.
 */
export interface RequestState {
  readonly correlationId: string;
  /** Recording, or a non-recording one that carries the ids of a request that sampling dropped. */
  readonly span: Span;
  readonly method: string;
  /** `performance.now()` at the first event. */
  readonly startedAt: number;
  /** The context in which the app's handlers run. */
  readonly context: KitContext;
  /**
   * The route template, or a function that finds it when the response ends. Set by a framework's file in libraries/.
   * An empty text means that no route matched.
   */
  route: string | FindRoute | undefined;
  /** What {@link FindRoute} is called with. */
  routeSubject: unknown;
  routeRoot: unknown;
  /** The finished route template, once it has been asked for; it outlives the request, {@link route} does not. */
  readonly template?: string | undefined;
  /** The error that a framework handed to its error handler, if any. */
  error: unknown;
  /** What this request is where it is more than HTTP; set by a library's file. */
  call: ServerCall | undefined;
  /** A logger of the app has logged this request, so the kit writes no access line. */
  logged: boolean;
  /**
   * The answer is held back until there is something to say (a long poll). From now on this is an open stream and no longer
   * a request in flight, and it stays out of the latency histogram: how long it takes says nothing of the server.
   */
  hold(): void;
}

/** Key of the {@link RequestState} on `IncomingMessage`, `ServerResponse` and HTTP/2 streams. */
export const REQUEST = Symbol.for('o11y-kit.request');

/** Marks the kit's own servers, so that nothing here takes them for the app's. */
export const INTERNAL = Symbol.for('o11y-kit.internal');

/**
 * An OpenTelemetry context whose hot values are plain fields. Immutable but for the cached {@link logFields}.
 *
 * @see https://opentelemetry.io/docs/specs/otel/context/
 */
export class KitContext implements Context {
  readonly span: Span | undefined;
  readonly correlationId: string | undefined;
  readonly request: RequestState | undefined;
  readonly #values: ReadonlyMap<symbol, unknown> | undefined;
  #logFields: string | undefined;

  constructor(
    span: Span | undefined,
    correlationId: string | undefined,
    request: RequestState | undefined,
    values?: ReadonlyMap<symbol, unknown>,
  ) {
    this.span = span;
    this.correlationId = correlationId;
    this.request = request;
    this.#values = values;
  }

  getValue(key: symbol): unknown {
    return key === SPAN_KEY ? this.span : this.#values?.get(key);
  }

  setValue(key: symbol, value: unknown): KitContext {
    if (key === SPAN_KEY) return new KitContext(value as Span, this.correlationId, this.request, this.#values);
    const values = new Map(this.#values).set(key, value);
    return new KitContext(this.span, this.correlationId, this.request, values);
  }

  deleteValue(key: symbol): KitContext {
    if (key === SPAN_KEY) return new KitContext(undefined, this.correlationId, this.request, this.#values);
    const values = new Map(this.#values);
    values.delete(key);
    return new KitContext(this.span, this.correlationId, this.request, values);
  }

  withCorrelationId(id: string): KitContext {
    return new KitContext(this.span, id, this.request, this.#values);
  }

  /** The context of a request whose caller's context this is: its baggage and other values stay. */
  forRequest(request: RequestState, span: Span, correlationId: string): KitContext {
    return new KitContext(span, correlationId, request, this.#values);
  }

  /** See {@link logFields}; made once a context. */
  get logFields(): string {
    return (this.#logFields ??= buildLogFields(this));
  }
}

export const ROOT = new KitContext(undefined, undefined, undefined);

/** The only AsyncLocalStorage of the kit; OpenTelemetry's context manager is built on it. */
export const storage = new AsyncLocalStorage<Context>();

/** The active context, or {@link ROOT}. */
export function active(): Context {
  return storage.getStore() ?? ROOT;
}

/** Calls a function of the app in the context that it belongs to, {@link ROOT} too: where it is called from may be another's request. */
export function callIn<T>(context: Context, method: (...args: any[]) => T, self: unknown, args: readonly unknown[]): T {
  return storage.getStore() === context
    ? Reflect.apply(method, self, args)
    : storage.run(context, Reflect.apply<any, any, T>, method, self, args);
}

/** The request that is being handled, if any. */
export function activeRequest(): RequestState | undefined {
  const context = storage.getStore();
  return context instanceof KitContext ? context.request : undefined;
}

/** The correlation id of a context: its own, or the one that came in W3C baggage, if that is an allowed one. */
export function correlationIdOf(context: Context): string | undefined {
  if (context instanceof KitContext && context.correlationId !== undefined) return context.correlationId;
  // Percent-decoded text of a stranger: unchecked, it could break out of a header or a log line.
  const id = (context.getValue(BAGGAGE_KEY) as Baggage | undefined)?.getEntry(CORRELATION_ID)?.value;
  return isCorrelationId(id) ? id : undefined;
}

/**
 * The ids of a context as a piece of a JSON object, with a comma before each member: `,"trace_id":"…","span_id":"…",
 * "trace_flags":"01","correlation_id":"…"`; an empty text where there are none. Ids are hex digits and correlation ids
 * were checked on entry, so nothing here needs escaping.
 */
export function logFields(context: Context = active()): string {
  return context instanceof KitContext ? context.logFields : buildLogFields(context);
}

/** The ids of the active context by field name, for loggers that take objects. */
export function logIds(context: Context = active()): Record<string, string> {
  const fields = logFields(context);
  return fields === '' ? {} : JSON.parse(`{${fields.slice(1)}}`);
}

function buildLogFields(context: Context): string {
  let fields = '';
  const spanContext = (context.getValue(SPAN_KEY) as Span | undefined)?.spanContext();
  if (spanContext !== undefined && isSpanContextValid(spanContext)) {
    const flags = spanContext.traceFlags & TraceFlags.SAMPLED ? '01' : '00';
    fields = `,"${LOG.traceId}":"${spanContext.traceId}","${LOG.spanId}":"${spanContext.spanId}","${LOG.traceFlags}":"${flags}"`;
  }
  const id = correlationIdOf(context);
  return id === undefined ? fields : `${fields},"${LOG.correlationId}":${JSON.stringify(id)}`;
}
