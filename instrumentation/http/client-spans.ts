import { propagation as baggageApi, type Context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { correlationIdOf } from '../context.ts';
import { errorType } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import type { HistogramChild } from '../metrics/metrics.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { knownMethod, spanMethod } from './attributes.ts';
import { createTargetFilter } from './propagation-targets.ts';

const MOST_CHILDREN = 5000;

export interface ClientRequest {
  readonly span: Span;
  readonly method: string;
  readonly address: string;
  readonly port: number;
  readonly startedAt: number;
  /** Names and values to add to the request. */
  readonly headers: Readonly<Record<string, string>>;
  ended: boolean;
}

export interface Outgoing {
  readonly method: string;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  /** Whether the app has set this header (lower case) by hand; then it is left as it is. */
  has(header: string): boolean;
}

/** Client spans and the duration histogram of outgoing requests, for `node:http` and undici alike. */
export interface ClientSpans {
  /** Undefined where the active context suppresses tracing: nothing is recorded or sent along then. */
  begin(outgoing: Outgoing, parent: Context): ClientRequest | undefined;
  end(request: ClientRequest, status: number | undefined, error?: unknown): void;
}

const setter = {
  set(carrier: Record<string, string>, key: string, value: string) {
    carrier[key] = value;
  },
};

export function createClientSpans(kit: Kit): ClientSpans {
  const { config, metrics, tracing, redactor } = kit;
  const isTarget = createTargetFilter(config.propagationTargets);
  const duration = metrics.histogram(METRICS.httpClientDuration);
  const children = new Map<string, HistogramChild>();

  function begin(outgoing: Outgoing, parent: Context): ClientRequest | undefined {
    if (isTracingSuppressed(parent)) return undefined;
    const startedAt = performance.now();
    const method = knownMethod(outgoing.method);
    const span = tracing.startSpan(spanMethod(method), SpanKind.CLIENT, trace.getSpanContext(parent), startedAt);
    if (span.isRecording()) {
      const scheme = outgoing.secure ? 'https' : 'http';
      const standard = outgoing.port === (outgoing.secure ? 443 : 80);
      const host = outgoing.host.includes(':') ? `[${outgoing.host}]` : outgoing.host;
      span.setAttribute('http.request.method', method);
      if (method === '_OTHER') span.setAttribute('http.request.method_original', outgoing.method);
      span.setAttribute('server.address', outgoing.host);
      span.setAttribute('server.port', outgoing.port);
      span.setAttribute('url.full', `${scheme}://${host}${standard ? '' : `:${outgoing.port}`}${redactor.text(outgoing.path)}`);
      const id = correlationIdOf(parent);
      if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
    }
    return {
      span,
      method,
      address: outgoing.host,
      port: outgoing.port,
      startedAt,
      headers: headersFor(outgoing, span, parent),
      ended: false,
    };
  }

  function headersFor(outgoing: Outgoing, span: Span, parent: Context): Record<string, string> {
    const headers: Record<string, string> = {};
    tracing.propagation.trace.inject(trace.setSpan(parent, span), headers, setter);
    if (isTarget(outgoing.host)) {
      const id = correlationIdOf(parent);
      if (id !== undefined) headers[config.correlationHeader] = id;
      tracing.propagation.baggage?.inject(withCorrelation(parent, id), headers, setter);
    }
    for (const name of Object.keys(headers)) if (outgoing.has(name.toLowerCase())) delete headers[name];
    return headers;
  }

  function end(request: ClientRequest, status: number | undefined, error?: unknown): void {
    if (request.ended) return;
    request.ended = true;
    const { span, startedAt } = request;
    const endedAt = performance.now();
    const failure =
      error !== undefined ? errorType(error) : status === undefined ? 'aborted' : status >= 400 ? String(status) : '';
    child(request, status, failure).observe((endedAt - startedAt) / 1000, span.spanContext());
    if (error !== undefined) kit.onError(error);
    if (!span.isRecording()) return;
    if (status !== undefined) span.setAttribute('http.response.status_code', status);
    if (failure !== '') span.setAttribute('error.type', failure);
    if (error instanceof Error) span.recordException(error);
    if (failure !== '')
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : undefined });
    (span as { endAt?: (reading: number) => void }).endAt?.(endedAt);
  }

  function child({ method, address, port }: ClientRequest, status: number | undefined, failure: string): HistogramChild {
    const code = status === undefined ? '' : String(status);
    const key = `${method} ${address} ${port} ${code} ${failure}`;
    const known = children.get(key);
    if (known !== undefined) return known;
    if (children.size >= MOST_CHILDREN) children.clear();
    const made = duration.child(method, address, String(port), code, failure);
    children.set(key, made);
    return made;
  }

  return { begin, end };
}

function withCorrelation(parent: Context, id: string | undefined): Context {
  if (id === undefined) return parent;
  const baggage = baggageApi.getBaggage(parent) ?? baggageApi.createBaggage();
  return baggageApi.setBaggage(parent, baggage.setEntry(CORRELATION_ID, { value: id }));
}
