import { type Context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { active, activeRequest, correlationIdOf, type RequestState, type ServerCall, storage, type WireEnd } from '../context.ts';
import { reason } from '../diagnostics.ts';
import { errorCategory } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { createTargetFilter } from '../traces/propagation-targets.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';
import { addressOf, CANCELLED, isServerFailure, OK, type Status, statusName, UNKNOWN } from './grpc-status.ts';
import { type Method, patch } from './patch.ts';

interface Metadata {
  clone(): Metadata;
  get(key: string): unknown[];
  set(key: string, value: string): void;
}

interface Listener {
  onReceiveMetadata(metadata: unknown): unknown;
  onReceiveMessage(message: unknown): unknown;
  onReceiveStatus(status: Status): unknown;
}

interface Call {
  start(metadata: Metadata, listener: Listener): unknown;
}

interface Exports {
  readonly Server: { readonly prototype: object };
  readonly Channel: { readonly prototype: object };
}

/** Of methods that the server does not have: a caller could make up any number of names. */
const NO_METHOD = '_OTHER';

/**
 * gRPC, client and server. Every call of a client goes through `createCall` of its channel, with all retries below it. A call
 * on the server is a request that the kit's HTTP/2 has seen already: it is told its method, and its status is read from the
 * trailers, so there is one span whatever kind of handler answered, or none did.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/rpc/grpc/
 */
export const grpc = defineLibrary<Exports>({
  name: 'grpc',
  gives:
    'Calls by method and status on client and server, streams too: one trace through both, the correlation id in handlers, durations, errors by category.',
  packages: { '@grpc/grpc-js': '>=1.8.0 <2.0.0' },
  accepts: (exports): exports is Exports =>
    isExports(exports) && typeof exports.Server === 'function' && typeof exports.Channel === 'function',
  wire: ({ Server, Channel }, kit) => together([wireServer(Server.prototype, kit), wireClient(Channel.prototype, kit)]),
});

function wireServer(prototype: object, kit: Kit): Undo {
  const duration = kit.metrics.histogram(METRICS.rpcServerDuration);

  function ended(method: string, { span, error }: RequestState, { seconds, aborted, headers, trailers }: WireEnd): void {
    const sent = trailers?.['grpc-status'] ?? headers?.['grpc-status'];
    const code = sent === undefined ? (aborted ? CANCELLED : UNKNOWN) : Number(sent);
    const name = statusName(code);
    const failed = isServerFailure(code);
    const labels = { rpc_system_name: 'grpc', rpc_method: method, rpc_response_status_code: name };
    duration.observe({ ...labels, error_type: failed ? name : '' }, seconds, span.spanContext());
    const message = trailers?.['grpc-message'] ?? headers?.['grpc-message'];
    const failure = { name, code, details: decoded(message), metadata: {} };
    if (failed) kit.onError(error ?? failure);
    if (!span.isRecording()) return;
    describe(span, method, name);
    if (failed) recordFailure(span, failure);
  }

  const callOf = (method: string): ServerCall => ({ name: method, ended: (request, end) => ended(method, request, end) });

  return patch(
    prototype,
    '_retrieveHandler',
    (original) =>
      function (this: unknown, ...args) {
        const request = activeRequest();
        // Where there is no such method it throws before 1.10, and returns null since.
        if (request !== undefined) request.call = callOf(NO_METHOD);
        const handler: { readonly path?: unknown } | null | undefined = Reflect.apply(original, this, args);
        if (request !== undefined && typeof handler?.path === 'string') request.call = callOf(methodOf(handler.path));
        return handler;
      },
  );
}

function wireClient(prototype: object, kit: Kit): Undo {
  const { config, tracing } = kit;
  const duration = kit.metrics.histogram(METRICS.rpcClientDuration);
  const isTarget = createTargetFilter(config.propagationTargets);

  /** What the kit adds must never become the app's error. */
  function guarded<T>(fn: () => T): T | undefined {
    try {
      return fn();
    } catch (error) {
      kit.diagnostics.warn(
        `O11Y_INSTRUMENTATION: a gRPC call could not be observed: ${reason(error)}. It goes its way all the same.`,
        'grpc',
      );
      return undefined;
    }
  }

  function begin(method: string, target: string, parent: Context, startedAt: number): { span: Span; fields: Fields } {
    const span = tracing.startSpan(method, SpanKind.CLIENT, trace.getSpanContext(parent), startedAt);
    const { address, port } = addressOf(target);
    const id = correlationIdOf(parent);
    if (span.isRecording()) {
      if (address !== '') span.setAttribute('server.address', address);
      if (port !== undefined) span.setAttribute('server.port', port);
      if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
    }
    const fields: Record<string, string> = {};
    tracing.propagation.injectTrace(parent, span, fields);
    if (isTarget(address)) {
      if (id !== undefined) fields[config.correlationHeader.toLowerCase()] = id;
      tracing.propagation.injectBaggage(parent, id, fields);
    }
    return { span, fields };
  }

  function end(span: Span, method: string, startedAt: number, { code, details, metadata }: Status): void {
    const endedAt = performance.now();
    const name = statusName(code);
    const failed = code !== OK;
    const labels = { rpc_system_name: 'grpc', rpc_method: method, rpc_response_status_code: name };
    duration.observe({ ...labels, error_type: failed ? name : '' }, (endedAt - startedAt) / 1000, span.spanContext());
    const failure = { name, code, details, metadata };
    if (failed) kit.onError(failure);
    if (span.isRecording()) {
      describe(span, method, name);
      if (failed) recordFailure(span, failure);
    }
    (span as { endAt?: (reading: number) => void }).endAt?.(endedAt);
  }

  function observe(call: Call, method: string, target: string): void {
    const context = active();
    if (isTracingSuppressed(context)) return;
    const startedAt = performance.now();
    const { start } = call;
    call.start = (metadata, listener) => {
      const begun = guarded(() => begin(method, target, context, startedAt));
      if (begun === undefined) return start.call(call, metadata, listener);
      const { span, fields } = begun;
      // Otherwise callbacks would run in the context in which the connection was made.
      const inside: Listener = {
        onReceiveMetadata: (received) => storage.run(context, () => listener.onReceiveMetadata(received)),
        onReceiveMessage: (message) => storage.run(context, () => listener.onReceiveMessage(message)),
        onReceiveStatus: (status) => {
          guarded(() => end(span, method, startedAt, status));
          return storage.run(context, () => listener.onReceiveStatus(status));
        },
      };
      return start.call(call, guarded(() => withFields(metadata, fields)) ?? metadata, inside);
    };
  }

  return patch(
    prototype,
    'createCall',
    (original: Method) =>
      function (this: { getTarget(): string }, ...args) {
        const call = Reflect.apply(original, this, args);
        guarded(() => observe(call, methodOf(String(args[0])), this.getTarget()));
        return call;
      },
  );
}

type Fields = Readonly<Record<string, string>>;

/** A copy, since the app may send its own metadata again; what the app has set by hand stays. */
function withFields(metadata: Metadata, fields: Fields): Metadata {
  const own = metadata.clone();
  for (const [key, value] of Object.entries(fields)) if (own.get(key).length === 0) own.set(key, value);
  return own;
}

/** `/shop.Orders/Get` without its first stroke, as OpenTelemetry writes it. */
function methodOf(path: string): string {
  return path.replace(/^\//, '').slice(0, 255);
}

function describe(span: Span, method: string, status: string): void {
  span.updateName(method === NO_METHOD ? 'grpc' : method);
  span.setAttribute('rpc.system.name', 'grpc');
  span.setAttribute('rpc.method', method);
  span.setAttribute('rpc.response.status_code', status);
}

function recordFailure(span: Span, failure: Status & { readonly name: string }): void {
  span.setAttribute('error.type', failure.name);
  span.setAttribute('error.category', errorCategory(failure));
  span.setStatus({ code: SpanStatusCode.ERROR, message: failure.details.slice(0, 500) });
}

/** gRPC percent-encodes its messages. */
function decoded(message: unknown): string {
  try {
    return typeof message === 'string' ? decodeURIComponent(message) : '';
  } catch {
    return String(message);
  }
}
