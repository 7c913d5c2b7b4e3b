import { type Attributes, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { active, correlationIdOf, storage } from '../context.ts';
import { databasesOf } from '../databases/databases.ts';
import { reason } from '../diagnostics.ts';
import { errorCategory, errorType } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { type Named, namesIn } from './aws-inputs.ts';
import { defineLibrary, isExports } from './define.ts';
import { type Method, patch } from './patch.ts';

interface Config {
  readonly serviceId?: unknown;
  region?(): Promise<unknown>;
  /** Only where the app has set one. */
  endpoint?(): Promise<{ readonly hostname?: unknown; readonly port?: unknown }>;
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

/** Where a client's calls go, as far as it is known yet. */
interface Whereabouts {
  region?: string;
  address?: string;
  port?: number;
}

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
  packages: { '@smithy/smithy-client': '>=1.0.0 <6.0.0', '@smithy/core/client': '>=3.0.0 <4.0.0' },
  accepts: (exports): exports is Exports =>
    isExports(exports) &&
    isExports(exports.Client) &&
    isExports(exports.Client.prototype) &&
    typeof exports.Client.prototype.send === 'function',
  wire: ({ Client }, kit) => patch(Client.prototype, 'send', (original) => observed(original, kit)),
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
    if (at >= 0 || !(result instanceof Promise)) return result;
    return result.then(
      (output) => {
        end(false, output);
        return output;
      },
      (error) => {
        end(true, error);
        throw error;
      },
    );
  };
}

function createCalls(kit: Kit) {
  const duration = kit.metrics.histogram(METRICS.rpcClientDuration);
  const sent = kit.metrics.counter(METRICS.messagingSent);
  const known = new WeakMap<Client, Whereabouts>();

  function begin(client: Client, command: unknown) {
    try {
      const { serviceId } = client.config ?? {};
      const context = active();
      if (typeof serviceId !== 'string' || !isExports(command) || isTracingSuppressed(context)) return undefined;
      const service = serviceId.slice(0, 64);
      const operation = operationOf(command);
      const names = namesIn(service, operation, command.input);
      const where = whereabouts(client);
      const start = service === 'DynamoDB' ? startDatabaseCall : startCall;
      const { span, end } = start(service, operation, names, where);
      const guarded: End = (failed, outcome) => {
        try {
          end(failed, outcome);
        } catch (error) {
          kit.diagnostics.debug(`a call of the AWS SDK could not be observed: ${reason(error)}`, 'aws-sdk');
        }
      };
      return { context, inside: span === undefined ? context : trace.setSpan(context, span), end: guarded };
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
    let where = known.get(client);
    if (where === undefined) {
      const found: Whereabouts = {};
      known.set(client, (where = found));
      const { config } = client;
      Promise.resolve(config?.region?.()).then(
        (region) => {
          if (typeof region === 'string') found.region = region;
        },
        () => {},
      );
      if (typeof config?.endpoint === 'function')
        Promise.resolve(config.endpoint()).then(
          (endpoint) => {
            if (typeof endpoint?.hostname === 'string') found.address = endpoint.hostname;
            if (Number(endpoint?.port) > 0) found.port = Number(endpoint.port);
          },
          () => {},
        );
    }
    return where;
  }

  /** A poller's calls are in no trace: each would be one of its own. Their durations are measured all the same. */
  function startCall(service: string, operation: string, names: Named, where: Whereabouts): { span: Span | undefined; end: End } {
    const startedAt = performance.now();
    const context = active();
    const parent = trace.getSpanContext(context);
    const span =
      parent === undefined ? undefined : kit.tracing.startSpan(`${service}.${operation}`, SpanKind.CLIENT, parent, startedAt);
    const method = `${service}/${operation}`;
    return {
      span,
      end(failed, outcome) {
        const endedAt = performance.now();
        const { status, attributes } = describe(outcome, names, where);
        const type = failed ? errorType(outcome) : '';
        const labels = { rpc_system_name: 'aws-api', rpc_method: method, rpc_response_status_code: status, error_type: type };
        duration.observe(labels, (endedAt - startedAt) / 1000, span?.spanContext());
        countSent(names, failed, outcome);
        if (failed) kit.onError(outcome);
        if (span?.isRecording()) {
          span.setAttributes({ 'rpc.system.name': 'aws-api', 'rpc.method': method, ...attributes });
          const id = correlationIdOf(context);
          if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
          if (failed) {
            span.setAttribute('error.type', type);
            span.setAttribute('error.category', errorCategory(outcome));
            span.setStatus({ code: SpanStatusCode.ERROR });
          }
        }
        (span as { endAt?: (reading: number) => void } | undefined)?.endAt?.(endedAt);
      },
    };
  }

  function startDatabaseCall(_service: string, operation: string, names: Named, where: Whereabouts): { span: Span; end: End } {
    const tracer = databasesOf(kit).drivers.getTracer('aws-sdk');
    const attributes: Attributes = { 'db.system.name': 'aws.dynamodb', 'db.operation.name': operation };
    if (names.table !== undefined) attributes['db.collection.name'] = names.table;
    const span = tracer.startSpan(operation, { kind: SpanKind.CLIENT, attributes });
    return {
      span,
      end(failed, outcome) {
        const address = where.address ?? (where.region && `dynamodb.${where.region}.amazonaws.com`);
        if (address) span.setAttribute('server.address', address);
        if (where.port !== undefined) span.setAttribute('server.port', where.port);
        span.setAttributes(describe(outcome, {}, where).attributes);
        if (failed) {
          span.recordException(withoutValues(outcome));
          span.setStatus({ code: SpanStatusCode.ERROR });
        }
        span.end();
      },
    };
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

/** `GetItem` of a `GetItemCommand`. A command of lib-dynamodb, a `GetCommand`, holds the one that it stands for. */
function operationOf(command: Record<PropertyKey, unknown>): string {
  const { constructor: made } = isExports(command.clientCommand) ? command.clientCommand : command;
  return String((made as { name?: unknown }).name)
    .replace(/Command$/, '')
    .slice(0, 64);
}

function describe(outcome: unknown, names: Named, { region }: Whereabouts): { status: string; attributes: Attributes } {
  const { httpStatusCode: status, requestId } = (isExports(outcome) ? (outcome as Outcome).$metadata : undefined) ?? {};
  return {
    status: typeof status === 'number' ? String(status) : '',
    attributes: {
      ...(region !== undefined && { 'cloud.region': region }),
      ...(typeof status === 'number' && { 'http.response.status_code': status }),
      ...(typeof requestId === 'string' && { 'aws.request_id': requestId }),
      ...(names.bucket !== undefined && { 'aws.s3.bucket': names.bucket }),
      ...(names.destination !== undefined && {
        'messaging.system': names.destination.system,
        'messaging.destination.name': names.destination.name,
      }),
    },
  };
}

/** Messages of DynamoDB's errors may quote keys and values; what the classifier reads stays. */
function withoutValues(error: unknown): Error {
  return isExports(error) ? Object.create(error, { message: { value: '' } }) : new Error('');
}
