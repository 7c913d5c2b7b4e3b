/** amqplib: a queue, a topic exchange with a queue behind it, and a consumer of each. */
module.exports = async ({ connect }, url) => {
  const connection = await connect(url);
  connection.on('error', () => {});
  const channel = await connection.createChannel();
  const confirming = await connection.createConfirmChannel();
  await channel.assertQueue('orders', { durable: false });
  await channel.purgeQueue('orders');
  await channel.assertExchange('events', 'topic', { durable: false });
  await channel.assertQueue('audit', { durable: false });
  await channel.bindQueue('audit', 'events', '#');
  const waiting = new Map();
  const handled = (id) => new Promise((resolve) => waiting.set(id, resolve));
  let count = 0;

  for (const queue of ['orders', 'audit'])
    await channel.consume(queue, (message) => {
      const { id, refuse } = JSON.parse(message.content.toString());
      setImmediate(() => {
        if (refuse) channel.nack(message, false, false);
        else channel.ack(message);
        waiting.get(id)?.();
        waiting.delete(id);
      });
    });

  const body = (extra = {}) => {
    const id = ++count;
    return [Buffer.from(JSON.stringify({ id, text: 'secret-value', ...extra })), handled(id)];
  };
  return {
    send: async () => {
      const [content, done] = body();
      channel.sendToQueue('orders', content);
      await done;
    },
    confirmed: async () => {
      const [content, done] = body();
      await new Promise((resolve, reject) => {
        confirming.sendToQueue('orders', content, {}, (error) => (error ? reject(error) : resolve()));
      });
      await done;
    },
    exchange: async ({ key }) => {
      const [content, done] = body();
      channel.publish('events', key, content);
      await done;
    },
    refused: async () => {
      const [content, done] = body({ refuse: true });
      channel.sendToQueue('orders', content);
      await done;
    },
    close: () => connection.close(),
  };
};
