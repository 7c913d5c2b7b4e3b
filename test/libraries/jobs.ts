/** What is asked of BullMQ and of Bull alike, of the apps in test/apps/fixtures that have a queue `mail`. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startViewer, type TestViewer, type Trace } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { type RedisServer, startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';

export const fixtures = join(import.meta.dirname, '../apps/fixtures');

type System = 'bullmq' | 'bull';

/** BullMQ 5.0 at times misses a delayed job, and looks again when its worker's `drainDelay` of 5 s is over. */
export const PATIENCE = { timeout: 15_000 };

export interface Jobs {
  readonly app: App;
  readonly viewer: TestViewer;
  call(path: string, id: string): Promise<any>;
  /**
   * The trace of a request, each span as `name kind`, indented below its parent; without those of commands that the
   * processor itself sends to Redis.
   */
  traceOf(id: string, wanted: number): Promise<string[]>;
}

/** Starts an app with a Redis and a receiver of its own around the tests of the suite. */
export function observeJobs(file: string): Jobs {
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

  return {
    get app() {
      return app;
    },
    get viewer() {
      return viewer;
    },
    async call(path, id) {
      const response = await fetch(`http://127.0.0.1:${app.port}${path}`, { headers: { 'x-correlation-id': id } });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      return JSON.parse(text);
    },
    async traceOf(id, wanted) {
      const own = ({ spans }: Trace) => spans.filter(({ kind }) => kind !== 'client');
      const trace = await viewer.waitForTrace(
        (one) => one.root?.attributes['correlation.id'] === id && own(one).length >= wanted,
        PATIENCE,
      );
      for (const span of trace.spans) assert.equal(span.attributes['correlation.id'], id, `${trace}`);
      const lines: string[] = [];
      const draw = (span: (typeof trace.spans)[number], depth: number) => {
        lines.push(`${'  '.repeat(depth)}${span.name} ${span.kind}${span.status.code === 'error' ? ' error' : ''}`);
        for (const child of trace.children(span).filter(({ kind }) => kind !== 'client')) draw(child, depth + 1);
      };
      if (trace.root) draw(trace.root, 0);
      return lines;
    },
  };
}

/** @param completed the line of the app's listener */
export function tracesAttempts(jobs: Jobs, system: System, completed: (job: string) => string): void {
  test('one trace runs from the request to the last attempt; the processor’s lines carry its ids', async () => {
    const { id: job } = await jobs.call('/jobs?kind=fails', 'fails-once');
    assert.deepEqual(await jobs.traceOf('fails-once', 4), [
      'GET server',
      '  send mail producer',
      '    process mail consumer error',
      '    process mail consumer',
    ]);
    const { viewer } = jobs;
    const [send] = viewer.spans({ name: 'send mail', attributes: { 'correlation.id': 'fails-once' } });
    assert.equal(send.attributes['messaging.system'], system);
    assert.equal(send.attributes['messaging.destination.name'], 'mail');
    assert.equal(send.attributes['messaging.operation.type'], 'send');
    assert.equal(send.attributes['messaging.message.id'], job);
    const attempts = viewer.spans({ name: 'process mail', traceId: send.traceId });
    attempts.sort((a, b) => Number(a.startNs - b.startNs));
    assert.deepEqual(
      attempts.map(({ attributes }) => [
        attributes[`${system}.job.name`],
        attributes['messaging.message.id'],
        attributes[`${system}.job.attempt`],
        attributes[`${system}.job.attempts`],
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
      [completed(job), attempts[1]],
    ] as const) {
      const [line] = await viewer.waitForLogs({ body });
      assert.equal(line.spanId, span.spanId, body);
      assert.equal(line.attributes.correlation_id, 'fails-once', body);
    }
    // The request's own context is what it was.
    const [added] = await viewer.waitForLogs({ body: 'added', traceId: send.traceId });
    assert.equal(added.spanId, viewer.spans({ kind: 'server', traceId: send.traceId })[0].spanId);
  });
}

export function tracesRepeats(jobs: Jobs, system: System): void {
  test('each run of a job that repeats is a trace of its own', async () => {
    await jobs.call('/repeat', 'repeating');
    const attributes = { [`${system}.job.name`]: 'again' };
    const runs = await jobs.viewer.waitForSpans({ kind: 'consumer', attributes }, { count: 2, ...PATIENCE });
    assert.equal(new Set(runs.map(({ traceId }) => traceId)).size, 2);
    assert.ok(runs.every(({ parentSpanId }) => parentSpanId === ''));
  });
}

/** @param failed jobs that had failed for good before */
export function countsWaiting(jobs: Jobs, system: System, failed: number): void {
  test('what a queue holds is asked for as the page is read', async () => {
    await jobs.call('/pause', 'pause');
    await jobs.call('/jobs?kind=waits', 'waits');
    const age = (name: string, waiting: number, least: number) =>
      until(
        name,
        async () => {
          const page = await jobs.app.metrics();
          const seconds = Number(/^bullmq_oldest_waiting_job_age_seconds\{queue="mail"\} (\S+)/m.exec(page)?.[1]);
          return page.includes(`bullmq_job_count{queue="mail",state="waiting"} ${waiting}`) && seconds > least && seconds;
        },
        { everyMs: 500 },
      );
    const before = await age('a waiting job that grows older', 1, 4);
    await jobs.call('/jobs?kind=waits&first', 'waits-first');
    await age('the older job behind one that goes before it', 2, before);
    const page = await jobs.app.metrics();
    assert.ok(page.includes(`bullmq_job_count{queue="mail",state="failed"} ${failed}`), page);
    assert.ok(page.includes(`o11y_collector_success{collector="${system}"} 1`), page);
  });
}

/** A series' value on the page. */
export function valueOn(page: string, series: string): number {
  const line = page.split('\n').find((each) => each.startsWith(`${series} `));
  assert.ok(line, `${series} on\n${page.match(/^(bullmq|messaging|o11y_errors).*/gm)?.join('\n')}`);
  return Number(line.slice(line.lastIndexOf(' ')));
}

/** The status of the check of the queues. */
export async function healthOf(app: App, system: System): Promise<string | undefined> {
  const response = await fetch(`${await app.adminUrl()}/health`);
  return ((await response.json()) as any).checks[system]?.[0]?.status;
}

export function outlivesRedis(file: string, system: System): void {
  test('Redis dies and comes back: the app goes on, health fails and passes, the counts are a gap and return', async () => {
    await using redis = await startRedis();
    const env = { REDIS_PORT: String(redis.port) };
    await using app = await spawnApp({ args: [join(fixtures, file)], env });
    const add = async () => (await fetch(`http://127.0.0.1:${app.port}/jobs?kind=ok`)).status;
    assert.equal(await add(), 200);
    const shown = async () => (await app.metrics()).includes('bullmq_job_count{queue="mail"');
    const turns = (status: string, isShown: boolean) =>
      until(
        `a queue whose check says ${status}`,
        async () => (await healthOf(app, system)) === status && (await shown()) === isShown,
        {
          timeoutMs: 30_000,
        },
      );
    await turns('pass', true);
    await redis.kill();
    await turns('fail', false);
    await redis.restart();
    await turns('pass', true);
    assert.equal(await add(), 200);
    await until('a job after the outage', () => app.stdout().split('completed event ok').length >= 3, { timeoutMs: 30_000 });
    assert.doesNotMatch(app.stderr(), /MaxListeners|Unhandled/);
    assert.deepEqual(await app.kill('SIGTERM'), { code: 0, signal: null });
  });
}
