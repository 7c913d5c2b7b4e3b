import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Span, startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';
import { until } from '../support/until.ts';

const SAME = [
  'sync: 7',
  'async: 8',
  'the very error: true',
  'the very reason: true',
  'nothing: undefined',
  'text: text',
  'object: true',
  'thenable: rows',
  'executed: 1',
  'foreign promise: f',
];

let viewer: TestViewer;
before(async () => {
  viewer = await startViewer();
});
after(() => viewer.close());

const ENTRIES = { ESM: 'api-app.mjs', CommonJS: 'api-app-cjs.cjs' } as const;
const lines = (app: App) => app.stdout().trim().split('\n');

for (const { major, path: node, skip } of NODES) {
  for (const [kind, file] of Object.entries(ENTRIES)) {
    describe(`o11y-kit in ${kind} on Node ${major}`, { skip }, () => {
      it('without the preload: functions run as they are, recorders do nothing, nothing is said', async () => {
        await using app = await spawnApp({ args: [join(import.meta.dirname, file)], node, preload: false, ready: false });
        assert.deepEqual([(await app.exited).code, app.stderr()], [0, '']);
        // `correlation.run` has no id to give without it.
        assert.deepEqual(lines(app), [...SAME, 'nested: none', 'level: string', 'active: boolean']);
      });

      it('with the preload: the same results', async () => {
        await using app = await spawnApp({
          args: [join(import.meta.dirname, file)],
          node,
          endpoint: viewer.url,
          ready: false,
          env: { O11Y_QUIET: '1', OTEL_TRACES_EXPORTER: 'none' },
        });
        assert.equal((await app.exited).code, 0);
        const own = lines(app).filter((line) => !line.startsWith('{'));
        assert.deepEqual(own, [...SAME, 'nested: job-1', 'level: string', 'active: boolean']);
        const said = app.stderr().trim().split('\n');
        assert.equal(said.filter((line) => line.includes('is no state')).length, 2, app.stderr());
        assert.ok(said.some((line) => /"0 bad name.*" cannot be used/.test(line)));
        assert.equal(said.length, 3, app.stderr());
      });
    });
  }
}

describe('what the recorders record', () => {
  let app: App;
  let page: string;
  before(async () => {
    const source = `
      require('./api-app.cjs')(require('o11y-kit')).then(() => console.log('LISTEN 1'));
      setInterval(() => {}, 1000);`;
    app = await spawnApp({
      args: ['-e', source],
      cwd: import.meta.dirname,
      endpoint: viewer.url,
      env: { OTEL_SERVICE_NAME: 'recorded' },
    });
    page = await app.metrics();
  });
  after(() => app?.kill());

  const SERIES: [series: string, value: number][] = [
    ['o11y_operation_duration_seconds_count{component="",operation="sync",error_type=""}', 1],
    ['o11y_operation_duration_seconds_count{component="jobs",operation="async",error_type=""}', 1],
    ['o11y_operation_duration_seconds_count{component="",operation="throws",error_type="RangeError"}', 1],
    ['o11y_operation_duration_seconds_count{component="",operation="rejects",error_type="RangeError"}', 1],
    ['o11y_operation_duration_seconds_count{component="",operation="rejects with a text",error_type="_OTHER"}', 1],
    ['o11y_operation_duration_seconds_count{component="",operation="thenable",error_type=""}', 1],
    ['o11y_operation_timeouts_total{component="jobs",operation="slow"}', 1],
    ['circuitbreaker_state{name="smtp"}', 2],
    ['circuitbreaker_requests_total{name="smtp",result="success"}', 1],
    ['circuitbreaker_requests_total{name="smtp",result="rejected"}', 1],
    ['circuitbreaker_state_changes_total{name="smtp",from="closed",to="open"}', 1],
    ['circuitbreaker_state_changes_total{name="smtp",from="open",to="half-open"}', 1],
    ['o11y_retry_attempts_total{name="fetch",result="failure"}', 1],
    ['o11y_rate_limit_requests_total{limiter="api",result="limited"}', 1],
    ['o11y_cache_requests_total{cache="users",result="hit"}', 1],
    ['shop_orders_total{plan="free"}', 3],
  ];
  for (const [series, value] of SERIES) {
    it(series, () => {
      const line = page.split('\n').find((each) => each.startsWith(`${series} `));
      assert.equal(
        line,
        `${series} ${value}`,
        page
          .split('\n')
          .filter((each) => each.startsWith(series.split('{')[0]))
          .join('\n'),
      );
    });
  }

  async function spanOf(name: string): Promise<Span> {
    const [span] = await viewer.waitForSpans({ service: 'recorded', name }, { timeout: 15_000 });
    return span;
  }

  it('a promise of another realm is waited for', async () => {
    assert.ok((await spanOf('foreign')).durationMs >= 4);
  });

  it('a span with the error, its type and its category', async () => {
    const span = await spanOf('rejects');
    assert.deepEqual([span.kind, span.status], ['internal', { code: 'error', message: 'thrown' }]);
    assert.deepEqual([span.attributes['error.type'], span.attributes['error.category']], ['RangeError', 'fatal']);
    assert.equal(span.events[0].attributes['exception.type'], 'RangeError');
  });

  it('an operation in an operation is its child, in one trace', async () => {
    const [outer, inner] = [await spanOf('outer'), await spanOf('inner')];
    assert.deepEqual([inner.traceId, inner.parentSpanId], [outer.traceId, outer.spanId]);
  });

  it('a time limit that is exceeded: an event, a line in the context of the operation, and the operation goes on', async () => {
    const span = await spanOf('jobs.slow');
    assert.deepEqual(
      span.events.map(({ name }) => name),
      ['timeout'],
    );
    assert.equal(span.status.code, 'unset');
    const [line] = await viewer.waitForLogs(
      { service: 'recorded', body: /operation jobs\.slow exceeded 5 ms/ },
      { timeout: 15_000 },
    );
    assert.deepEqual([line.severityNumber, line.spanId], [13, span.spanId]);
  });

  it('a breaker that opens says so', async () => {
    const [line] = await viewer.waitForLogs(
      { service: 'recorded', body: /circuit breaker smtp: closed → open/ },
      { timeout: 15_000 },
    );
    assert.equal(line.severityNumber, 13);
    await until(
      'the logged change back',
      () => viewer.logs({ service: 'recorded', body: /smtp: open → half-open/ }).length === 1,
    );
  });
});
