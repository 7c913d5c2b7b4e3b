/** ioredis: one client that mends its connection, and one that listens to a channel. */
module.exports = async (exported, url) => {
  const Redis = exported.Redis ?? exported;
  const redis = new Redis(url, { maxRetriesPerRequest: 2, retryStrategy: () => 100 });
  redis.on('error', () => {});
  const subscriber = redis.duplicate();
  subscriber.on('error', () => {});
  const heard = [];
  subscriber.on('message', async (_channel, message) => heard.push(`${message} ${await redis.incr('heard')}`));
  await subscriber.subscribe('news');
  return {
    get: async ({ id = '1' }) => {
      await redis.set(`customer:${id}`, 'Ada');
      return redis.get(`customer:${id}`);
    },
    callback: () =>
      new Promise((resolve, reject) => redis.get('customer:1', (error, value) => (error ? reject(error) : resolve(value)))),
    pipeline: async ({ size = '3' }) => {
      const pipeline = redis.pipeline();
      for (let n = 0; n < Number(size); n++) pipeline.incr('visits');
      return (await pipeline.exec()).length;
    },
    multi: () => redis.multi().incr('visits').get('visits').exec(),
    wrong: async () => {
      await redis.set('text', 'abc');
      return redis.lpush('text', 'secret-value');
    },
    unknown: () => redis.call('NOSUCH', 'secret-value'),
    /** A client that keeps nothing for later, before it is connected: the command is refused at once. */
    refused: async () => {
      const own = redis.duplicate({ enableOfflineQueue: false, lazyConnect: true });
      own.on('error', () => {});
      try {
        return await own.get('customer:1');
      } finally {
        own.disconnect();
      }
    },
    block: async () => {
      const own = redis.duplicate();
      const value = await own.blpop('nothing', 1);
      own.disconnect();
      return value;
    },
    slow: async ({ seconds = '0.6' }) => void (await redis.call('DEBUG', 'SLEEP', seconds)),
    many: async ({ times }) => {
      for (let n = 0; n < Number(times); n++) await redis.incr('visits');
    },
    publish: () => redis.publish('news', 'hello'),
    heard: () => heard,
    close: () => {
      redis.disconnect();
      subscriber.disconnect();
    },
  };
};
