import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type ScenarioApp, startScenario } from './resilience-app.ts';

for (const name of ['openfeature-server-sdk16', '@openfeature/server-sdk']) {
  for (const kind of ['cjs', 'mjs'] as const) {
    describe(`${name} in ${kind}`, { timeout: 60_000, concurrency: 1 }, () => {
      let viewer: TestViewer;
      let scenario: ScenarioApp;
      before(async () => {
        viewer = await startViewer();
        scenario = await startScenario(viewer, kind, 'openfeature', [name]);
      });
      after(async () => {
        await scenario?.[Symbol.asyncDispose]();
        await viewer?.close();
      });

      async function eventOf(path: string): Promise<Record<string, unknown>> {
        const [span] = await viewer.waitForSpans({ kind: 'server', attributes: { 'url.path': `/${path}` } });
        assert.equal(span.events[0].name, 'feature_flag.evaluation');
        return { ...span.events[0].attributes };
      }

      it('evaluations by flag and variant, on the span too', async () => {
        assert.equal((await scenario.ask('checkout')).body, true);
        assert.equal((await scenario.ask('theme')).body, '#000');
        assert.deepEqual(await eventOf('checkout'), {
          'feature_flag.key': 'new-checkout',
          'feature_flag.provider.name': 'in-memory',
          'feature_flag.context.id': 'user-1',
          'feature_flag.result.variant': 'on',
          'feature_flag.result.reason': 'static',
        });
        assert.equal((await eventOf('theme'))['feature_flag.result.variant'], 'dark');
      });

      it('without a name of the variant: the value of a boolean, nothing of a text', async () => {
        assert.deepEqual((await scenario.ask('unnamed')).body, [false, 'string']);
        assert.equal((await eventOf('unnamed'))['feature_flag.result.variant'], 'false');
      });

      it('a provider that fails: the app gets its default, the failure is counted', async () => {
        assert.equal((await scenario.ask('broken')).body, true);
        const event = await eventOf('broken');
        assert.deepEqual([event['feature_flag.result.reason'], event['error.message']], ['error', 'no connection']);
        assert.deepEqual(await scenario.samples('o11y_errors_total', 'error_type'), ['Error: 1']);
        assert.deepEqual(
          await scenario.samples('o11y_feature_flag_evaluations_total', 'feature_flag_key', 'feature_flag_result_variant'),
          ['broken __error__: 1', 'greeting : 1', 'new-checkout on: 1', 'plain false: 1', 'theme dark: 1'],
        );
      });

      it("the app's hooks run, and clearing them leaves the kit's", async () => {
        const [made, now, seen] = (await scenario.ask('hooks')).body;
        assert.deepEqual([made, now, seen], [1, 2, ['new-checkout', 'theme', 'plain', 'greeting']]);
      });
    });
  }
}
