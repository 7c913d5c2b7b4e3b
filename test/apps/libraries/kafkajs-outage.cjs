const answered = require('./answered.cjs');

/** kafkajs: what is sent comes back by a consumer; every wait is short, since the broker dies, hangs and returns. */
module.exports = async ({ Kafka, logLevel, Partitioners }, broker) => {
  const kafka = new Kafka({
    clientId: 'shop',
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 1000,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 2 },
  });
  // Several processes use the broker.
  const topic = `orders-${process.pid}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const { actions, arrived } = answered((id) => producer.send({ topic, messages: [{ value: id }] }));
  const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 200, sessionTimeout: 6000 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => arrived(String(message.value)) });
  return {
    ...actions,
    close: () => Promise.all([producer.disconnect(), consumer.disconnect()]),
  };
};
