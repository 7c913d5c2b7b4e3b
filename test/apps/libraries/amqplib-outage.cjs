const answered = require('./answered.cjs');

/** amqplib: what is sent comes back by a consumer. The app connects again by itself, since amqplib does not. */
module.exports = async ({ connect }, url) => {
  // Several processes use the broker.
  const queue = `orders-${process.pid}`;
  const { actions, arrived } = answered(async (id) => {
    if (channel === undefined) throw new Error('Connection closed');
    channel.sendToQueue(queue, Buffer.from(id));
  });
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
      arrived(message.content.toString());
    });
    channel = opened;
  }

  // A connection that was made and lost meanwhile is begun again by its `close`.
  const again = () => open().catch((error) => /ECONN|socket/i.test(error.message) && setTimeout(again, 100));
  await open();
  return {
    ...actions,
    close: () => {
      ending = true;
      return connection.close();
    },
  };
};
