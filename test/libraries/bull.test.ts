import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { needsRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';
import { countsWaiting, observeJobs, tracesAttempts, tracesRepeats, valueOn } from './jobs.ts';

suite('Bull', { skip: needsRedis, concurrency: 1 }, () =>
  ['bull40.cjs', 'bull40.mjs', 'bull4.cjs', 'bull4.mjs'].forEach(suiteOf),
);

function suiteOf(file: string): void {
  suite(file, { concurrency: 1 }, () => {
    const jobs = observeJobs(file);
    const { call, traceOf } = jobs;

    tracesAttempts(jobs, 'bull', (job) => `completed event fails {"done":"${job}"}`);

    for (const [name, path] of [
      ['a callback', '/jobs?kind=callback'],
      ['a name', '/jobs?kind=named'],
      ['no name', '/unnamed'],
      ['a process of its own', '/jobs?kind=apart'],
    ]) {
      test(`a processor by ${name} belongs to the trace of the producer`, async () => {
        const id = path.replace(/\W/g, '-');
        await call(path, id);
        assert.deepEqual(await traceOf(id, 3), ['GET server', '  send mail producer', '    process mail consumer']);
      });
    }

    test('jobs of a bulk belong to the trace of their producer', async () => {
      await call('/bulk', 'in-bulk');
      const each = '    process mail consumer';
      assert.deepEqual(await traceOf('in-bulk', 5), ['GET server', '  send mail producer', each, each, each]);
    });

    tracesRepeats(jobs, 'bull');

    test('attempts, dead letters, errors and job counts are metrics', async () => {
      await call('/jobs?kind=final', 'for-good');
      const page = await until('the dead letter on the page', async () => {
        const text = await jobs.app.metrics();
        return /bullmq_jobs_total\{queue="mail",result="failed"\} 1\n/.test(text) && text;
      });
      const value = (series: string) => valueOn(page, series);
      assert.equal(value('bullmq_jobs_total{queue="mail",result="retried"}'), 2, 'the first attempts of `fails` and `final`');
      // fails, callback, named, unnamed, apart, three in bulk and two that repeat
      assert.equal(value('bullmq_jobs_total{queue="mail",result="completed"}'), 10);
      assert.equal(value('bullmq_jobs_dead_lettered_total{queue="mail",error_category="invalid_input"}'), 1);
      const labels = 'messaging_system="bull",messaging_destination_name="mail"';
      assert.equal(value(`messaging_client_sent_messages_total{${labels},error_type=""}`), 10);
      assert.equal(value(`messaging_process_duration_seconds_count{${labels},error_type="ECONNREFUSED"}`), 1);
      assert.equal(value(`messaging_process_duration_seconds_count{${labels},error_type=""}`), 10);
      assert.equal(value('o11y_errors_total{error_type="ECONNREFUSED",error_category="retriable"}'), 1);
      assert.doesNotMatch(page + JSON.stringify(jobs.viewer.spans().map(({ attributes }) => attributes)), /secret-value/);
    });

    countsWaiting(jobs, 'bull', 1);

    test('polling leaves no spans, the app’s own events are as they were, and it ends as it would', async () => {
      assert.equal(jobs.viewer.spans({ kind: 'client' }).filter(({ parentSpanId }) => parentSpanId === '').length, 0);
      const { events } = await call('/listeners', 'listeners');
      for (const name of ['failed', 'completed', 'error']) assert.ok(events.includes(name), name);
      assert.doesNotMatch(jobs.app.stderr(), /o11y-kit: warn|MaxListeners|Unhandled/);
      assert.deepEqual(await jobs.app.kill('SIGTERM'), { code: 0, signal: null });
    });
  });
}
