import { type Attributes, type Span, type SpanContext, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { active, correlationIdOf, storage } from '../context.ts';
import { databasesOf } from '../databases/databases.ts';
import { reason } from '../diagnostics.ts';
import { errorCategory, errorType } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { settles } from '../settles.ts';
import { type Call, callTracerProvider } from '../traces/call-tracer.ts';
import { type Named, namesIn } from './aws-inputs.ts';
import { defineLibrary, isExports } from './define.ts';
import { type Method, once, patch } from './patch.ts';

interface Config {
  readonly serviceId?: unknown;
  region?(): Promise<unknown>;
  /** Only where the app has set one. */
  endpoint?(): Promise<Endpoint>;
}

interface Client {
  readonly config?: Config;
}

interface Exports {
  readonly Client: { readonly prototype: object };
}

/** What a call has brought, be it an output or an error. */
interface Outcome {
  readonly $metadata?: { readonly httpStatusCode?: unknown; readonly requestId?: unknown };
}

interface Endpoint {
  readonly hostname?: unknown;
  readonly port?: unknown;
}

/** Where a client's calls go, as far as it is known yet. */
interface Whereabouts {
  region?: unknown;
  endpoint?: Endpoint;
}

const SYSTEM = 'aws-api';

/** Ends a call: with its output, or with what was thrown. */
type End = (failed: boolean, outcome: unknown) => void;

/**
 * The AWS SDK, version 3. All of its clients are one class, whose `send` is every call with all its attempts; each attempt is
 * an HTTP request, which the kit sees by itself. What is added to those requests is not signed, so signatures stay valid.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/
 */
export const awsSdk = defineLibrary<Exports>({
  name: 'aws-sdk',
  gives:
    'Calls of `@aws-sdk/client-*` from 3.363 on, by service and operation: a span with one below it for each attempt, durations, errors by category; DynamoDB by table, as a database; messages sent to SQS and SNS, which carry no trace.',
  packages: { '@smithy/smithy-client': '>=1.0.0 <5.0.0', '@smithy/core/client': '>=3.0.0 <4.0.0' },
  accepts: (exports): exports is Exports =>
    isExports(exports) &&
    isExports(exports.Client) &&
    isExports(exports.Client.prototype) &&
    typeof exports.Client.prototype.send === 'function',
  // The later versions of `@smithy/smithy-client` hand on the class of `@smithy/core/client`.
  wire: ({ Client: { prototype } }, kit) =>
    once(prototype, () => patch(prototype, 'send', (original) => observed(original, kit))),
});

function observed(original: Method, kit: Kit): Method {
  const calls = createCalls(kit);
  return function (this: Client, command: unknown, ...rest: unknown[]) {
    const call = calls.begin(this, command);
    if (call === undefined) return original.call(this, command, ...rest);
    const { context, inside, end } = call;
    const at = rest.findIndex((each) => typeof each === 'function');
    if (at >= 0) {
      const callback = rest[at] as Method;
      rest[at] = function (this: unknown, error: unknown, ...output: unknown[]) {
        end(Boolean(error), error || output[0]);
        return storage.run(context, () => callback.call(this, error, ...output));
      };
    }
    let result: unknown;
    try {
      result = storage.run(inside, () => original.call(this, command, ...rest));
    } catch (error) {
      end(true, error);
      throw error;
    }
    return at >= 0 ? result : settles(result, (error, output) => end(error !== undefined, error ?? output));
  };
}

function createCalls(kit: Kit) {
  const others = callTracerProvider({ startSpan, ended }).getTracer('aws-sdk');
  const duration = kit.metrics.histogram(METRICS.rpcClientDuration);
  const sent = kit.metrics.counter(METRICS.messagingSent);
  const known = new WeakMap<Client, Whereabouts>();

  function begin(client: Client, command: unknown) {
    try {
      const { serviceId } = client.config ?? {};
      const context = active();
      if (typeof serviceId !== 'string' || !isExports(command)) return undefined;
      const service = serviceId.slice(0, 64);
      const operation = operationOf(command);
      const names = namesIn(service, operation, command.input);
      const where = whereabouts(client);
      const isDatabase = service === 'DynamoDB';
      const attributes = isDatabase ? databaseAttributes(operation, names) : callAttributes(service, operation, names);
      const tracer = isDatabase ? databasesOf(kit).drivers.getTracer('aws-sdk') : others;
      const span = tracer.startSpan(`${service}.${operation}`, { kind: SpanKind.CLIENT, attributes });
      const end: End = (failed, outcome) => {
        try {
          span.setAttributes({ ...(isDatabase && regional(where)), ...locationOf(where), ...answerOf(outcome) });
          if (failed) {
            span.recordException(withoutMessage(outcome));
            span.setStatus({ code: SpanStatusCode.ERROR });
          }
          countSent(names, failed, outcome);
        } catch (error) {
          kit.diagnostics.debug(`a call of the AWS SDK could not be observed: ${reason(error)}`, 'aws-sdk');
        }
        span.end();
      };
      return { context, inside: trace.setSpan(context, span), end };
    } catch (error) {
      kit.diagnostics.warn(
        `O11Y_INSTRUMENTATION: a call of the AWS SDK could not be observed: ${reason(error)}. It goes its way all the same.`,
        'aws-sdk',
      );
      return undefined;
    }
  }

  /** Providers of the client's own, which it asks before each call and which remember what they said. */
  function whereabouts(client: Client): Whereabouts {
    const found = known.get(client);
    if (found !== undefined) return found;
    const where: Whereabouts = {};
    known.set(client, where);
    const { config } = client;
    Promise.resolve(config?.region?.()).then(
      (region) => void (where.region = region),
      () => {},
    );
    Promise.resolve(config?.endpoint?.()).then(
      (endpoint) => void (where.endpoint = endpoint),
      () => {},
    );
    return where;
  }

  function startSpan(name: string, kind: SpanKind, parent: SpanContext, startedAt: number): Span | undefined {
    return kit.tracing.enabled ? kit.tracing.startSpan(name, kind, parent, startedAt) : undefined;
  }

  /** A poller's calls are in no trace: each would be one of its own. Their durations are measured all the same. */
  function ended({ span, attributes, failure, context, startedAt, endedAt }: Call): void {
    const type = failure === undefined ? '' : errorType(failure);
    const labels = {
      rpc_system_name: SYSTEM,
      rpc_method: String(attributes['rpc.method']),
      rpc_response_status_code: String(attributes['http.response.status_code'] ?? ''),
      error_type: type,
    };
    duration.observe(labels, (endedAt - startedAt) / 1000, span?.spanContext());
    if (failure !== undefined) kit.onError(failure.thrown ?? failure);
    if (span?.isRecording()) {
      span.setAttributes(attributes);
      const id = correlationIdOf(context);
      if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
      if (failure !== undefined) {
        span.setAttribute('error.type', type);
        span.setAttribute('error.category', errorCategory(failure.thrown ?? failure));
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
    }
    (span as { endAt?: (reading: number) => void } | undefined)?.endAt?.(endedAt);
  }

  function countSent({ destination }: Named, failed: boolean, outcome: unknown): void {
    if (destination === undefined || destination.messages === 0) return;
    const labels = { messaging_system: destination.system, messaging_destination_name: destination.name };
    // Of a batch, some may be refused.
    const refused = isExports(outcome) && Array.isArray(outcome.Failed) ? outcome.Failed.length : 0;
    const lost = failed ? destination.messages : refused;
    if (destination.messages > lost) sent.inc({ ...labels, error_type: '' }, destination.messages - lost);
    if (lost > 0) sent.inc({ ...labels, error_type: failed ? errorType(outcome) : '_OTHER' }, lost);
  }

  return { begin };
}

function databaseAttributes(operation: string, { table }: Named): Attributes {
  return {
    'db.system.name': 'aws.dynamodb',
    'db.operation.name': operation,
    ...(table !== undefined && { 'db.collection.name': table }),
  };
}

function callAttributes(service: string, operation: string, { bucket, destination }: Named): Attributes {
  return {
    'rpc.system.name': SYSTEM,
    'rpc.method': `${service}/${operation}`,
    ...(bucket !== undefined && { 'aws.s3.bucket': bucket }),
    ...(destination !== undefined && {
      'messaging.system': destination.system,
      'messaging.destination.name': destination.name,
    }),
  };
}

/**
 * The database's usual address, by which its health check is named.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/ddb.html
 */
function regional({ region }: Whereabouts): Attributes {
  if (typeof region !== 'string') return {};
  return { 'server.address': `dynamodb.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}` };
}

/** An endpoint is known only where the app has set one; the HTTP span below has the address in any case. */
function locationOf({ region, endpoint }: Whereabouts): Attributes {
  return {
    ...(typeof region === 'string' && { 'cloud.region': region }),
    ...(typeof endpoint?.hostname === 'string' && { 'server.address': endpoint.hostname }),
    ...(Number(endpoint?.port) > 0 && { 'server.port': Number(endpoint?.port) }),
  };
}

function answerOf(outcome: unknown): Attributes {
  const { httpStatusCode: status, requestId } = (isExports(outcome) ? (outcome as Outcome).$metadata : undefined) ?? {};
  return {
    ...(typeof status === 'number' && { 'http.response.status_code': status }),
    ...(typeof requestId === 'string' && { 'aws.request_id': requestId }),
  };
}

/** `GetItem` of a `GetItemCommand`. A command of lib-dynamodb, a `GetCommand`, holds the one that it stands for. */
function operationOf(command: Record<PropertyKey, unknown>): string {
  const { constructor: made } = isExports(command.clientCommand) ? command.clientCommand : command;
  return String((made as { name?: unknown }).name)
    .replace(/Command$/, '')
    .slice(0, 64);
}

/** Messages may quote keys and values; what the classifier reads stays. */
function withoutMessage(error: unknown): Error {
  return isExports(error) ? Object.create(error, { message: { value: '' } }) : new Error('');
}
