import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FOREIGN } from '../../instrumentation/libraries/foreign.ts';
import { startLibraries } from '../../instrumentation/libraries/index.ts';
import { startViewer } from '../../viewer/testing.ts';
import { spawnApp } from '../support/app.ts';
import { until } from '../support/until.ts';
import { kitForLibraries } from './harness.ts';
import { cleanUpAfterEach, type Files, makeApp, stopAfterwards } from './made-app.ts';
import { parseSamples } from './samples.ts';

const fixtures = join(import.meta.dirname, '../apps/fixtures');

describe('beside another SDK', () => {
  for (const file of ['second-sdk-cjs.cjs', 'second-sdk-esm.mjs']) {
    it(`${file}: the app's own OpenTelemetry SDK makes the spans, the kit keeps metrics, ids and logs`, async () => {
      await using viewer = await startViewer();
      await using app = await spawnApp({ args: [join(fixtures, file)], endpoint: viewer.url });
      let asked = 0;
      // The SDK exports a span once it has detected its resource.
      const { active, id } = await until('a span of the second SDK', async () => {
        asked++;
        const response = await fetch(`http://127.0.0.1:${app.port}/`, { headers: { 'x-correlation-id': 'beside' } });
        const answer = (await response.json()) as { active: boolean; spans: string[] };
        return answer.spans.includes('work') && { ...answer, id: response.headers.get('x-correlation-id') };
      });
      assert.equal(active, true);
      assert.equal(id, 'beside');

      const warnings = app.stderr().match(/warn: .*Another OpenTelemetry SDK registered its \w+/g);
      assert.equal(warnings?.length, 1, app.stderr());
      const page = await app.metrics();
      const [requests] = parseSamples(page, 'http_server_request_duration_seconds_count');
      assert.equal(requests.value, asked);
      await viewer.waitForLogs({ attributes: { correlation_id: 'beside' } }, { count: asked });
      assert.deepEqual(viewer.spans(), []);
    });
  }

  it('a second SDK that an earlier flag has started is left in place', async () => {
    // Node runs `--require` before every `--import`.
    const args = ['--require', join(fixtures, 'register-sdk.cjs'), join(fixtures, 'http.cjs')];
    await using app = await spawnApp({ args });
    const response = await fetch(`http://127.0.0.1:${app.port}/api/users/1`, { headers: { 'x-correlation-id': 'first' } });
    assert.equal(response.headers.get('x-correlation-id'), 'first');
    await until('the warning', () => /An OpenTelemetry SDK was registered before o11y-kit/.test(app.stderr()));
  });
});

describe('agents', () => {
  cleanUpAfterEach();

  /** Loads a file of the app with the hook in place and returns why the kit stepped back, each time that it was asked to. */
  function load(files: Files, request: string): { reasons: string[]; exports: any } {
    const { kit, messages } = kitForLibraries();
    const reasons: string[] = [];
    const tracing = { stepBack: (why: string) => void reasons.push(why) };
    const entry = makeApp(files);
    const libraries = startLibraries({ ...kit, tracing } as unknown as typeof kit, FOREIGN, { entry });
    stopAfterwards(libraries.stop);
    const exports = createRequire(entry)(request);
    assert.deepEqual(messages.warn, []);
    assert.deepEqual(libraries.wired(), []);
    return { reasons, exports };
  }

  // Each package here behaves as the agent of that name does as it is loaded and started, and no further.
  const datadog =
    'module.exports = { _tracingInitialized: false, init() { this._tracingInitialized = !this.off; return this; } };';

  it('dd-trace that is loaded but not started changes nothing; once it is started, the kit steps back', () => {
    const { reasons, exports } = load({ 'node_modules/dd-trace/index.js': datadog }, 'dd-trace');
    assert.deepEqual(reasons, []);
    assert.equal(exports.init(), exports);
    assert.deepEqual(reasons, ['dd-trace is active in this process']);
  });

  it('dd-trace that is switched off by its own setting changes nothing', () => {
    const { reasons, exports } = load({ 'node_modules/dd-trace/index.js': datadog }, 'dd-trace');
    exports.off = true;
    exports.init();
    assert.deepEqual(reasons, []);
  });

  it('dd-trace/init is seen when it has started', () => {
    const files = {
      'node_modules/dd-trace/index.js': datadog,
      'node_modules/dd-trace/init.js': 'module.exports = require(".").init();',
    };
    assert.deepEqual(load(files, 'dd-trace/init').reasons, ['dd-trace is active in this process']);
  });

  it('elastic-apm-node: the kit steps back when it is started', () => {
    const source = 'let on = false; module.exports = { isStarted: () => on, start() { on = true; return this; } };';
    const { reasons, exports } = load({ 'node_modules/elastic-apm-node/index.js': source }, 'elastic-apm-node');
    assert.deepEqual(reasons, []);
    exports.start();
    assert.deepEqual(reasons, ['elastic-apm-node is active in this process']);
  });

  for (const [state, agent, reasons] of [
    ['on', '{}', ['New Relic is active in this process']],
    ['switched off', 'null', []],
  ] as const) {
    it(`newrelic, ${state}, as it is loaded`, () => {
      const files = { 'node_modules/newrelic/index.js': `module.exports = { agent: ${agent} };` };
      assert.deepEqual(load(files, 'newrelic').reasons, reasons);
    });
  }
});
