import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { needsRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';
import { countsWaiting, observeJobs, PATIENCE, tracesAttempts, tracesRepeats, valueOn } from './jobs.ts';

// The lowest and the highest supported version, and the last of version 5.
const FILES = ['bullmq50.cjs', 'bullmq5.mjs', 'bullmq6.cjs', 'bullmq6.mjs'];

suite('BullMQ', { skip: needsRedis, concurrency: true }, () => FILES.forEach(suiteOf));

function suiteOf(file: string): void {
  suite(file, { concurrency: 1 }, () => {
    const jobs = observeJobs(file);
    const { call, traceOf } = jobs;

    tracesAttempts(jobs, 'bullmq', () => 'completed event fails');

    test('jobs of a bulk and of a flow belong to the trace of their producer', async () => {
      await call('/bulk', 'in-bulk');
      assert.deepEqual(await traceOf('in-bulk', 5), [
        'GET server',
        '  send mail producer',
        ...Array(3).fill('    process mail consumer'),
      ]);
      await call('/flow', 'in-flow');
      assert.deepEqual(await traceOf('in-flow', 5), [
        'GET server',
        '  send mail producer',
        ...Array(3).fill('    process mail consumer'),
      ]);
    });

    test('putting a job off is no failure', async () => {
      await call('/jobs?kind=delayed', 'put-off');
      assert.deepEqual(await traceOf('put-off', 4), [
        'GET server',
        '  send mail producer',
        '    process mail consumer',
        '    process mail consumer',
      ]);
    });

    tracesRepeats(jobs, 'bullmq');

    test('attempts, dead letters, errors and job counts are metrics', async () => {
      await call('/jobs?kind=final', 'for-good');
      await call('/jobs?kind=unrecoverable', 'never');
      await jobs.viewer.waitForSpans({ kind: 'consumer', attributes: { 'bullmq.job.name': 'unrecoverable' } });
      const last = { 'bullmq.job.name': 'final', 'bullmq.job.attempt': 2 };
      await jobs.viewer.waitForSpans({ kind: 'consumer', attributes: last }, PATIENCE);
      const page = await until('the dead letters on the page', async () => {
        const text = await jobs.app.metrics();
        return /bullmq_jobs_total\{[^}]*result="failed"[^}]*\} 2/.test(text) && text;
      });
      const value = (series: string) => valueOn(page, series);
      assert.equal(value('bullmq_jobs_total{queue="mail",result="retried"}'), 2, 'the first attempts of `fails` and `final`');
      assert.equal(value('bullmq_jobs_dead_lettered_total{queue="mail",error_category="invalid_input"}'), 1);
      assert.equal(value('bullmq_jobs_dead_lettered_total{queue="mail",error_category="fatal"}'), 1);
      assert.equal(
        value('messaging_client_sent_messages_total{messaging_system="bullmq",messaging_destination_name="mail",error_type=""}'),
        // fails, delayed, final, unrecoverable, three in bulk and three in a flow; before there were schedulers, what repeats too
        file.includes('50') ? 11 : 10,
      );
      const duration = 'messaging_process_duration_seconds_count{messaging_system="bullmq",messaging_destination_name="mail"';
      assert.equal(value(`${duration},error_type="ECONNREFUSED"}`), 1);
      assert.ok(value(`${duration},error_type=""}`) >= 10);
      assert.equal(value('o11y_errors_total{error_type="ECONNREFUSED",error_category="retriable"}'), 1);
    });

    countsWaiting(jobs, 'bullmq', 2);

    test('the app’s own events are as they were, and it ends as it would', async () => {
      const { worker, queue } = await call('/listeners', 'listeners');
      assert.deepEqual(worker.filter((name: string) => !name.startsWith('ioredis')).sort(), ['completed', 'error', 'failed']);
      assert.deepEqual(
        queue.filter((name: string) => !name.startsWith('ioredis')),
        ['error'],
      );
      assert.doesNotMatch(jobs.app.stderr(), /o11y-kit: warn|MaxListeners|Unhandled/);
      assert.deepEqual(await jobs.app.kill('SIGTERM'), { code: 0, signal: null });
    });
  });
}
