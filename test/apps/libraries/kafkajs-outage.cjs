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
  const waiting = new Map();
  const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 200, sessionTimeout: 6000 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => waiting.get(String(message.value))?.() });
  let count = 0;

  async function send() {
    const id = String(++count);
    const handled = new Promise((resolve) => waiting.set(id, resolve));
    let timer;
    // kafkajs answers some of what was sent to a broker that was gone never.
    const patience = new Promise((_resolve, reject) => {
      timer = setTimeout(reject, 3000, new Error('no answer: timeout of the app'));
    });
    try {
      await Promise.race([Promise.all([producer.send({ topic, messages: [{ value: id }] }), handled]), patience]);
    } finally {
      clearTimeout(timer);
      waiting.delete(id);
    }
  }
  return {
    send,
    many: async ({ times }) => {
      for (let n = 0; n < Number(times); n += 100) await Promise.all(Array.from({ length: 100 }, send));
    },
    close: () => Promise.all([producer.disconnect(), consumer.disconnect()]),
  };
};
