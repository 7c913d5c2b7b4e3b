import { type SpanContext, trace } from '@opentelemetry/api';
import { ROOT, storage } from '../context.ts';
import { databasesOf, serverName } from '../databases/databases.ts';
import { uuidv7 } from '../ids.ts';
import type { Kit } from '../kit.ts';
import type { Carrier, Fields } from '../messaging/carrier.ts';
import { type BatchPayload, watchLag } from '../messaging/kafka-lag.ts';
import { createMessages, type Messages, type Processing, type Sending } from '../messaging/messages.ts';
import { failureOf } from '../traces/failure.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';
import { loadedFile } from './official.ts';
import { type Method, patch } from './patch.ts';

type Headers = Readonly<Record<string, unknown>>;

interface Message {
  readonly headers?: Headers;
  readonly offset?: string;
}

interface TopicMessages {
  readonly topic: string;
  readonly messages: readonly Message[];
}

/** Producers, consumers and transactions are plain objects of functions, each made anew. */
type Client = Record<string, any>;

interface KafkaJS {
  readonly Kafka: { readonly prototype: object };
}

const SYSTEM = 'kafka';

/**
 * kafkajs. The official instrumentation is not used: it writes into the app's own messages and options, ties no batch to
 * the trace of its messages, and hands on of an error its message only.
 *
 * @see https://kafka.js.org/docs/consuming
 */
export const kafkajs = defineLibrary<KafkaJS>({
  name: 'kafkajs',
  gives:
    'Messages: one trace from send to eachMessage or eachBatch, the correlation id in the handler, counts, durations; lag of the consumer by partition; health of the connections.',
  packages: { kafkajs: '>=2.0.0 <3.0.0' },
  accepts: (exports): exports is KafkaJS => isExports(exports) && isExports(exports.Kafka) && isExports(exports.Kafka.prototype),
  wire({ Kafka }, kit, copy) {
    const messages = createMessages(kit);
    const connection = (loadedFile(copy, 'kafkajs/src/network/connection.js') as { prototype?: object } | undefined)?.prototype;
    const watch = (name: string, made: (client: Client, options: any) => void) =>
      patch(
        Kafka.prototype,
        name,
        (original) =>
          function (this: unknown, ...args) {
            const client: Client = original.apply(this, args);
            watchRequests(client, kit);
            made(client, args[0]);
            return client;
          },
      );
    return together([
      watch('producer', (producer) => watchProducer(producer, messages)),
      watch('consumer', (consumer, options) => watchConsumer(consumer, String(options?.groupId ?? ''), messages, kit)),
      watch('admin', () => {}),
      connection === undefined ? () => {} : watchConnect(connection, kit),
    ]);
  },
});

function watchProducer(producer: Client, messages: Messages): void {
  patch(
    producer,
    'send',
    (original) =>
      function (this: unknown, record, ...rest) {
        if (!Array.isArray(record?.messages)) return original.call(this, record, ...rest);
        return messages.send(sendingOf([record]), (fields) => original.call(this, carrying(record, fields), ...rest));
      },
  );
  patch(
    producer,
    'sendBatch',
    (original) =>
      function (this: unknown, batch, ...rest) {
        const topics = batch?.topicMessages;
        if (!Array.isArray(topics) || !topics.every((each) => Array.isArray(each?.messages)) || topics.length === 0)
          return original.call(this, batch, ...rest);
        return messages.send(sendingOf(topics), (fields) =>
          original.call(this, { ...batch, topicMessages: topics.map((each) => carrying(each, fields)) }, ...rest),
        );
      },
  );
  patch(
    producer,
    'transaction',
    (original) =>
      function (this: unknown, ...args) {
        const result = original.apply(this, args);
        return typeof result?.then !== 'function'
          ? result
          : result.then((transaction: Client) => {
              watchProducer(transaction, messages);
              return transaction;
            });
      },
  );
}

function sendingOf(topics: readonly TopicMessages[]): Sending {
  const counts = new Map<string, number>();
  for (const { topic, messages } of topics) counts.set(topic, (counts.get(topic) ?? 0) + messages.length);
  const count = topics.reduce((sum, { messages }) => sum + messages.length, 0);
  return {
    to: { system: SYSTEM, name: topics[0].topic },
    operation: 'send',
    counts,
    ...(count > 1 && { attributes: { 'messaging.batch.message_count': count } }),
  };
}

/** Copies: the app may send its messages again. */
function carrying<T extends TopicMessages>(topic: T, fields: Fields): T {
  const messages = topic.messages.map((each) => ({ ...each, headers: { ...each?.headers, ...fields } }));
  return { ...topic, messages };
}

