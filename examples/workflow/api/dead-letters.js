import { Router } from 'express';
import { record } from '../shared/events.js';

const MOST_SHOWN = 100;

/** What has failed for good: to be looked at, and to be tried again. */
export function deadLetters({ dead, steps, redis, log }) {
  const router = Router();

  router.get('/', async (req, res) => {
    const jobs = await dead.getWaiting(0, MOST_SHOWN - 1);
    const letters = jobs.map(({ id, name, data, timestamp }) => ({
      id,
      type: name,
      runId: data.runId,
      category: data.category,
      reason: data.reason,
      attempts: data.attempts,
      at: new Date(timestamp).toISOString(),
    }));
    const { category } = req.query;
    res.json({ total: await dead.getWaitingCount(), letters: letters.filter((one) => !category || one.category === category) });
  });

  router.post('/:id/replay', async (req, res) => {
    const letter = await dead.getJob(req.params.id);
    if (!letter) return res.status(404).json({ error: `no dead letter "${req.params.id}"` });
    const { runId, index, total, step } = letter.data;
    // Removed first: of two that replay it at once, one finds nothing to remove.
    if ((await dead.remove(letter.id)) === 0) return res.status(409).json({ error: 'somebody else has replayed it' });
    const job = await steps.add(letter.name, { runId, index, total, step });
    await record(redis, runId, 'step.replayed', { index, type: letter.name });
    log.info({ runId, letter: letter.id, job: job.id }, 'dead letter replayed');
    return res.status(202).json({ job: job.id });
  });

  return router;
}
