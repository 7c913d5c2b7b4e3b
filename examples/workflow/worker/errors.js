import { UnrecoverableError } from 'bullmq';

const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** An answer that is no success. Most of the 4xx will be the same next time, so they are not tried again. */
export function failedAnswer(what, status) {
  const text = `${what} answered ${status}`;
  return Object.assign(PASSING.has(status) ? new Error(text) : new UnrecoverableError(text), { statusCode: status });
}

/** Why a step has failed for good, for those who look through the dead letters. */
export function categoryOf(error) {
  if (error.code === 'EOPENBREAKER') return 'breaker_open';
  if (error.code === 'ETIMEDOUT' || error.name === 'TimeoutError') return 'timeout';
  const status = error.statusCode ?? error.responseCode;
  if (status >= 500) return 'remote_failure';
  if (status >= 400) return 'refused';
  return error.code || error.cause?.code ? 'unreachable' : 'bug';
}
