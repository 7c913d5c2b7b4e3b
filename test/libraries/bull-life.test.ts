import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { startViewer } from '../../viewer/testing.ts';
import { spawnApp } from '../support/app.ts';
import { needsRedis, startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';
import { fixtures, outlivesRedis } from './jobs.ts';

suite('Bull in a process that lives long', { skip: needsRedis, concurrency: true }, () => {
  for (const file of ['bull40.cjs', 'bull4.cjs']) {
    test(`${file}: a job whose worker died has stalled, and goes on in its trace elsewhere`, async () => {
      await using redis = await startRedis();
      await using viewer = await startViewer();
      // Not so short that a busy machine loses a lock: Bull lets a job stall once only.
      const env = { REDIS_PORT: String(redis.port), LOCK_MS: '1000' };
      const args = [join(fixtures, file)];
      await using first = await spawnApp({ args, endpoint: viewer.url, env });
      const id = 'of-the-dead';
      await fetch(`http://127.0.0.1:${first.port}/jobs?kind=hangs`, { headers: { 'x-correlation-id': id } });
      await viewer.waitForLogs({ body: /^work hangs/ });
      await viewer.waitForSpans({ name: 'send mail' });
      await first.kill('SIGKILL');
      await using second = await spawnApp({ args, endpoint: viewer.url, env });
      await until('the stalled job', async () =>
        /bullmq_jobs_total\{queue="mail",result="stalled"\} 1\n/.test(await second.metrics()),
      );
      const lines = await viewer.waitForLogs({ body: /^work hangs/ }, { count: 2 });
      const [send] = viewer.spans({ name: 'send mail' });
      for (const line of lines) assert.deepEqual([line.traceId, line.attributes.correlation_id], [send.traceId, id]);
      await second.kill('SIGKILL');
    });
  }

  outlivesRedis('bull4.cjs', 'bull');
});
