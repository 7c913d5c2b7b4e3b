/** What both processes read from their environment. */
export const settings = {
  redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  /** Attempts of a step before it becomes a dead letter, and the pause before the second one; it doubles with each. */
  attempts: number('STEP_ATTEMPTS', 3),
  backoffMs: number('STEP_BACKOFF_MS', 500),
};

export function number(name, fallback) {
  const value = Number(process.env[name] ?? fallback);
  if (!(value >= 0)) throw new RangeError(`${name} must be a number, 0 or more, not "${process.env[name]}"`);
  return value;
}
