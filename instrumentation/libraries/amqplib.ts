import { SpanKind } from '@opentelemetry/api';
import { active, correlationIdOf, storage } from '../context.ts';
import { databasesOf, serverName } from '../databases/databases.ts';
import { uuidv7 } from '../ids.ts';
import type { Kit } from '../kit.ts';
import { brokerTracerProvider, type Message } from '../messaging/official-messages.ts';
import type { Call } from '../traces/call-tracer.ts';
import { failureOf } from '../traces/failure.ts';
import { withBaggageId } from '../traces/propagation.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';
import { adopt, loadedFile } from './official.ts';

interface Options {
  readonly headers?: object;
}

type Publish = (this: object, exchange: string, key: string, content: unknown, options?: Options, ...rest: unknown[]) => unknown;

interface Channel {
  publish: Publish;
}

interface Connection {
  readonly stream?: { readonly remoteAddress?: string; readonly remotePort?: number };
  once(event: 'close', listener: (error?: unknown) => void): unknown;
  open(this: Connection, fields: unknown, callback: (error: unknown, ...rest: unknown[]) => unknown): unknown;
}

/** Promises and callbacks are two models with a class of channels each. */
const MODELS = ['amqplib/lib/channel_model.js', 'amqplib/lib/callback_model.js'];

/** Marks what is put on top of the official instrumentation's, since both entries of the package come by here. */
const OURS = Symbol('o11y-kit.amqplib');

/**
 * amqplib, for RabbitMQ: messages through the official instrumentation. A message that is acknowledged was processed; one
 * that is refused (`nack`, `reject`) has failed.
 *
 * @see https://amqp-node.github.io/amqplib/channel_api.html
 */
export const amqplib = defineLibrary<object>({
  name: 'amqplib',
  gives: 'Messages: one trace from publish to acknowledgement, correlation id, counts, durations; health of the connection.',
  packages: { amqplib: '>=0.5.5 <3.0.0', 'amqplib/callback_api': '>=0.5.5 <3.0.0' },
  accepts: (exports): exports is object => isExports(exports) && typeof exports.connect === 'function',
  wire(exports, kit, copy) {
    const connection = (loadedFile(copy, 'amqplib/lib/connection.js') as { Connection?: { prototype: Connection } } | undefined)
      ?.Connection?.prototype;
    const official = adopt(kit, copy, exports, { name: 'amqplib', tracerProvider: brokerTracerProvider(kit, 'rabbitmq', read) });
    const classes = MODELS.flatMap((file) => Object.values((loadedFile(copy, file) ?? {}) as object)).filter(
      (Class): Class is { prototype: Channel } =>
        typeof Class === 'function' && Object.hasOwn(Class.prototype ?? {}, 'publish') && !(OURS in Class.prototype.publish),
    );
    return together([
      official,
      ...classes.map(({ prototype }) => carryIds(prototype)),
      connection === undefined ? () => {} : watchConnection(connection, kit),
    ]);
  },
});

/** The correlation id goes along as baggage; the app's own options are left as they are, to be used again. */
function carryIds(prototype: Channel): Undo {
  const traced = prototype.publish;
  const publish: Publish = function (exchange, key, content, options, ...rest) {
    const context = active();
    const id = correlationIdOf(context) ?? uuidv7();
    const own = { ...options, headers: { ...options?.headers } };
    return storage.run(withBaggageId(context, id), () => traced.call(this, exchange, key, content, own, ...rest));
  };
  // With these the official instrumentation knows its own below, and does not wrap a second time.
  prototype.publish = Object.assign(publish, traced, { [OURS]: true });
  return () => {
    prototype.publish = traced;
  };
}

/** A queue that the server has named, for one consumer and for as long as it is there. */
const TEMPORARY = /^(amq\.gen-|amq\.rabbitmq\.reply-to)/;

function read({ kind, name, attributes, failure }: Call): Message {
  const exchange = String(attributes['messaging.destination'] ?? '');
  const key = String(attributes['messaging.rabbitmq.routing_key'] ?? '');
  // To the default exchange the routing key is a queue; to any other it may be anything.
  const target = kind === SpanKind.PRODUCER ? exchange || key : name.replace(/ process$/, '');
  return {
    destination: TEMPORARY.test(target) ? '(temporary)' : target,
    attributes: { 'messaging.rabbitmq.destination.routing_key': key, 'messaging.message.id': messageId(attributes) },
    failure: failure === undefined ? undefined : refused(failure.message),
  };
}

function messageId(attributes: Call['attributes']): string | undefined {
  const id = attributes['messaging.message_id'] ?? attributes['messaging.message.id'];
  return typeof id === 'string' ? id : undefined;
}

/** From the sentences of the official instrumentation: `nack called on message with requeue`, `channel closed`. */
function refused(message: string) {
  const [name, category] = / with requeue$/.test(message)
    ? ['MessageRequeued', 'retriable']
    : /^channel/.test(message)
      ? ['ChannelClosed', 'retriable']
      : /confirmation/.test(message)
        ? ['MessageNotConfirmed', 'retriable']
        : ['MessageRejected', 'fatal'];
  return { name, message, thrown: { name, category, message } };
}

function watchConnection(prototype: Connection, kit: Kit): Undo {
  if (OURS in prototype.open) return () => {};
  const { targets } = databasesOf(kit);
  const { open } = prototype;
  const opened: Connection['open'] = function (this: Connection, fields, callback) {
    const { remoteAddress, remotePort } = this.stream ?? {};
    const server = serverName({ system: 'rabbitmq', address: remoteAddress, port: remotePort, namespace: undefined });
    // Told without an error where the app itself closes it.
    this.once('close', (error) => error !== undefined && error !== null && targets.note(server, lost(error)));
    return open.call(this, fields, (error, ...rest) => {
      targets.note(server, error ? lost(error) : undefined);
      return callback(error, ...rest);
    });
  };
  prototype.open = Object.assign(opened, { [OURS]: true });
  return () => {
    prototype.open = open;
  };
}

/** Whatever the reason was, the connection is gone. */
function lost(error: unknown) {
  return { ...failureOf(error), code: 'ECONNRESET' };
}
