import { type Context, type Span, type SpanContext, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { active, correlationIdOf, KitContext, storage } from '../context.ts';
import { errorType } from '../error-type.ts';
import { uuidv7 } from '../ids.ts';
import type { Kit } from '../kit.ts';
import type { HistogramChild } from '../metrics/metrics.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { LazySpan } from './lazy-span.ts';

/** A socket keeps its {@link Connection} under this key, since each message asks for it; without one it is not observed. */
export const CONNECTION = Symbol('o11y-kit.connection');

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

/** One message that has come, from that moment until its handlers have returned. */
export interface Message {
  readonly connection: Connection;
  /** In which everything runs that is done with it. */
  readonly context: KitContext;
  readonly span: LazySpan;
  readonly startedAt: number;
}

/**
 * Messages of long connections. A connection's own span ends when it is open, so nothing hangs below it for hours: each
 * message that leaves a trace has one of its own, with a link to that span and with the connection's correlation id.
 */
export interface Streams {
  /** Notes a connection that has just been opened, by default in the active context. */
  open(destination: string, context?: Context): Connection;
  /** Runs the handlers of a message. The duration is that of their synchronous part. */
  message<T>(connection: Connection, handle: () => T): T;
  /**
   * Notes a message whose handlers do not run at once; {@link handle} or {@link refuse} ends it.
   *
   * @param event its name, only if it is one of a few
   */
  begin(connection: Connection, event?: string): Message;
  /** Runs the handlers of a message that has begun. */
  handle<T>(message: Message, run: () => T): T;
  /** A message that something before its handlers has turned down. */
  refuse(message: Message, error: unknown): void;
  /** Counts a message that was sent. */
  sent(connection: Connection): void;
}

export function createStreams(kit: Kit, system: string): Streams {
  const sent = kit.metrics.counter(METRICS.messagingSent);
  const duration = kit.metrics.histogram(METRICS.messagingProcess);

  function open(destination: string, context = active()): Connection {
    return {
      context,
      destination,
      correlationId: correlationIdOf(context) ?? uuidv7(),
      opener: trace.getSpanContext(context),
      received: duration.child(system, destination, ''),
    };
  }

  function make({ destination, correlationId, opener }: Connection, startedAt: number, event: string | undefined): Span {
    const name = event === undefined ? `process ${destination}` : `process ${destination} ${event}`;
    const span = kit.tracing.startSpan(name, SpanKind.CONSUMER, undefined, startedAt);
    if (!span.isRecording()) return span;
    span.setAttribute('messaging.system', system);
    span.setAttribute('messaging.destination.name', destination);
    span.setAttribute('messaging.operation.type', 'process');
    span.setAttribute('messaging.operation.name', event ?? 'message');
    span.setAttribute(CORRELATION_ID, correlationId);
    if (opener !== undefined) span.addLink({ context: opener });
    return span;
  }

  function begin(connection: Connection, event?: string): Message {
    const startedAt = performance.now();
    const span = new LazySpan(() => make(connection, startedAt, event));
    return { connection, span, startedAt, context: new KitContext(span, connection.correlationId, undefined) };
  }

  function handle<T>(message: Message, run: () => T): T {
    let threw = true;
    // Not caught: throwing it anew would change what Node prints of it.
    try {
      const result = storage.run(message.context, run);
      threw = false;
      return result;
    } finally {
      end(message, threw ? '_OTHER' : '');
    }
  }

  function end({ connection, span, startedAt }: Message, failure: string): void {
    const endedAt = performance.now();
    const seconds = (endedAt - startedAt) / 1000;
    if (failure === '') connection.received.observe(seconds);
    else failed(connection, span, seconds, failure);
    span.endAt(endedAt);
  }

  function failed({ destination }: Connection, span: Span, seconds: number, failure: string): void {
    const labels = { messaging_system: system, messaging_destination_name: destination, error_type: failure };
    duration.observe(labels, seconds);
    span.setAttribute('error.type', failure);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }

  return {
    open,
    message: (connection, run) => handle(begin(connection), run),
    begin,
    handle,
    refuse: (message, error) => end(message, errorType(error)),
    sent: ({ destination }) => sent.inc({ messaging_system: system, messaging_destination_name: destination, error_type: '' }),
  };
}
