import { Redis } from 'ioredis';
import { follow } from '../shared/events.js';

/** The events of a run as server-sent events, until it has finished or the client has gone. */
export function progress(redisUrl, log) {
  return async (req, res) => {
    const runId = req.params.id;
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    res.flushHeaders();
    const gone = new AbortController();
    // It waits for entries most of the time, so it cannot be shared.
    const redis = new Redis(redisUrl);
    redis.on('error', (error) => log.warn({ err: error }, 'redis'));
    res.once('close', () => {
      gone.abort();
      redis.disconnect();
    });
    try {
      let left = Number.POSITIVE_INFINITY;
      for await (const { id, type, details } of follow(redis, runId, gone.signal)) {
        res.write(`id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(details)}\n\n`);
        if (type === 'run.started') left = details.steps;
        if (type === 'step.done' || type === 'step.dead') left--;
        if (left === 0) break;
      }
      res.end();
    } catch (error) {
      if (!gone.signal.aborted) log.error({ err: error, runId }, 'progress failed');
      res.destroy();
    }
  };
}
