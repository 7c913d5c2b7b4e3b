import { randomUUID } from 'node:crypto';
import express from 'express';
import { Redis } from 'ioredis';
import pino from 'pino';
import { record } from '../shared/events.js';
import { deadLettersQueue, stepsQueue } from '../shared/queues.js';
import { settings } from '../shared/settings.js';
import { deadLetters } from './dead-letters.js';
import { progress } from './progress.js';
import { problemOf } from './steps.js';

const log = pino();
const redis = new Redis(settings.redisUrl, { maxRetriesPerRequest: 1 });
const steps = stepsQueue();
const dead = deadLettersQueue();
// Without a listener a lost connection would end the process.
for (const client of [redis, steps, dead]) client.on('error', (error) => log.warn({ err: error }, 'redis'));

const app = express();
app.use(express.json({ limit: '64kb' }));

/** Starts a run: its steps are enqueued, all at once. */
app.post('/runs', async (req, res) => {
  const problem = problemOf(req.body);
  if (problem) return res.status(400).json({ error: problem });
  const runId = randomUUID();
  const jobs = req.body.steps.map((step, index) => ({
    name: step.type,
    data: { runId, index, total: req.body.steps.length, step },
  }));
  await record(redis, runId, 'run.started', { steps: jobs.length });
  await steps.addBulk(jobs);
  log.info({ runId, steps: jobs.length }, 'run started');
  res.status(202).json({ id: runId, progress: `/runs/${runId}/progress` });
});

app.get('/runs/:id/progress', progress(settings.redisUrl, log));
app.use('/dead-letters', deadLetters({ dead, steps, redis, log }));

app.use((error, _req, res, _next) => {
  const status = error.status ?? 500;
  if (status >= 500) log.error({ err: error }, 'request failed');
  res.status(status).json({ error: status < 500 ? error.message : 'internal error' });
});

const server = app.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1', () =>
  log.info(`listening on http://127.0.0.1:${server.address().port}`),
);

process.once('SIGTERM', async () => {
  server.close();
  server.closeAllConnections();
  await Promise.allSettled([steps.close(), dead.close()]);
  redis.disconnect();
});
