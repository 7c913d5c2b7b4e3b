import { type Span, SpanKind, SpanStatusCode, type TracerProvider } from '@opentelemetry/api';
import { correlationIdOf } from '../context.ts';
import { errorCategory, errorType } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { type Call, callTracerProvider } from '../traces/call-tracer.ts';
import { type Failure, safeMessage } from '../traces/failure.ts';

/** What a broker's client did, as read from the span of its official instrumentation. */
export interface Message {
  /** Queue, topic or exchange; never one a message, since it is a label. */
  readonly destination: string;
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  /** What went wrong, where the instrumentation says it with a sentence only. */
  readonly failure?: Failure;
}

/**
 * For official instrumentations of brokers' clients: `send` and `process` spans, and the metrics of messages, by
 * OpenTelemetry's conventions of today, whatever the instrumentation calls them.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 */
export function brokerTracerProvider(kit: Kit, system: string, read: (call: Call) => Message): TracerProvider {
  const sent = kit.metrics.counter(METRICS.messagingSent);
  const duration = kit.metrics.histogram(METRICS.messagingProcess);

  return callTracerProvider({
    startSpan: (name, kind, parent, startedAt) =>
      kit.tracing.enabled ? kit.tracing.startSpan(name, kind, parent, startedAt) : undefined,
    startRoot: (name, kind, startedAt) =>
      kit.tracing.enabled ? kit.tracing.startSpan(name, kind, undefined, startedAt) : undefined,
    ended(call) {
      const { span, kind, context, startedAt, endedAt } = call;
      const { destination, attributes, failure = call.failure } = read(call);
      const type = failure === undefined ? '' : errorType(failure);
      const labels = { messaging_system: system, messaging_destination_name: destination, error_type: type };
      if (kind === SpanKind.PRODUCER) sent.inc(labels);
      else duration.observe(labels, (endedAt - startedAt) / 1000, span?.spanContext());
      if (failure !== undefined) kit.onError(failure.thrown ?? failure);
      if (span === undefined) return;
      if (span.isRecording()) {
        const operation = kind === SpanKind.PRODUCER ? 'send' : 'process';
        span.updateName(`${operation} ${destination}`);
        span.setAttribute('messaging.system', system);
        span.setAttribute('messaging.destination.name', destination);
        span.setAttribute('messaging.operation.type', operation);
        for (const key of Object.keys(attributes)) {
          const value = attributes[key];
          if (value !== undefined && value !== '') span.setAttribute(key, value);
        }
        const id = correlationIdOf(context);
        if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
        if (failure !== undefined) recordFailure(span, failure);
      }
      (span as { endAt?: (reading: number) => void }).endAt?.(endedAt);
    },
  });
}

function recordFailure(span: Span, failure: Failure): void {
  span.setAttribute('error.type', errorType(failure));
  span.setAttribute('error.category', errorCategory(failure.thrown ?? failure));
  span.setStatus({ code: SpanStatusCode.ERROR, message: safeMessage(failure) });
}
