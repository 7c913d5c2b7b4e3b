import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { startViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { needsRedis, startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';

const fixtures = join(import.meta.dirname, '../apps/fixtures');

function health(app: App): Promise<string | undefined> {
  return app
    .adminUrl()
    .then((url) => fetch(`${url}/health`))
    .then((response) => response.json() as Promise<any>)
    .then(({ checks }) => checks.bull?.[0]?.status);
}

suite('Bull in a process that lives long', { skip: needsRedis, concurrency: true }, () => {
  for (const file of ['bull40.cjs', 'bull4.cjs']) {
    test(`${file}: a job whose worker died has stalled, and goes on in its trace elsewhere`, async () => {
      await using redis = await startRedis();
      await using viewer = await startViewer();
      const env = { REDIS_PORT: String(redis.port), LOCK_MS: '200' };
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

  test('Redis dies and comes back: the app goes on, health fails and passes, the counts are a gap and return', async () => {
    await using redis = await startRedis();
    const env = { REDIS_PORT: String(redis.port) };
    await using app = await spawnApp({ args: [join(fixtures, 'bull4.cjs')], env });
    const add = async () => (await fetch(`http://127.0.0.1:${app.port}/jobs?kind=ok`)).status;
    assert.equal(await add(), 200);
    const shown = async () => (await app.metrics()).includes('bullmq_job_count{queue="mail"');
    await until('a healthy queue', async () => (await health(app)) === 'pass' && (await shown()));
    await redis.kill();
    await until('a queue that is down', async () => (await health(app)) === 'fail' && !(await shown()), { timeoutMs: 30_000 });
    await redis.restart();
    await until('a queue that is back', async () => (await health(app)) === 'pass' && (await shown()), { timeoutMs: 30_000 });
    assert.equal(await add(), 200);
    await until('a job after the outage', () => app.stdout().split('completed event ok').length >= 3, { timeoutMs: 30_000 });
    assert.doesNotMatch(app.stderr(), /MaxListeners|Unhandled/);
  });
});
