import { type Context, SpanKind, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { active, correlationIdOf } from '../context.ts';
import { reason } from '../diagnostics.ts';
import type { Kit } from '../kit.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { createCarrier } from './carrier.ts';
import { blocks, fieldsToAdd, isRead, streamsOf, takeFields } from './redis-entries.ts';
import { type StreamClient, watchStreams } from './redis-stream-watch.ts';

/** Producers that a span links to; a batch of thousands would make it larger than all else. */
const MOST_LINKS = 32;

/** What is done with the commands of a Redis client that work on streams. Nothing here throws. */
export interface RedisStreams {
  /**
   * Looks at a command before it is sent.
   *
   * @param name in upper case
   * @returns the words to add to an `XADD`, and for a command that reads entries what its answer is to be passed to
   */
  command(sender: Sender, name: string, args: readonly unknown[]): Handling;
  stop(): void;
}

/** A connection, and how it is asked. */
export interface Sender {
  readonly owner: object;
  readonly server: string;
  client(owner: object): StreamClient;
}

export interface Handling {
  readonly add: readonly string[];
  readonly onAnswer?: (answer: unknown) => void;
}

const NOTHING: Handling = { add: [] };

export function isStreamCommand(name: string): boolean {
  return name.charCodeAt(0) === 88 /* X */ && name !== 'XINFO';
}

export function createRedisStreams(kit: Kit): RedisStreams {
  const carrier = createCarrier(kit);
  const header = kit.config.correlationHeader.toLowerCase();
  const watch = watchStreams(kit);
  const sent = kit.metrics.counter(METRICS.messagingSent);

  function look(sender: Sender, name: string, args: readonly unknown[]): Handling {
    const context = active();
    // The kit's own questions, and what another library does for itself.
    if (isTracingSuppressed(context)) return NOTHING;
    const streams = streamsOf(name, args);
    for (const stream of streams) watch.touched(sender.server, stream);
    if (blocks(name, args)) watch.unusable(sender.owner);
    else watch.usable(sender.owner, sender.client, sender.server);
    if (name === 'XADD') {
      sent.inc({ messaging_system: 'redis_streams', messaging_destination_name: streams[0] ?? '', error_type: '' });
      return { add: additions(context, args) };
    }
    return isRead(name) ? { add: [], onAnswer: (answer) => received(context, name, streams, answer) } : NOTHING;
  }

  /** Only inside a trace: an entry that belongs to none is left as the app wrote it. */
  function additions(context: Context, args: readonly unknown[]): readonly string[] {
    const id = correlationIdOf(context);
    if (id === undefined || trace.getSpanContext(context) === undefined) return [];
    return fieldsToAdd(args, carrier.write(context, undefined, undefined), header, id);
  }

  function received(context: Context, name: string, streams: readonly string[], answer: unknown): void {
    const origins = takeFields(answer, header, MOST_LINKS).map((fields) => carrier.read(fields));
    const links = origins.flatMap((origin) => trace.getSpanContext(origin) ?? []);
    if (links.length === 0) return;
    // Entries that the app looks through are not received: nobody works on them.
    if (name !== 'XREADGROUP' && name !== 'XREAD' && name !== 'XAUTOCLAIM' && name !== 'XCLAIM') return;
    const destination = streams.length === 1 ? streams[0] : '';
    const parent = trace.getSpanContext(context);
    const span = kit.tracing.startSpan(`receive ${destination}`.trim(), SpanKind.CLIENT, parent, performance.now());
    span.setAttribute('messaging.system', 'redis_streams');
    if (destination !== '') span.setAttribute('messaging.destination.name', destination);
    span.setAttribute('messaging.operation.type', 'receive');
    span.setAttribute('messaging.operation.name', name.toLowerCase());
    const id = correlationIdOf(context) ?? (origins.length === 1 ? origins[0].correlationId : undefined);
    if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
    span.addLinks(links.map((link) => ({ context: link })));
    span.end();
  }

  function guarded<T>(fn: () => T, otherwise: T): T {
    try {
      return fn();
    } catch (error) {
      kit.diagnostics.warn(
        `O11Y_INSTRUMENTATION: a command on a Redis stream could not be observed: ${reason(error)}. It is sent all the same.`,
        'redis streams command',
      );
      return otherwise;
    }
  }

  return {
    command(sender, name, args) {
      const { add, onAnswer } = guarded(() => look(sender, name, args), NOTHING);
      return { add, onAnswer: onAnswer && ((answer) => guarded(() => onAnswer(answer), undefined)) };
    },
    stop: () => watch.stop(),
  };
}
