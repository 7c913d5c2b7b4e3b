import { Redis } from 'ioredis';
import CircuitBreaker from 'opossum';
import { settings } from './settings.js';

const redis = new Redis(settings.redisUrl, {
  // A request never waits for a cache that is away: it fails, the breaker opens, the database answers.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  retryStrategy: () => 500,
});
redis.on('error', () => {});

const options = { timeout: 250, errorThresholdPercentage: 50, volumeThreshold: 5, resetTimeout: settings.breakerResetMs };
const reads = new CircuitBreaker((key) => redis.get(key), { ...options, name: 'cache' });
// Without a cache there is nothing in it.
reads.fallback(() => null);

/**
 * The value of a key, or what `load` returns, which is then kept. A cache that does not answer is as good as an empty one.
 *
 * @template T
 * @param {string} key
 * @param {() => Promise<T>} load
 * @returns {Promise<T>}
 */
export async function cached(key, load) {
  const found = await reads.fire(key);
  if (found !== null) return JSON.parse(found);
  const value = await load();
  if (value !== undefined && !reads.opened) {
    await redis.set(key, JSON.stringify(value), 'EX', settings.cacheSeconds).catch(() => {});
  }
  return value;
}

export async function forget(key) {
  if (!reads.opened) await redis.del(key).catch(() => {});
}

export const closeCache = () => {
  reads.shutdown();
  redis.disconnect();
};
