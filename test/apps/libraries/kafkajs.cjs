const { randomBytes } = require('node:crypto');

/** kafkajs: a topic read message by message, a topic read in batches, and a handler that refuses some. */
module.exports = async (exported, broker) => {
  const { Kafka, logLevel } = exported.default ?? exported;
  const kafka = new Kafka({ clientId: 'shop', brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 3 } });
  // One broker serves several tests: whoever comes later must not meet what was left before.
  const groupId = `shop-${randomBytes(4).toString('hex')}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'orders' }, { topic: 'audit' }], waitForLeaders: true });
  await admin.disconnect();

  const producer = kafka.producer({ createPartitioner: exported.Partitioners?.DefaultPartitioner });
  await producer.connect();
  const waiting = new Map();
  const refused = new Set();
  let count = 0;

  function handle({ value }) {
    const { id, refuse } = JSON.parse(value.toString());
    // Once only: the second attempt works.
    if (refuse && !refused.has(id)) {
      refused.add(id);
      throw Object.assign(new Error('no stock'), { name: 'OutOfStock' });
    }
    waiting.get(id)?.();
    waiting.delete(id);
  }

  async function consume(topic, config) {
    const consumer = kafka.consumer({ groupId: `${groupId}-${topic}`, heartbeatInterval: 500 });
    await consumer.connect();
    await consumer.subscribe({ topic });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run(config);
    await joined;
    return consumer;
  }
  const consumers = await Promise.all([
    consume('orders', { eachMessage: async ({ message }) => handle(message) }),
    consume('audit', { eachBatch: async ({ batch }) => batch.messages.forEach(handle) }),
  ]);
  // A group that is new reads from the end on, which it asks for with its first fetch.
  await new Promise((resolve) => setTimeout(resolve, 500));

  const message = (extra = {}) => {
    const id = `${groupId}-${++count}`;
    const handled = new Promise((resolve) => waiting.set(id, resolve));
    return [{ key: 'secret-key', value: JSON.stringify({ id, text: 'secret-value', ...extra }) }, handled];
  };
  async function send(topic, extra) {
    const [content, handled] = message(extra);
    await producer.send({ topic, messages: [content] });
    await handled;
  }
  return {
    send: () => send('orders'),
    batch: () => send('audit'),
    refused: () => send('orders', { refuse: true }),
    many: async () => {
      const messages = [message(), message(), message()];
      await producer.sendBatch({ topicMessages: [{ topic: 'orders', messages: messages.map(([content]) => content) }] });
      await Promise.all(messages.map(([, handled]) => handled));
    },
    close: () => Promise.all([producer, ...consumers].map((each) => each.disconnect())),
  };
};
