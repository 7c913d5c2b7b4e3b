import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pino from 'pino';
import { record } from '../shared/events.js';
import { connection, deadLettersQueue, STEPS } from '../shared/queues.js';
import { number, settings } from '../shared/settings.js';
import { categoryOf } from './errors.js';
import { runStep, stopSteps } from './steps/index.js';

const log = pino();
const redis = new Redis(settings.redisUrl, { maxRetriesPerRequest: 1 });
const dead = deadLettersQueue();

const worker = new Worker(
  STEPS,
  async ({ data: { runId, index, step }, attemptsMade }) => {
    log.info({ runId, index, type: step.type, attempt: attemptsMade + 1 }, 'step started');
    await record(redis, runId, 'step.started', { index, type: step.type, attempt: attemptsMade + 1 });
    const result = await runStep(step, { runId, index });
    await record(redis, runId, 'step.done', { index, type: step.type, result });
    return result;
  },
  { connection, concurrency: number('CONCURRENCY', 10) },
);

worker.on('failed', async (job, error) => {
  if (!job) return;
  const { runId, index, step } = job.data;
  const category = categoryOf(error);
  const about = { index, type: step.type, attempt: job.attemptsMade, category, reason: error.message };
  try {
    if (job.finishedOn === undefined) {
      log.warn({ runId, ...about }, 'step failed, to be repeated');
      await record(redis, runId, 'step.failed', about);
      return;
    }
    log.error({ runId, ...about, err: error }, 'step failed for good');
    await dead.add(job.name, { ...job.data, category, reason: error.message, attempts: job.attemptsMade });
    await record(redis, runId, 'step.dead', about);
  } catch (failure) {
    log.error({ err: failure, runId, index }, 'a failed step could not be recorded');
  }
});

for (const client of [redis, dead, worker]) client.on('error', (error) => log.warn({ err: error }, 'redis'));
worker.waitUntilReady().then(() => log.info('worker ready'));

process.once('SIGTERM', async () => {
  // Waits for the steps that are being worked on.
  await worker.close();
  await dead.close();
  stopSteps();
  redis.disconnect();
});
