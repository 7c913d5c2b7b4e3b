/** amqplib: what is sent comes back by a consumer. The app connects again by itself, since amqplib does not. */
module.exports = async ({ connect }, url) => {
  // Several processes use the broker.
  const queue = `orders-${process.pid}`;
  const waiting = new Map();
  let channel;
  let ending = false;
  let connection;

  async function open() {
    connection = await connect(url);
    connection.on('error', () => {});
    connection.on('close', () => {
      channel = undefined;
      if (!ending) setTimeout(again, 100);
    });
    const opened = await connection.createChannel();
    opened.on('error', () => {});
    await opened.assertQueue(queue, { durable: false });
    await opened.consume(queue, (message) => {
      opened.ack(message);
      waiting.get(message.content.toString())?.();
    });
    channel = opened;
  }

  // A connection that was made and lost meanwhile is begun again by its `close`.
  const again = () => open().catch((error) => /ECONN|socket/i.test(error.message) && setTimeout(again, 100));
  await open();
  let count = 0;

  async function send() {
    if (channel === undefined) throw new Error('Connection closed');
    const id = String(++count);
    const handled = new Promise((resolve) => waiting.set(id, resolve));
    let timer;
    const patience = new Promise((_resolve, reject) => {
      timer = setTimeout(reject, 3000, new Error('no answer: timeout of the app'));
    });
    try {
      channel.sendToQueue(queue, Buffer.from(id));
      await Promise.race([handled, patience]);
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
    close: () => {
      ending = true;
      return connection.close();
    },
  };
};
