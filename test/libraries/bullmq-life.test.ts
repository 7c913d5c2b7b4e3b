import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { startViewer } from '../../viewer/testing.ts';
import { spawnApp } from '../support/app.ts';
import { needsRedis, startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';
import { fixtures, outlivesRedis } from './jobs.ts';

const { Queue } = createRequire(join(fixtures, 'x.cjs'))('bullmq5');

/** A producer that knows nothing of traces: this process runs without the kit. */
async function produce(port: number, jobs: readonly { name: string; data?: object; opts?: object }[]): Promise<void> {
  const queue = new Queue('mail', { connection: { host: '127.0.0.1', port } });
  try {
    await queue.addBulk(jobs.map((job) => ({ data: {}, ...job })));
  } finally {
    await queue.close();
  }
}

suite('BullMQ in a process that lives long', { skip: needsRedis, concurrency: true }, () => {
  for (const bullmq of ['bullmq50', 'bullmq5', 'bullmq6']) {
    test(`a process that only works tells what its queue holds, by its worker's connection: ${bullmq}`, async () => {
      await using redis = await startRedis();
      await using viewer = await startViewer();
      await produce(redis.port, [{ name: 'done' }, { name: 'later', opts: { delay: 600_000 } }]);
      const env = { REDIS_PORT: String(redis.port), BULLMQ: bullmq };
      await using app = await spawnApp({ args: [join(fixtures, 'bullmq-worker.cjs')], endpoint: viewer.url, env });
      await until(
        'the job counts',
        async () => {
          const page = await app.metrics();
          return ['completed', 'delayed'].every((state) => page.includes(`bullmq_job_count{queue="mail",state="${state}"} 1\n`));
        },
        { everyMs: 500 },
      );
      assert.match(await app.metrics(), /bullmq_oldest_waiting_job_age_seconds\{queue="mail"\} 0\n/);
      // A job without a context of its producer is a trace of its own, all of whose attempts share a correlation id.
      const [span] = await viewer.waitForSpans({ name: 'process mail' });
      assert.equal(span.parentSpanId, '');
      assert.equal(span.attributes['correlation.id'], 'mail:1');
      assert.equal(viewer.spans({ kind: 'client' }).length, 0, 'polling leaves no spans');
      assert.deepEqual(await app.kill('SIGTERM'), { code: 0, signal: null });
    });
  }

  test('a processor in a process of its own works as without the kit, its attempts are seen', async () => {
    await using redis = await startRedis();
    await using viewer = await startViewer();
    const env = { REDIS_PORT: String(redis.port), OTEL_SERVICE_NAME: 'worker' };
    const args = [join(fixtures, 'bullmq-worker.cjs'), 'sandbox'];
    await using app = await spawnApp({ args, endpoint: viewer.url, env });
    await produce(redis.port, [{ name: 'apart' }, { name: 'broken', data: { fails: true } }]);
    const [line] = await viewer.waitForLogs({ body: /^completed apart/ }, { timeout: 20_000 });
    const result = JSON.parse(String(line.body).slice('completed apart '.length));
    assert.equal(result.job, '1');
    assert.notEqual(result.pid, app.pid);
    const [failed] = await viewer.waitForSpans({ name: 'process mail', status: 'error' }, { timeout: 20_000 });
    assert.equal(failed.status.message, 'sandboxed failure');
    const dead = /bullmq_jobs_dead_lettered_total\{queue="mail",error_category="fatal"\} 1\n/;
    await until('the dead letter', async () => dead.test(await app.metrics()));
    // Nobody listens to `failed` in this app, so the kit says it.
    const [told] = await viewer.waitForLogs({ body: /job broken 2 of queue mail has failed for good/ });
    assert.equal(told.spanId, failed.spanId);
    assert.deepEqual(await app.kill('SIGTERM'), { code: 0, signal: null });
  });

  test('an app with a telemetry of its own keeps its spans; metrics and the correlation id are there all the same', async () => {
    await using redis = await startRedis();
    await using viewer = await startViewer();
    const env = { REDIS_PORT: String(redis.port), OTEL_SERVICE_NAME: 'jobs' };
    await using app = await spawnApp({ args: [join(fixtures, 'bullmq-telemetry.cjs')], endpoint: viewer.url, env });
    const response = await fetch(`http://127.0.0.1:${app.port}/jobs?kind=fails`, { headers: { 'x-correlation-id': 'own' } });
    assert.equal(response.status, 200);
    const [work] = await viewer.waitForLogs({ body: /^work fails 1 attempt 2/ });
    assert.equal(work.attributes.correlation_id, 'own');
    const [request] = await viewer.waitForSpans({ kind: 'server' });
    assert.equal(work.traceId, request.traceId);
    const spans = await viewer.waitForSpans({ kind: 'consumer', traceId: request.traceId }, { count: 2 });
    assert.equal(spans.length, 2);
    const kits = viewer.spans(({ kind, scope }) => scope.name === 'o11y-kit' && (kind === 'consumer' || kind === 'producer'));
    assert.equal(kits.length, 0);
    const done = /bullmq_jobs_total\{queue="mail",result="completed"\} 1\n/;
    await until('the finished job', async () => done.test(await app.metrics()));
    const page = await app.metrics();
    assert.match(page, /messaging_process_duration_seconds_count\{[^}]*error_type="ECONNREFUSED"\} 1\n/);
    assert.match(page, /messaging_client_sent_messages_total\{messaging_system="bullmq"[^}]*\} 1\n/);
  });

  outlivesRedis('bullmq5.cjs', 'bullmq');
});
