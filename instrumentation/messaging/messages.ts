import { type Attributes, type Context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { active, correlationIdOf, type KitContext, storage } from '../context.ts';
import { reason } from '../diagnostics.ts';
import { errorCategory, errorType } from '../error-type.ts';
import { uuidv7 } from '../ids.ts';
import type { Kit } from '../kit.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { follow } from '../settles.ts';
import { type Carrier, createCarrier, type Fields } from './carrier.ts';
import { quietly } from './quiet.ts';

export interface Destination {
  /** `messaging.system`: `bullmq`, `redis_streams`. */
  readonly system: string;
  /** Queue, topic or stream; never one a message, since it is a label. */
  readonly name: string;
}

export interface Sending {
  readonly to: Destination;
  /** `messaging.operation.name`: what the library calls it. */
  readonly operation: string;
  /** How many messages go to which destination; one to `to` if absent. A span of several names none of them. */
  readonly counts?: ReadonlyMap<string, number>;
  readonly attributes?: Attributes;
  /** Attributes that the result gives, such as the id of the message. */
  describe?(result: any): Attributes;
}

export interface Processing {
  readonly from: Destination;
  readonly attributes?: Attributes;
  /** The context that came with the message. */
  origin(carrier: Carrier): KitContext;
  /** Told the context in which the handler runs. */
  onContext?(context: KitContext): void;
  /** Whether what was thrown is a failure. A library may end an attempt by throwing, to have it repeated later. */
  isFailure?(error: unknown): boolean;
}

/**
 * Spans and metrics of messages, by OpenTelemetry's conventions: `send` in the producer, `process` in the consumer as its
 * child, so that one trace runs from the request that asked for the work to its last attempt.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 */
export interface Messages {
  readonly carrier: Carrier;
  /**
   * Runs `run`, which hands the message to the broker with these fields in it. What the client library does meanwhile
   * makes no spans of its own. What it returns or throws is passed on as it is.
   */
  send<T>(sending: Sending, run: (fields: Fields) => T): T;
  /** Counts messages whose span somebody else makes, and gives back what the app gets for the result. */
  count<T>(sending: Sending, result: T): T;
  /**
   * Runs the app's handler of a message in a span below the one that came with it, which ends, with the metrics, when the
   * handler returns or its promise settles.
   */
  process<T>(processing: Processing, run: () => T): T;
  /** The same without a span, where somebody else makes it. */
  measure<T>(processing: Processing, run: () => T): T;
}

export function createMessages(kit: Kit): Messages {
  const { metrics, tracing } = kit;
  const carrier = createCarrier(kit);
  const sent = metrics.counter(METRICS.messagingSent);
  const duration = metrics.histogram(METRICS.messagingProcess);

  /** What the kit adds must never become the app's error. */
  function guarded<T>(what: string, fn: () => T): T | undefined {
    try {
      return fn();
    } catch (error) {
      kit.diagnostics.warn(
        `O11Y_INSTRUMENTATION: ${what} could not be observed: ${reason(error)}. It goes its way all the same.`,
        what,
      );
      return undefined;
    }
  }

  function add({ to, counts }: Sending, type: string): void {
    for (const [name, count] of counts ?? [[to.name, 1] as const])
      sent.inc({ messaging_system: to.system, messaging_destination_name: name, error_type: type }, count);
  }

  function count<T>(sending: Sending, result: T): T {
    return follow(result, (error) => add(sending, error === undefined ? '' : errorType(error)));
  }

  function send<T>(sending: Sending, run: (fields: Fields) => T): T {
    const parent = active();
    if (isTracingSuppressed(parent)) {
      return count(sending, run({}));
    }
    const opened = guarded('a message', () => openSend(sending, parent));
    if (opened === undefined) return run({});
    const { span, fields } = opened;
    const end = (error: unknown, result: unknown) =>
      guarded('a message', () => {
        try {
          add(sending, error === undefined ? '' : errorType(error));
          if (error !== undefined) fail(span, error);
          else if (sending.describe) span.setAttributes(sending.describe(result));
        } finally {
          span.end();
        }
      });
    try {
      return follow(
        quietly(parent, () => run(fields), undefined, []),
        end,
      );
    } catch (error) {
      end(error ?? new Error('thrown without a reason'), undefined);
      throw error;
    }
  }

  function openSend({ to, operation, counts, attributes }: Sending, parent: Context): { span: Span; fields: Fields } {
    const name = counts === undefined || counts.size === 1 ? to.name : undefined;
    const called = name === undefined ? 'send' : `send ${name}`;
    const span = tracing.startSpan(called, SpanKind.PRODUCER, trace.getSpanContext(parent), performance.now());
    const id = correlationIdOf(parent) ?? uuidv7();
    describe(span, { system: to.system, name }, 'send', operation, id);
    if (attributes) span.setAttributes(attributes);
    return { span, fields: carrier.write(parent, span, id) };
  }

  function open({ from, attributes }: Processing, origin: KitContext): KitContext {
    const parent = trace.getSpanContext(origin);
    const span = tracing.startSpan(`process ${from.name}`, SpanKind.CONSUMER, parent, performance.now());
    describe(span, from, 'process', 'process', origin.correlationId);
    if (attributes) span.setAttributes(attributes);
    return trace.setSpan(origin, span) as KitContext;
  }

  function process<T>(processing: Processing, run: () => T): T {
    const context = guarded('a message', () => open(processing, processing.origin(carrier)));
    if (context === undefined) return run();
    processing.onContext?.(context);
    return observe(processing, context.span, () => storage.run(context, run));
  }

  function observe<T>({ from, isFailure }: Processing, span: Span | undefined, run: () => T): T {
    const startedAt = performance.now();
    const end = (error: unknown) =>
      guarded('a message', () => {
        const failure = error !== undefined && isFailure?.(error) !== false;
        const seconds = (performance.now() - startedAt) / 1000;
        const labels = {
          messaging_system: from.system,
          messaging_destination_name: from.name,
          error_type: failure ? errorType(error) : '',
        };
        duration.observe(labels, seconds, (span ?? trace.getSpan(active()))?.spanContext());
        if (failure) {
          if (span) fail(span, error);
          kit.onError(error);
        }
        span?.end();
      });
    try {
      return follow(run(), end);
    } catch (error) {
      end(error ?? new Error('thrown without a reason'));
      throw error;
    }
  }

  return { carrier, send, count, process, measure: (processing, run) => observe(processing, undefined, run) };
}

function describe(
  span: Span,
  { system, name }: { readonly system: string; readonly name: string | undefined },
  type: string,
  operation: string,
  id: string | undefined,
): void {
  if (!span.isRecording()) return;
  span.setAttribute('messaging.system', system);
  if (name !== undefined) span.setAttribute('messaging.destination.name', name);
  span.setAttribute('messaging.operation.type', type);
  span.setAttribute('messaging.operation.name', operation);
  if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
}

function fail(span: Span, error: unknown): void {
  if (!span.isRecording()) return;
  span.recordException(error as Error);
  span.setAttribute('error.type', errorType(error));
  span.setAttribute('error.category', errorCategory(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
}

/** Never throws: a getter of the app's error may. */
function messageOf(error: unknown): string | undefined {
  try {
    return error instanceof Error ? String(error.message) : undefined;
  } catch {
    return undefined;
  }
}
