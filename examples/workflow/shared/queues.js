import { Queue } from 'bullmq';
import { settings } from './settings.js';

export const STEPS = 'steps';
export const DEAD_LETTERS = 'dead-letters';

export const connection = { url: settings.redisUrl, maxRetriesPerRequest: null };

export function stepsQueue() {
  return new Queue(STEPS, {
    connection,
    defaultJobOptions: {
      attempts: settings.attempts,
      backoff: { type: 'exponential', delay: settings.backoffMs },
      removeOnComplete: 1000,
      // It goes on as a dead letter, with what is known of its end.
      removeOnFail: true,
    },
  });
}

/** Nothing works on this queue: jobs wait in it until somebody has looked at them. */
export function deadLettersQueue() {
  return new Queue(DEAD_LETTERS, { connection });
}
