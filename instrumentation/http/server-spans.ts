import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { correlationIdOf, KitContext, ROOT, type ServerCall } from '../context.ts';
import { acceptCorrelationId, isCorrelationId } from '../correlation.ts';
import { reason } from '../diagnostics.ts';
import { errorCategory, errorType } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import type { HistogramChild } from '../metrics/metrics.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { type SharedAttributes, setShared, shareable } from '../traces/span.ts';
import { clientAddress, hostOf, knownMethod, serverAttributes, spanMethod } from './attributes.ts';
import { type RequestMessage, ServerRequest, type StreamKind } from './server-request.ts';

const FALLBACK_HEADER = 'x-request-id';
const MOST_ROUTES = 2000;
const MOST_ENDINGS = 100;

/** Start and end of server requests: span, RED sample, correlation id, access line, in one pass. Nothing here throws. */
export interface ServerSpans {
  /** Undefined where it failed: the app then handles the request unobserved. */
  begin(message: RequestMessage): ServerRequest | undefined;
  /**
   * Ends a request, once. `status` is undefined where no response was sent; `aborted` says that it was not sent whole;
   * `sent` is the stream of HTTP/2, with what was sent around the body.
   */
  end(request: ServerRequest, status: number | undefined, aborted?: boolean, sent?: Sent): void;
  /** The response has become a stream: its span ends here, and it stays out of the latency histogram. */
  openStream(request: ServerRequest, kind: StreamKind, status: number | undefined): void;
  closeStream(request: ServerRequest): void;
  stop(): void;
}

/** Of a stream of HTTP/2. */
export interface Sent {
  readonly sentHeaders?: Readonly<Record<string, unknown>>;
  readonly sentTrailers?: Readonly<Record<string, unknown>>;
}

/** What is kept of requests with the same method, route and outcome. */
interface Ending {
  readonly spanName: string;
  child: HistogramChild | undefined;
  /** Of the last of them, with what {@link sharedOf} made of it. */
  host: string | undefined;
  secure: boolean;
  protocol: string;
  shared: SharedAttributes | undefined;
}

const getter = {
  get: (carrier: Record<string, string | string[] | undefined>, key: string) => carrier[key],
  keys: (carrier: Record<string, unknown>) => Object.keys(carrier),
};

