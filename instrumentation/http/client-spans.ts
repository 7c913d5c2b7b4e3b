import { type Context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { correlationIdOf } from '../context.ts';
import { reason } from '../diagnostics.ts';
import { errorCategory, errorType } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import type { HistogramChild } from '../metrics/metrics.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { whereIs } from '../recorders/http-connections.ts';
import { createTargetFilter } from '../traces/propagation-targets.ts';
import { type SharedAttributes, setShared, shareable } from '../traces/span.ts';
import { knownMethod, spanMethod } from './attributes.ts';

const MOST_TARGETS = 1000;
const MOST_ENDINGS = 50;
/** What may stand in a header. Our headers are written into the header block by hand, so nothing else checks them. */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
/** The target of a request that goes through a proxy. */
const ABSOLUTE = /^https?:\/\//i;

export interface ClientRequest {
  readonly span: Span;
  readonly target: Target;
  readonly startedAt: number;
  /** Names and values to add to the request. */
  readonly headers: Readonly<Record<string, string>>;
  ended: boolean;
}

/** What is kept of requests with one method to one server. */
interface Target {
  readonly method: string;
  readonly address: string;
  readonly port: number;
  /** First part of their `url.full`. */
  readonly origin: string;
  readonly shared: SharedAttributes;
  /** By status, and by failure where there was one. */
  readonly children: Map<number | string, HistogramChild>;
}

export interface Outgoing {
  readonly method: string;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Path and query; a whole URL where the request goes to a proxy. */
  readonly path: string;
  /** Whether the app has set this header (lower case) by hand; then it is left as it is. */
  has(header: string): boolean;
}

/** Client spans and the duration histogram of outgoing requests, for `node:http` and undici alike. Nothing here throws. */
export interface ClientSpans {
  /** Undefined where the active context suppresses tracing: nothing is recorded or sent along then. */
  begin(outgoing: Outgoing, parent: Context): ClientRequest | undefined;
  /** Ends a request, once. `status` is undefined where no answer came; `aborted` says that it did not come whole. */
  end(request: ClientRequest, status: number | undefined, error?: unknown, aborted?: boolean): void;
}

export function createClientSpans(kit: Kit): ClientSpans {
  const { config, metrics, tracing } = kit;
  const isTarget = createTargetFilter(config.propagationTargets);
  const duration = metrics.histogram(METRICS.httpClientDuration);
  const targets = new Map<string, Target>();

  function begin(outgoing: Outgoing, parent: Context): ClientRequest | undefined {
    if (isTracingSuppressed(parent)) return undefined;
    try {
      return open(ABSOLUTE.test(outgoing.path) ? throughProxy(outgoing) : outgoing, parent);
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  function failed(error: unknown): void {
    kit.diagnostics.warn(
      `O11Y_INSTRUMENTATION: an outgoing request could not be observed: ${reason(error)}. It is sent all the same.`,
      'http client',
    );
  }

  function open(outgoing: Outgoing, parent: Context): ClientRequest {
    const startedAt = performance.now();
    const target = targetOf(outgoing);
    const id = correlationIdOf(parent);
    const span = tracing.startSpan(spanMethod(target.method), SpanKind.CLIENT, trace.getSpanContext(parent), startedAt);
    if (span.isRecording()) {
      setShared(span, target.shared);
      if (target.method === '_OTHER') span.setAttribute('http.request.method_original', outgoing.method);
      // The target of CONNECT and of `OPTIONS *` is no path.
      span.setAttribute('url.full', outgoing.path.startsWith('/') ? target.origin + outgoing.path : target.origin);
      if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
    }
    return { span, target, startedAt, headers: headersFor(outgoing, span, parent, id), ended: false };
  }

  function targetOf({ method, secure, host, port }: Outgoing): Target {
    const known = knownMethod(method);
    const key = `${known} ${secure ? 'https' : 'http'}://${host} ${port}`;
    let target = targets.get(key);
    if (target === undefined) {
      if (targets.size >= MOST_TARGETS) targets.clear();
      targets.set(key, (target = describeTarget(known, secure, host, port)));
    }
    return target;
  }

  function headersFor(outgoing: Outgoing, span: Span, parent: Context, id: string | undefined): Record<string, string> {
    const headers: Record<string, string> = {};
    tracing.propagation.injectTrace(parent, span, headers);
    if (isTarget(outgoing.host)) {
      if (id !== undefined) headers[config.correlationHeader] = id;
      tracing.propagation.injectBaggage(parent, id, headers);
    }
    for (const name in headers) {
      if (outgoing.has(name.toLowerCase()) || !HEADER_VALUE.test(headers[name])) delete headers[name];
    }
    return headers;
  }

  function end(request: ClientRequest, status: number | undefined, error?: unknown, aborted = false): void {
    if (request.ended) return;
    request.ended = true;
    try {
      finish(request, status, error, aborted);
    } catch (failure) {
      failed(failure);
    }
  }

  function finish(request: ClientRequest, status: number | undefined, error: unknown, aborted: boolean): void {
    const { span, startedAt } = request;
    const endedAt = performance.now();
    const failure = failureOf(status, error, aborted);
    child(request, status, failure).observe((endedAt - startedAt) / 1000, span.spanContext());
    if (error !== undefined) kit.onError(error);
    if (span.isRecording()) {
      if (status !== undefined) span.setAttribute('http.response.status_code', status);
      if (failure !== '') {
        span.setAttribute('error.type', failure);
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : undefined });
      }
      if (error !== undefined) {
        span.setAttribute('error.category', errorCategory(error));
        span.recordException(error as Error);
      }
    }
    (span as { endAt?: (reading: number) => void }).endAt?.(endedAt);
  }

  function child({ target }: ClientRequest, status: number | undefined, failure: string): HistogramChild {
    const { method, address, port, children } = target;
    const key = failure === '' && status !== undefined ? status : `${status} ${failure}`;
    const known = children.get(key);
    if (known !== undefined) return known;
    if (children.size >= MOST_ENDINGS) children.clear();
    const made = duration.child(method, address, String(port), status === undefined ? '' : String(status), failure);
    children.set(key, made);
    return made;
  }

  return { begin, end };
}

function describeTarget(method: string, secure: boolean, address: string, port: number): Target {
  const host = address.includes(':') ? `[${address}]` : address;
  const origin = `${secure ? 'https' : 'http'}://${host}${port === (secure ? 443 : 80) ? '' : `:${port}`}`;
  const shared = shareable({ 'http.request.method': method, 'server.address': address, 'server.port': port });
  return { method, address, port, origin, shared, children: new Map() };
}

/** `error.type`, or an empty text. */
function failureOf(status: number | undefined, error: unknown, aborted: boolean): string {
  if (error !== undefined) return errorType(error);
  if (status === undefined || aborted) return 'aborted';
  return status >= 400 ? String(status) : '';
}

/** A request to a proxy as the request to its target that it is. */
function throughProxy(outgoing: Outgoing): Outgoing {
  const url = new URL(outgoing.path);
  const { address: host, port } = whereIs(url);
  return {
    method: outgoing.method,
    secure: url.protocol === 'https:',
    host,
    port,
    path: url.pathname + url.search,
    has: (header) => outgoing.has(header),
  };
}