function watchConsumer(consumer: Client, group: string, messages: Messages, kit: Kit): void {
  const lag = watchLag(kit, group);
  const attributes = { 'messaging.consumer.group.name': group };
  on<BatchPayload>(consumer, 'START_BATCH_PROCESS', lag.began);
  on<BatchPayload>(consumer, 'END_BATCH_PROCESS', lag.done);
  for (const event of ['GROUP_JOIN', 'STOP', 'CRASH', 'DISCONNECT']) on(consumer, event, lag.forget);

  patch(
    consumer,
    'run',
    (original) =>
      function (this: unknown, config, ...rest) {
        const { eachMessage, eachBatch } = config ?? {};
        const watched = {
          ...config,
          ...(typeof eachMessage === 'function' && { eachMessage: handling(eachMessage, ofMessage) }),
          ...(typeof eachBatch === 'function' && { eachBatch: handling(eachBatch, ofBatch) }),
        };
        // Polling belongs to no request, not even to the one in which it was begun.
        return storage.run(ROOT, () => original.call(this, watched, ...rest));
      },
  );

  function handling(handler: Method, describe: (payload: any) => Processing): Method {
    return function (this: unknown, ...args) {
      return messages.process(describe(args[0]), () => handler.apply(this, args));
    };
  }

  function ofMessage({ topic, partition, message }: { topic: string; partition: number; message: Message }): Processing {
    return {
      from: { system: SYSTEM, name: topic },
      attributes: {
        ...attributes,
        'messaging.destination.partition.id': String(partition),
        'messaging.kafka.offset': String(message.offset),
      },
      origin: (carrier) => originOf(message, carrier),
    };
  }

  function ofBatch({ batch }: { batch: { topic: string; partition: number; messages: readonly Message[] } }): Processing {
    /** Of all that made messages of the batch, each once: one `send` makes many. */
    const makers = new Map<string, SpanContext>();
    let parent: SpanContext | undefined;
    return {
      from: { system: SYSTEM, name: batch.topic },
      attributes: {
        ...attributes,
        'messaging.destination.partition.id': String(batch.partition),
        'messaging.batch.message_count': batch.messages.length,
      },
      /** Of messages of one trace the batch is a part; one of several traces is a trace of its own, linked to them. */
      origin(carrier) {
        const origins = batch.messages.slice(0, MOST_READ).map((message) => originOf(message, carrier));
        const contexts = origins.map((each) => trace.getSpanContext(each));
        for (const context of contexts) if (context !== undefined) makers.set(context.spanId, context);
        if (new Set(contexts.map((each) => each?.traceId)).size !== 1) return ROOT.withCorrelationId(uuidv7());
        parent = contexts[0];
        return origins[0];
      },
      onContext({ span }) {
        for (const context of makers.values()) if (context.spanId !== parent?.spanId) span?.addLink({ context });
      },
    };
  }
}

/** A batch may hold thousands of messages; OpenTelemetry keeps as many links of a span. */
const MOST_READ = 128;

function originOf({ headers }: Message, carrier: Carrier) {
  const fields: Record<string, string> = {};
  for (const [key, value] of Object.entries(headers ?? {})) {
    const name = key.toLowerCase();
    if (carrier.names.has(name) && (typeof value === 'string' || Buffer.isBuffer(value))) fields[name] = value.toString();
  }
  const context = carrier.read(fields);
  return context.correlationId === undefined ? context.withCorrelationId(uuidv7()) : context;
}

/** An event of a client that this version has. */
function on<P>(client: Client, event: string, listener: (payload: Partial<P>) => void): void {
  const name = client.events?.[event];
  if (name !== undefined) client.on(name, ({ payload }: { payload?: Partial<P> }) => listener(payload ?? {}));
}

interface RequestPayload {
  /** Host and port. */
  readonly broker: unknown;
  readonly apiName: unknown;
}

/** A broker that answers is there, whatever the answer says; one that hangs takes connections all the same. */
function watchRequests(client: Client, kit: Kit): void {
  const { targets } = databasesOf(kit);
  const nameOf = (broker: unknown) =>
    serverName({ system: SYSTEM, address: String(broker), port: undefined, namespace: undefined });
  on<RequestPayload>(client, 'REQUEST', ({ broker }) => targets.note(nameOf(broker), undefined));
  on<RequestPayload>(client, 'REQUEST_TIMEOUT', ({ broker, apiName }) =>
    targets.note(nameOf(broker), {
      name: 'KafkaJSRequestTimeoutError',
      code: 'ETIMEDOUT',
      message: `no answer to ${apiName}`,
    }),
  );
}

/** kafkajs connects anew before a request whenever a connection is gone, so this tells of each broker whether it is gone. */
function watchConnect(prototype: object, kit: Kit): Undo {
  const { targets } = databasesOf(kit);
  return patch(
    prototype,
    'connect',
    (original) =>
      function (this: { host?: string; port?: number; isConnected?(): boolean }, ...args) {
        // Nothing was asked of the broker then.
        if (this.isConnected?.()) return original.apply(this, args);
        const result = original.apply(this, args);
        const name = serverName({ system: SYSTEM, address: this.host, port: this.port, namespace: undefined });
        result?.then?.(
          // What answers is told by the requests.
          () => {},
          // Whatever the reason was, there is no connection.
          (error: unknown) => targets.note(name, { ...failureOf(error), code: 'ECONNREFUSED' }),
        );
        return result;
      },
  );
}
