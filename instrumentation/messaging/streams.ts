import { type Context, type Span, type SpanContext, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { active, correlationIdOf, KitContext, storage } from '../context.ts';
import { uuidv7 } from '../ids.ts';
import type { Kit } from '../kit.ts';
import type { HistogramChild } from '../metrics/metrics.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { LazySpan } from './lazy-span.ts';

/** One connection over which messages come and go. */
export interface Connection {
  /** In which it was opened: that of the request that was upgraded, or of whoever called the other side. */
  readonly context: Context;
  /** Route template on the server, the other side's host on a client; never one a connection, since it is a label. */
  readonly destination: string;
  readonly correlationId: string;
  readonly opener: SpanContext | undefined;
  readonly received: HistogramChild;
}

/**
 * Messages of long connections. A connection's own span ends when it is open, so nothing hangs below it for hours: each
 * message that leaves a trace has one of its own, with a link to that span and with the connection's correlation id.
 */
export interface Streams {
  /** Notes a connection that has just been opened in the active context. */
  open(destination: string): Connection;
  /** Runs the handlers of a message. The duration is that of their synchronous part. */
  message<T>(connection: Connection, handle: () => T): T;
  /** Counts a message that was sent. */
  sent(connection: Connection): void;
}

export function createStreams(kit: Kit, system: string): Streams {
  const sent = kit.metrics.counter(METRICS.messagingSent);
  const duration = kit.metrics.histogram(METRICS.messagingProcess);

  function open(destination: string): Connection {
    const context = active();
    return {
      context,
      destination,
      correlationId: correlationIdOf(context) ?? uuidv7(),
      opener: trace.getSpanContext(context),
      received: duration.child(system, destination, ''),
    };
  }

  function make({ destination, correlationId, opener }: Connection, startedAt: number): Span {
    const span = kit.tracing.startSpan(`process ${destination}`, SpanKind.CONSUMER, undefined, startedAt);
    if (!span.isRecording()) return span;
    span.setAttribute('messaging.system', system);
    span.setAttribute('messaging.destination.name', destination);
    span.setAttribute('messaging.operation.type', 'process');
    span.setAttribute('messaging.operation.name', 'message');
    span.setAttribute(CORRELATION_ID, correlationId);
    if (opener !== undefined) span.addLink({ context: opener });
    return span;
  }

  function message<T>(connection: Connection, handle: () => T): T {
    const startedAt = performance.now();
    const span = new LazySpan(() => make(connection, startedAt));
    let threw = true;
    // Not caught: throwing it anew would change what Node prints of it.
    try {
      const result = storage.run(new KitContext(span, connection.correlationId, undefined), handle);
      threw = false;
      return result;
    } finally {
      const endedAt = performance.now();
      const seconds = (endedAt - startedAt) / 1000;
      if (threw) failed(connection, span, seconds);
      else connection.received.observe(seconds);
      span.endAt(endedAt);
    }
  }

  function failed({ destination }: Connection, span: Span, seconds: number): void {
    const labels = { messaging_system: system, messaging_destination_name: destination, error_type: '_OTHER' };
    duration.observe(labels, seconds);
    span.setAttribute('error.type', '_OTHER');
    span.setStatus({ code: SpanStatusCode.ERROR });
  }

  return {
    open,
    message,
    sent: ({ destination }) => sent.inc({ messaging_system: system, messaging_destination_name: destination, error_type: '' }),
  };
}
