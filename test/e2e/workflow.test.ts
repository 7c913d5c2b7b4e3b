import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Span, startViewer, type TestViewer, type Trace } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { needsRedis, type RedisServer, startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';
import { type SmtpServer, startSmtpServer } from './smtp-server.ts';

const workflow = join(import.meta.dirname, '../../examples/workflow');
const PATIENCE = { timeout: 20_000 };

suite('examples/workflow', { skip: needsRedis, concurrency: 1 }, () => {
  let redis: RedisServer;
  let smtp: SmtpServer;
  let hook: Server;
  let viewer: TestViewer;
  let api: App;
  let worker: App;
  /** What the webhook's server answers, from the first request on; 200 when there is nothing left. */
  const answers: number[] = [];
  const received: IncomingHttpHeaders[] = [];

  before(async () => {
    redis = await startRedis();
    smtp = await startSmtpServer();
    viewer = await startViewer();
    hook = createServer((req, res) => {
      received.push(req.headers);
      res.writeHead(answers.shift() ?? 200).end();
    }).listen(0, '127.0.0.1');
    await once(hook, 'listening');
    const env = {
      REDIS_URL: redis.url,
      SMTP_URL: smtp.url,
      STEP_TIMEOUT_MS: '300',
      STEP_BACKOFF_MS: '20',
      BREAKER_RESET_MS: '500',
      PORT: '0',
    };
    const start = (file: string, ready: RegExp) => spawnApp({ args: [join(workflow, file)], endpoint: viewer.url, env, ready });
    api = await start('api/server.js', /listening on http:\/\/127\.0\.0\.1:(\d+)/);
    worker = await start('worker/worker.js', /worker ready/);
  });

  after(async () => {
    await Promise.all([api?.kill(), worker?.kill(), viewer?.close(), smtp?.[Symbol.asyncDispose]()]);
    hook?.close().closeAllConnections();
    await redis?.stop();
  });

  const webhook = () => ({ type: 'webhook', url: `http://127.0.0.1:${(hook.address() as { port: number }).port}/hook` });
  const email = { type: 'email', to: 'ada@example.com', subject: 'hello' };

  async function call(method: string, path: string, id: string, body?: unknown): Promise<any> {
    const response = await fetch(`http://127.0.0.1:${api.port}${path}`, {
      method,
      headers: { 'x-correlation-id': id, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  /** The names of the events of a run, in their order, read until it has finished. */
  async function progressOf(runId: string): Promise<string[]> {
    const response = await fetch(`http://127.0.0.1:${api.port}/runs/${runId}/progress`, {
      signal: AbortSignal.timeout(20_000),
    });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    return [...(await response.text()).matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
  }

  function traceOf(id: string, isWhole: (spans: readonly Span[]) => boolean): Promise<Trace> {
    const own = (trace: Trace) => trace.root?.attributes['correlation.id'] === id && isWhole(trace.spans);
    return viewer.waitForTrace(own, PATIENCE);
  }

  /** A trace without the commands that it sent to Redis. */
  function draw(trace: Trace): string[] {
    const lines: string[] = [];
    const visit = (span: Span, depth: number) => {
      if (span.attributes['db.system.name'] === 'redis') return;
      const failed = span.status.code === 'error' ? ' error' : '';
      lines.push(`${'  '.repeat(depth)}${span.name} ${span.service} ${span.kind}${failed}`);
      for (const child of trace.children(span)) visit(child, depth + 1);
    };
    if (trace.root) visit(trace.root, 0);
    return lines;
  }

  function deadLettersWaiting(count: number): Promise<unknown> {
    const labels = { queue: 'dead-letters', state: 'waiting' };
    return until(`${count} dead letters in the queue's depth`, async () => {
      await viewer.scrape();
      return viewer.metrics('bullmq_job_count', labels).some(({ value }) => value === count);
    });
  }

  test('one trace runs from the HTTP request to the last attempt, with one correlation id', async () => {
    answers.push(500);
    const { id } = await call('POST', '/runs', 'second-try', { steps: [webhook()] });
    assert.deepEqual(await progressOf(id), ['run.started', 'step.started', 'step.failed', 'step.started', 'step.done']);
    // POST /runs
    //   send steps
    //     process steps   the webhook answers 500
    //       POST
    //     process steps   and then 200
    //       POST
    const trace = await traceOf('second-try', (spans) => spans.filter(({ name }) => name === 'process steps').length === 2);
    assert.deepEqual(draw(trace), [
      'POST /runs workflow-api server',
      '  send steps workflow-api producer',
      '    process steps workflow-worker consumer error',
      '      POST workflow-worker client error',
      '    process steps workflow-worker consumer',
      '      POST workflow-worker client',
    ]);
    for (const span of trace.spans) assert.equal(span.attributes['correlation.id'], 'second-try', `${span.name}\n${trace}`);
    const calls = received.slice(-2);
    for (const headers of calls) {
      assert.equal(headers['x-correlation-id'], 'second-try');
      assert.ok(headers.traceparent?.includes(trace.traceId), 'the webhook’s server is told the trace');
    }
    for (const body of ['step started', 'step failed, to be repeated']) {
      const [line] = await viewer.waitForLogs({ body, service: 'workflow-worker', traceId: trace.traceId });
      assert.equal(line.attributes.correlation_id, 'second-try');
    }
  });

  test('progress is a stream: its span ends as it starts, it counts as open, and is no slow request', async () => {
    smtp.hangs = true;
    const { id } = await call('POST', '/runs', 'watched', { steps: [email] });
    const response = await fetch(`http://127.0.0.1:${api.port}/runs/${id}/progress`, {
      headers: { 'x-correlation-id': 'watching' },
    });
    const open = { http_route: '/runs/:id/progress', network_protocol_name: 'sse' };
    await viewer.waitForMetric('http_server_open_streams', open, { ...PATIENCE, until: ({ value }) => value === 1 });
    const [span] = await viewer.waitForSpans({ name: 'GET /runs/:id/progress', attributes: { 'correlation.id': 'watching' } });
    assert.equal(span.status.code, 'unset');
    smtp.hangs = false;
    await response.text();
    await viewer.waitForMetric('http_server_open_streams', open, { ...PATIENCE, until: ({ value }) => value === 0 });
    assert.equal(viewer.metrics('http_server_request_duration_seconds', { http_route: '/runs/:id/progress' }).length, 0);
  });

  test('a step that is refused becomes a dead letter with its category; replayed, it is gone from the metrics again', async () => {
    await deadLettersWaiting(0);
    answers.push(404);
    const { id } = await call('POST', '/runs', 'refused', { steps: [webhook()] });
    assert.deepEqual(await progressOf(id), ['run.started', 'step.started', 'step.dead']);
    await viewer.waitForMetric(
      'bullmq_jobs_dead_lettered_total',
      { queue: 'steps', error_category: 'invalid_input' },
      { ...PATIENCE, until: ({ value }) => value === 1 },
    );
    await deadLettersWaiting(1);
    const { letters } = await call('GET', '/dead-letters?category=refused', 'look');
    assert.deepEqual(
      letters.map(({ type, runId, reason, attempts }: any) => ({ type, runId, reason, attempts })),
      [{ type: 'webhook', runId: id, reason: 'the webhook answered 404', attempts: 1 }],
    );
    // The dead letter was written by the failed attempt, in its trace.
    const trace = await traceOf('refused', (spans) => spans.some(({ name }) => name === 'send dead-letters'));
    assert.ok(draw(trace).includes('      send dead-letters workflow-worker producer'), `${trace}`);

    await call('POST', `/dead-letters/${letters[0].id}/replay`, 'replay');
    const replayed = await traceOf('replay', (spans) =>
      spans.some(({ kind, name }) => kind === 'consumer' && name === 'process steps'),
    );
    assert.deepEqual(draw(replayed), [
      'POST /dead-letters/:id/replay workflow-api server',
      '  send steps workflow-api producer',
      '    process steps workflow-worker consumer',
      '      POST workflow-worker client',
    ]);
    await deadLettersWaiting(0);
  });

  test('a mail server that hangs opens the breaker; dead letters grow; when it is back the breaker closes', async () => {
    smtp.hangs = true;
    const steps = Array.from({ length: 8 }, () => email);
    const { id } = await call('POST', '/runs', 'mail-down', { steps });
    const state = (wanted: number) =>
      viewer.waitForMetric('circuitbreaker_state', { name: 'email' }, { ...PATIENCE, until: ({ value }) => value === wanted });
    await state(1);
    const events = await progressOf(id);
    assert.equal(events.filter((name) => name === 'step.dead').length, 8);
    const { letters } = await call('GET', '/dead-letters', 'look');
    assert.equal(letters.length, 8);
    assert.ok(
      letters.every(({ category }: any) => ['timeout', 'breaker_open'].includes(category)),
      JSON.stringify(letters),
    );
    await deadLettersWaiting(8);
    const rejected = viewer.metric('circuitbreaker_requests_total', { name: 'email', result: 'rejected' });
    assert.ok(rejected && rejected.value > 0);
    const [opened] = await viewer.waitForLogs({ service: 'workflow-worker', body: /email.*open/ }, PATIENCE);
    assert.equal(opened.attributes.correlation_id, 'mail-down');

    smtp.hangs = false;
    await until('the breaker that closes', async () => {
      const run = await call('POST', '/runs', 'mail-back', { steps: [email] });
      await progressOf(run.id);
      await viewer.scrape();
      return viewer.metric('circuitbreaker_state', { name: 'email' })?.value === 0;
    });
    assert.ok(smtp.messages.length > 0);
  });

  test('neither process has anything to complain about, and both end as they would', async () => {
    for (const app of [api, worker]) assert.doesNotMatch(app.stderr(), /o11y-kit: warn|MaxListeners|Unhandled/);
    assert.deepEqual(await api.kill('SIGTERM'), { code: 0, signal: null });
    assert.deepEqual(await worker.kill('SIGTERM'), { code: 0, signal: null });
  });
});
