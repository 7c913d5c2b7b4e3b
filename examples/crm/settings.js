/** Settings of the service, from its environment. */
export const settings = {
  port: Number(process.env.PORT ?? 3100),
  databaseUrl: process.env.DATABASE_URL ?? 'postgres://localhost:5432/crm',
  /** Connections at most; what comes beyond waits. */
  poolSize: Number(process.env.POOL_SIZE ?? 10),
  /** Milliseconds that a request waits for a connection before it is refused. */
  poolTimeoutMs: Number(process.env.POOL_TIMEOUT_MS ?? 3000),
  redisUrl: process.env.REDIS_URL ?? 'redis://localhost:6379',
  cacheSeconds: Number(process.env.CACHE_SECONDS ?? 60),
  /** Milliseconds after which the open breaker lets a request try the cache again. */
  breakerResetMs: Number(process.env.BREAKER_RESET_MS ?? 10_000),
  modelUrl: process.env.OPENAI_BASE_URL ?? 'https://api.openai.com/v1',
  modelKey: process.env.OPENAI_API_KEY ?? '',
  model: process.env.MODEL ?? 'gpt-4o-mini',
};