export function createServerSpans(kit: Kit): ServerSpans {
  const { config, metrics, tracing, logs } = kit;
  const { fields } = tracing.propagation;
  const header = config.correlationHeader.toLowerCase();
  const trusted = config.trustInbound === 'on';
  const duration = metrics.histogram(METRICS.httpServerDuration);
  const byMethod = new Map<string, Map<string, Map<number | string, Ending>>>();
  const active: Record<string, number> = {};
  const streams = metrics.gauge(METRICS.httpServerStreams);
  const activeGauge = metrics.gauge(METRICS.httpServerActive);
  const stopScrape = metrics.onScrape('http_server', () => {
    for (const method of Object.keys(active)) activeGauge.set({ http_request_method: method }, active[method]);
  });

  const holder = {
    hold(request: ServerRequest): void {
      if (request.ended || request.stream !== undefined) return;
      request.stream = 'polling';
      active[request.method]--;
      streams.add({ http_route: routeOf(request), network_protocol_name: 'polling' }, 1);
    },
  };

  function begin(message: RequestMessage): ServerRequest | undefined {
    try {
      return open(message);
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  function failed(error: unknown): void {
    kit.diagnostics.warn(
      `O11Y_INSTRUMENTATION: a request could not be observed: ${reason(error)}. The app handles it all the same.`,
      'http server',
    );
  }

  function open(message: RequestMessage): ServerRequest {
    const startedAt = performance.now();
    const { headers } = message;
    const method = knownMethod(message.method);
    const caller = isPropagated(headers) ? extract(headers) : ROOT;
    const remote = caller.span?.spanContext();
    const correlationId = inboundId(headers, caller);
    const span = tracing.startSpan(spanMethod(method), SpanKind.SERVER, trusted ? remote : undefined, startedAt);
    if (remote !== undefined && !trusted) span.addLink({ context: remote });
    // Baggage of a caller that is not trusted would be handed on to the app's own services.
    const request = new ServerRequest(holder, message, trusted ? caller : ROOT, span, correlationId, method, startedAt);
    active[method] = (active[method] ?? 0) + 1;
    return request;
  }

  function isPropagated(headers: RequestMessage['headers']): boolean {
    for (const field of fields) if (headers[field] !== undefined) return true;
    return false;
  }

  /** The first of header, `x-request-id` and baggage that has an allowed id; otherwise a new one. */
  function inboundId(headers: RequestMessage['headers'], caller: KitContext): string {
    const own = headers[header];
    if (isCorrelationId(own)) return own;
    const fallback = headers[FALLBACK_HEADER];
    return isCorrelationId(fallback) ? fallback : acceptCorrelationId(correlationIdOf(caller));
  }

  function extract(headers: RequestMessage['headers']): KitContext {
    const context = tracing.propagation.all.extract(ROOT, headers, getter);
    return context instanceof KitContext ? context : ROOT;
  }

  function end(request: ServerRequest, status: number | undefined, aborted = false, sent?: Sent): void {
    if (request.ended) return;
    request.ended = true;
    if (request.stream !== 'polling') active[request.method]--;
    try {
      if (request.call === undefined) finish(request, status, aborted);
      else finishCall(request, request.call, status, aborted, sent);
    } catch (error) {
      failed(error);
    }
    request.release();
  }

  function finish(request: ServerRequest, status: number | undefined, aborted: boolean): void {
    const endedAt = performance.now();
    const template = routeOf(request);
    const failure = failureOf(request, status, aborted);
    const ending = endingOf(request.method, template, status, failure);
    if (request.stream === undefined) {
      const seconds = (endedAt - request.startedAt) / 1000;
      ending.child ??= duration.child(request.method, template, status === undefined ? '' : String(status), failure);
      ending.child.observe(seconds, request.span.spanContext());
    }
    if (request.span.isRecording()) describe(request, template, status, failure, ending);
    // What a caller did wrong (a 404, a refused body) is his error: counted, it would let a scanner raise an alarm.
    if (failure !== '' && request.error !== undefined) kit.onError(request.error);
    close(request, template, status, endedAt);
  }

  function finishCall(
    request: ServerRequest,
    call: ServerCall,
    status: number | undefined,
    aborted: boolean,
    sent: Sent | undefined,
  ): void {
    const endedAt = performance.now();
    const seconds = (endedAt - request.startedAt) / 1000;
    call.ended(request, { seconds, aborted, headers: sent?.sentHeaders, trailers: sent?.sentTrailers });
    if (request.span.isRecording()) {
      request.span.setAttributes(serverAttributes(request.message));
      describeCaller(request);
    }
    close(request, call.name, status, endedAt);
  }

  /** Ends the span and writes the access line. */
  function close(request: ServerRequest, route: string, status: number | undefined, endedAt: number): void {
    const { message } = request;
    (request.span as { endAt?: (reading: number) => void }).endAt?.(endedAt);
    logs.access({
      method: message.method ?? request.method,
      route,
      path: message.target,
      status: status ?? 0,
      durationMs: endedAt - request.startedAt,
      client: clientAddress(message.headers, message.peerAddress),
      userAgent: message.headers['user-agent'],
      context: request.context,
    });
  }

  function routeOf(request: ServerRequest): string {
    if (request.template !== undefined) return request.template;
    let template: unknown;
    try {
      template = typeof request.route === 'function' ? request.route(request.routeSubject, request.routeRoot) : request.route;
    } catch (error) {
      kit.diagnostics.debug(`the route of a request could not be read: ${errorType(error)}`, 'route');
    }
    return (request.template = typeof template === 'string' ? template.slice(0, 255) : '');
  }

  function failureOf({ error }: ServerRequest, status: number | undefined, aborted: boolean): string {
    if (status !== undefined && status < 500 && !aborted) return '';
    if (error !== undefined) return errorType(error);
    return status === undefined || status < 500 ? 'aborted' : String(status);
  }

  function endingOf(method: string, route: string, status: number | undefined, failure: string): Ending {
    // Each is a text that is there already, its hash known: to look it up costs less than to make one key of all.
    const endings = within(within(byMethod, method), route);
    const key = failure === '' ? (status ?? 0) : `${status} ${failure}`;
    let known = endings.get(key);
    if (known === undefined) {
      const spanName = `${spanMethod(method)} ${route}`;
      known = { spanName, child: undefined, host: undefined, secure: false, protocol: '', shared: undefined };
      if (endings.size < MOST_ENDINGS) endings.set(key, known);
    }
    return known;
  }

  function describe(request: ServerRequest, template: string, status: number | undefined, failure: string, ending: Ending): void {
    const { span, message, method } = request;
    const { target } = message;
    const query = target.indexOf('?');
    // Where no route matched, the name is the method, or what the app has made of it.
    if (template !== '') span.updateName(ending.spanName);
    setShared(span, sharedOf(ending, message, method, template, status));
    if (method === '_OTHER' && message.method) span.setAttribute('http.request.method_original', message.method);
    span.setAttribute('url.path', query < 0 ? target : target.slice(0, query));
    if (query >= 0) span.setAttribute('url.query', target.slice(query + 1));
    describeCaller(request);
    if (failure !== '') span.setAttribute('error.type', failure);
    if (failure !== '' && request.error !== undefined) {
      span.setAttribute('error.category', errorCategory(request.error));
      span.recordException(request.error as Error);
    }
    if ((status !== undefined && status >= 500) || (status === undefined && request.error !== undefined)) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: request.error instanceof Error ? request.error.message : undefined });
    }
  }

  function describeCaller({ span, message, correlationId }: ServerRequest): void {
    const { headers, peerAddress, peerPort } = message;
    const client = clientAddress(headers, peerAddress);
    if (client) span.setAttribute('client.address', client);
    if (peerAddress) span.setAttribute('network.peer.address', peerAddress);
    if (peerPort) span.setAttribute('network.peer.port', peerPort);
    if (headers['user-agent']) span.setAttribute('user_agent.original', headers['user-agent']);
    span.setAttribute(CORRELATION_ID, correlationId);
  }

  return {
    begin,
    end,
    openStream(request, kind, status) {
      if (request.ended) return;
      request.stream = kind;
      streams.add({ http_route: routeOf(request), network_protocol_name: kind }, 1);
      end(request, status);
    },
    closeStream(request) {
      if (request.stream === undefined) return;
      streams.add({ http_route: routeOf(request), network_protocol_name: request.stream }, -1);
      request.stream = undefined;
    },
    stop: stopScrape,
  };
}

