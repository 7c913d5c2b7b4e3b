/** node-redis: one client that mends its connection, and one that listens to a channel. */
module.exports = async ({ createClient }, url) => {
  const make = () => {
    const client = createClient({ url, socket: { reconnectStrategy: () => 100 } });
    client.on('error', () => {});
    return client;
  };
  const redis = make();
  await redis.connect();
  const subscriber = make();
  await subscriber.connect();
  const heard = [];
  await subscriber.subscribe('news', async (message) => void heard.push(`${message} ${await redis.incr('heard')}`));
  return {
    get: async ({ id = '1' }) => {
      await redis.set(`customer:${id}`, 'Ada');
      return redis.get(`customer:${id}`);
    },
    pipeline: async ({ size = '3' }) => {
      const pipeline = redis.multi();
      for (let n = 0; n < Number(size); n++) pipeline.incr('visits');
      return (await pipeline.execAsPipeline()).length;
    },
    multi: () => redis.multi().incr('visits').get('visits').exec(),
    wrong: async () => {
      await redis.set('text', 'abc');
      return redis.lPush('text', 'secret-value');
    },
    unknown: () => redis.sendCommand(['NOSUCH', 'secret-value']),
    block: async () => {
      const own = make();
      await own.connect();
      const value = await own.blPop('nothing', 1);
      await (own.close ?? own.quit).call(own);
      return value;
    },
    slow: async ({ seconds = '0.6' }) => void (await redis.sendCommand(['DEBUG', 'SLEEP', seconds])),
    many: async ({ times }) => {
      for (let n = 0; n < Number(times); n++) await redis.incr('visits');
    },
    publish: () => redis.publish('news', 'hello'),
    heard: () => heard,
    close: () => {
      for (const client of [redis, subscriber]) (client.destroy ?? client.disconnect).call(client);
    },
  };
};
