import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { startViewer, type TestViewer, type Trace } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { needsRedis, type RedisServer, startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';

const fixtures = join(import.meta.dirname, '../apps/fixtures');

suite('Bull', { skip: needsRedis, concurrency: 1 }, () =>
  ['bull40.cjs', 'bull40.mjs', 'bull4.cjs', 'bull4.mjs'].forEach(suiteOf),
);

function suiteOf(file: string): void {
  suite(file, { concurrency: 1 }, () => {
    let redis: RedisServer;
    let viewer: TestViewer;
    let app: App;

    before(async () => {
      redis = await startRedis();
      viewer = await startViewer();
      const env = { REDIS_PORT: String(redis.port), OTEL_SERVICE_NAME: 'jobs' };
      app = await spawnApp({ args: [join(fixtures, file)], endpoint: viewer.url, env });
    });

    after(async () => {
      await app?.kill();
      await viewer?.close();
      await redis?.stop();
    });

    async function call(path: string, id: string): Promise<any> {
      const response = await fetch(`http://127.0.0.1:${app.port}${path}`, { headers: { 'x-correlation-id': id } });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      return JSON.parse(text);
    }

    /** The trace of a request, each span as `name kind`, indented below its parent. */
    async function traceOf(id: string, wanted: number): Promise<string[]> {
      const trace = await viewer.waitForTrace(
        (one: Trace) => one.root?.attributes['correlation.id'] === id && one.spans.length >= wanted,
        { timeout: 15_000 },
      );
      for (const span of trace.spans) assert.equal(span.attributes['correlation.id'], id, `${trace}`);
      const lines: string[] = [];
      const draw = (span: (typeof trace.spans)[number], depth: number) => {
        lines.push(`${'  '.repeat(depth)}${span.name} ${span.kind}${span.status.code === 'error' ? ' error' : ''}`);
        for (const child of trace.children(span)) draw(child, depth + 1);
      };
      if (trace.root) draw(trace.root, 0);
      return lines;
    }

    test('one trace runs from the request to the last attempt; the processor’s lines carry its ids', async () => {
      const { id: job } = await call('/jobs?kind=fails', 'fails-once');
      assert.deepEqual(await traceOf('fails-once', 4), [
        'GET server',
        '  send mail producer',
        '    process mail consumer error',
        '    process mail consumer',
      ]);
      const [send] = viewer.spans({ name: 'send mail', attributes: { 'correlation.id': 'fails-once' } });
      assert.equal(send.attributes['messaging.system'], 'bull');
      assert.equal(send.attributes['messaging.message.id'], job);
      const attempts = viewer.spans({ name: 'process mail', traceId: send.traceId });
      attempts.sort((a, b) => Number(a.startNs - b.startNs));
      assert.deepEqual(
        attempts.map(({ attributes }) => [
          attributes['bull.job.name'],
          attributes['messaging.message.id'],
          attributes['bull.job.attempt'],
          attributes['bull.job.attempts'],
          attributes['error.type'],
          attributes['error.category'],
        ]),
        [
          ['fails', job, 1, 2, 'ECONNREFUSED', 'retriable'],
          ['fails', job, 2, 2, undefined, undefined],
        ],
      );
      for (const [body, span] of [
        [`work fails ${job} attempt 1`, attempts[0]],
        ['failed event fails: no answer', attempts[0]],
        [`work fails ${job} attempt 2`, attempts[1]],
        [`completed event fails {"done":"${job}"}`, attempts[1]],
      ] as const) {
        const [line] = await viewer.waitForLogs({ body });
        assert.equal(line.spanId, span.spanId, body);
        assert.equal(line.attributes.correlation_id, 'fails-once', body);
      }
      const [added] = await viewer.waitForLogs({ body: 'added', traceId: send.traceId });
      assert.equal(added.spanId, viewer.spans({ kind: 'server', traceId: send.traceId })[0].spanId);
    });

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

    test('each run of a job that repeats is a trace of its own', async () => {
      await call('/repeat', 'repeating');
      const runs = await viewer.waitForSpans({ kind: 'consumer', attributes: { 'bull.job.name': 'again' } }, { count: 2 });
      assert.equal(new Set(runs.map(({ traceId }) => traceId)).size, 2);
      assert.ok(runs.every(({ parentSpanId }) => parentSpanId === ''));
    });

    test('attempts, dead letters, errors and job counts are metrics', async () => {
      await call('/jobs?kind=final', 'for-good');
      const page = await until('the dead letter on the page', async () => {
        const text = await app.metrics();
        return /bullmq_jobs_total\{queue="mail",result="failed"\} 1\n/.test(text) && text;
      });
      const value = (series: string) => {
        const line = page.split('\n').find((each) => each.startsWith(`${series} `));
        assert.ok(line, `${series} on\n${page.match(/^(bullmq|messaging|o11y_errors).*/gm)?.join('\n')}`);
        return Number(line.slice(line.lastIndexOf(' ')));
      };
      assert.equal(value('bullmq_jobs_total{queue="mail",result="retried"}'), 2, 'the first attempts of `fails` and `final`');
      // fails, callback, named, unnamed, apart, three in bulk and two that repeat
      assert.equal(value('bullmq_jobs_total{queue="mail",result="completed"}'), 10);
      assert.equal(value('bullmq_jobs_dead_lettered_total{queue="mail",error_category="invalid_input"}'), 1);
      const labels = 'messaging_system="bull",messaging_destination_name="mail"';
      assert.equal(value(`messaging_client_sent_messages_total{${labels},error_type=""}`), 10);
      assert.equal(value(`messaging_process_duration_seconds_count{${labels},error_type="ECONNREFUSED"}`), 1);
      assert.equal(value(`messaging_process_duration_seconds_count{${labels},error_type=""}`), 10);
      assert.equal(value('o11y_errors_total{error_type="ECONNREFUSED",error_category="retriable"}'), 1);
      assert.doesNotMatch(page + JSON.stringify(viewer.spans().map(({ attributes }) => attributes)), /secret-value/);
    });

    test('what a queue holds is asked for as the page is read', async () => {
      await call('/pause', 'pause');
      await call('/jobs?kind=waits', 'waits');
      const age = (name: string, waiting: number, least: number) =>
        until(
          name,
          async () => {
            const page = await app.metrics();
            const seconds = Number(/^bullmq_oldest_waiting_job_age_seconds\{queue="mail"\} (\S+)/m.exec(page)?.[1]);
            return page.includes(`bullmq_job_count{queue="mail",state="waiting"} ${waiting}`) && seconds > least && seconds;
          },
          { everyMs: 500 },
        );
      const before = await age('a waiting job that grows older', 1, 4);
      await call('/jobs?kind=waits&first', 'waits-first');
      await age('the older job behind one that goes before it', 2, before);
      const page = await app.metrics();
      assert.match(page, /bullmq_job_count\{queue="mail",state="failed"\} 1/);
      assert.match(page, /o11y_collector_success\{collector="bull"\} 1/);
    });

    test('polling leaves no spans, the app’s own events are as they were, and it ends as it would', async () => {
      assert.equal(viewer.spans({ kind: 'client' }).filter(({ parentSpanId }) => parentSpanId === '').length, 0);
      const { events } = await call('/listeners', 'listeners');
      for (const name of ['failed', 'completed', 'error']) assert.ok(events.includes(name), name);
      assert.doesNotMatch(app.stderr(), /o11y-kit: warn|MaxListeners|Unhandled/);
      assert.deepEqual(await app.kill('SIGTERM'), { code: 0, signal: null });
    });
  });
}