/**
 * What requests to one address that end alike have alike: half of the attributes. Written once for all of them, which on a
 * Fastify route makes the main thread's added CPU time 0.96 of what it was.
 */
function sharedOf(
  ending: Ending,
  message: RequestMessage,
  method: string,
  template: string,
  status: number | undefined,
): SharedAttributes {
  const { secure, protocolVersion } = message;
  const host = hostOf(message.headers);
  if (ending.shared !== undefined && ending.host === host && ending.secure === secure && ending.protocol === protocolVersion)
    return ending.shared;
  const attributes = serverAttributes(message);
  if (template !== '') attributes['http.route'] = template;
  attributes['http.request.method'] = method;
  attributes['url.scheme'] = secure ? 'https' : 'http';
  if (status !== undefined) attributes['http.response.status_code'] = status;
  return Object.assign(ending, { host, secure, protocol: protocolVersion, shared: shareable(attributes) }).shared;
}

/** The inner map of a key, made where there is none. */
function within<V extends Map<unknown, unknown>>(maps: Map<string, V>, key: string): V {
  let inner = maps.get(key);
  if (inner === undefined) {
    // Routes are templates, so this never fills up; if a framework hands out raw paths after all, memory stays bounded.
    if (maps.size >= MOST_ROUTES) maps.clear();
    inner = new Map() as V;
    maps.set(key, inner);
  }
  return inner;
}
