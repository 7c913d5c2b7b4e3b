/** kafkajs: topics that are made, written to and read as a test asks for it; transactions; a broker that comes and goes. */
module.exports = async ({ Kafka, logLevel, Partitioners }, broker) => {
  const kafka = new Kafka({
    clientId: 'shop',
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    retry: { retries: 3 },
    requestTimeout: Number(process.env.REQUEST_TIMEOUT ?? 30_000),
  });
  const createPartitioner = Partitioners.DefaultPartitioner;
  const producer = kafka.producer({ createPartitioner });
  await producer.connect();
  const consumers = [];

  /** The app's own headers and objects, which it may use again. */
  const message = (value) => ({ value, headers: { own: 'kept' } });
  const unchanged = (messages) => messages.every(({ headers }) => Object.keys(headers).join() === 'own');

  /** Reads a topic from its beginning until it has seen so many messages; what it saw. */
  async function consume(topic, count, kind) {
    const consumer = kafka.consumer({ groupId: `shop-${topic}-${consumers.length}` });
    consumers.push(consumer);
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const seen = [];
    await new Promise((resolve, reject) => {
      const see = ({ value, headers }) => {
        seen.push({ value: value.toString(), own: headers.own?.toString(), fields: Object.keys(headers).sort() });
        console.log(`read ${value}`);
        if (seen.length === count) resolve();
      };
      const handlers = {
        message: { eachMessage: async ({ message }) => see(message) },
        batch: { eachBatch: async ({ batch }) => batch.messages.forEach(see) },
      };
      consumer.run(handlers[kind]).catch(reject);
    });
    return seen;
  }

  return {
    topics: async ({ names }) => {
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({ topics: names.split(',').map((topic) => ({ topic })), waitForLeaders: true });
      await admin.disconnect();
    },
    send: async ({ topic, value = 'one' }) => {
      const messages = value.split(',').map(message);
      await producer.send({ topic, messages });
      return unchanged(messages);
    },
    batch: async ({ topics }) => {
      const topicMessages = topics.split(',').map((topic) => ({ topic, messages: [message('one'), message('two')] }));
      await producer.sendBatch({ topicMessages });
      return topicMessages.every(({ messages }) => unchanged(messages));
    },
    consume: ({ topic, count = '1', kind = 'message' }) => consume(topic, Number(count), kind),
    transaction: async ({ topics, end, id }) => {
      const transactional = kafka.producer({ createPartitioner, transactionalId: id, maxInFlightRequests: 1, idempotent: true });
      await transactional.connect();
      const transaction = await transactional.transaction();
      const [first, second] = topics.split(',');
      await transaction.send({ topic: first, messages: [message(end)] });
      await transaction.sendBatch({ topicMessages: [{ topic: second, messages: [message(end)] }] });
      await transaction[end]();
      const late = await transaction.send({ topic: first, messages: [message('late')] }).catch((error) => error.message);
      await transactional.disconnect();
      return { active: transaction.isActive(), late };
    },
    close: () => Promise.all([producer, ...consumers].map((each) => each.disconnect())),
  };
};
