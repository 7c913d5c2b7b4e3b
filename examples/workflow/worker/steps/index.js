import CircuitBreaker from 'opossum';
import { number } from '../../shared/settings.js';
import { sendEmail } from './email.js';
import { download } from './fetch.js';
import { callWebhook } from './webhook.js';

const timeout = number('STEP_TIMEOUT_MS', 5000);

/** One breaker for each kind of step: where mail is down, webhooks go on. */
function guarded(name, action) {
  return new CircuitBreaker(action, {
    name,
    timeout,
    volumeThreshold: 5,
    errorThresholdPercentage: 50,
    resetTimeout: number('BREAKER_RESET_MS', 10_000),
    // What the other side refuses says nothing of its health.
    errorFilter: ({ statusCode, responseCode }) => (statusCode ?? responseCode) >= 400 && (statusCode ?? responseCode) < 500,
  });
}

const breakers = {
  email: guarded('email', sendEmail),
  webhook: guarded('webhook', callWebhook),
  fetch: guarded('fetch', download),
};

export function runStep({ type, ...settings }, context) {
  return breakers[type].fire({ ...settings, ...context, signal: AbortSignal.timeout(timeout) });
}

export function stopSteps() {
  for (const breaker of Object.values(breakers)) breaker.shutdown();
}
