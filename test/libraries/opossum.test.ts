import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Span, startViewer, type TestViewer } from '../../viewer/testing.ts';
import { until } from '../support/until.ts';
import { type ModuleKind, type ScenarioApp, startScenario } from './resilience-app.ts';

const ROWS: readonly [name: string, kind: ModuleKind][] = [
  ['opossum6', 'cjs'],
  ['opossum6', 'mjs'],
  ['opossum10', 'cjs'],
  ['opossum10', 'mjs'],
];

for (const [name, kind] of ROWS) {
  describe(`${name} in ${kind}`, { timeout: 60_000, concurrency: 1 }, () => {
    let viewer: TestViewer;
    let scenario: ScenarioApp;
    before(async () => {
      viewer = await startViewer();
      scenario = await startScenario(viewer, kind, 'opossum', [name]);
    });
    after(async () => {
      await scenario?.[Symbol.asyncDispose]();
      await viewer?.close();
    });

    const states = () => scenario.samples('circuitbreaker_state', 'name');
    async function eventsOf(id: string): Promise<string[]> {
      const [span] = await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': id } });
      return span.events.map((event: Span['events'][number]) => event.name);
    }

    it('a call that works: closed, one success', async () => {
      assert.equal((await scenario.ask('fire')).body, 'sent');
      assert.deepEqual(await states(), ['mail: 0']);
    });

    it('opens on failures: state, change, a line with the ids of the request, and its event', async () => {
      await scenario.ask('mode?to=fails');
      assert.equal((await scenario.ask('fire')).body.error, 'refused');
      assert.equal((await scenario.ask('fire', { 'x-correlation-id': 'opener' })).body.error, 'refused');
      assert.deepEqual(await states(), ['mail: 1']);
      const [line] = await viewer.waitForLogs({ body: 'circuit breaker mail: closed → open' });
      const [span] = await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': 'opener' } });
      assert.deepEqual([line.severityNumber, line.attributes.correlation_id, line.traceId], [13, 'opener', span.traceId]);
      assert.deepEqual(await eventsOf('opener'), ['circuitbreaker.state_change']);
    });

    it('a call that an open breaker refuses has an event', async () => {
      // Half-open by now, perhaps: then the first of the two opens it again.
      const { body } = await scenario.ask('twice', { 'x-correlation-id': 'refused' });
      assert.equal(body[1], 'Breaker is open');
      assert.equal((await eventsOf('refused')).at(-1), 'circuitbreaker.rejected');
    });

    it('a probe that works closes it', async () => {
      await scenario.ask('mode?to=works');
      await until('half-open', async () => (await scenario.ask('state')).body === 'half-open');
      assert.deepEqual(await states(), ['mail: 2']);
      assert.equal((await scenario.ask('fire', { 'x-correlation-id': 'prober' })).body, 'sent');
      assert.deepEqual(await states(), ['mail: 0']);
      assert.deepEqual(await eventsOf('prober'), ['circuitbreaker.probe', 'circuitbreaker.state_change']);
      const [line] = await viewer.waitForLogs({ body: 'circuit breaker mail: half-open → closed' });
      assert.equal(line.severityNumber, 9);
      const probes = await scenario.samples('circuitbreaker_half_open_probes_total', 'name', 'result');
      assert.ok(probes.includes('mail success: 1'), probes.join());
    });

    it('a call that takes too long is a timeout, not also a failure', async () => {
      await scenario.ask('mode?to=hangs');
      assert.equal((await scenario.ask('backed')).body, 'queued');
      const results = await scenario.samples('circuitbreaker_requests_total', 'name', 'result');
      assert.deepEqual(
        results.filter((line) => line.startsWith('backed')),
        ['backed fallback: 1', 'backed timeout: 1'],
      );
      await scenario.ask('mode?to=works');
    });

    it('a call beyond the capacity is rejected, not also a failure', async () => {
      assert.deepEqual((await scenario.ask('narrow')).body, ['fulfilled', 'rejected']);
      const results = await scenario.samples('circuitbreaker_requests_total', 'name', 'result');
      assert.deepEqual(
        results.filter((line) => line.startsWith('narrow')),
        ['narrow rejected: 1', 'narrow success: 1'],
      );
    });

    it('its cache: hits and misses', async () => {
      await scenario.ask('cached');
      await scenario.ask('cached');
      const lookups = await scenario.samples('o11y_cache_requests_total', 'cache', 'result');
      assert.deepEqual(lookups, ['cached hit: 1', 'cached miss: 1']);
    });

    it('no breaker has a listener more for it', async () => {
      const [made, now, success] = (await scenario.ask('listeners')).body;
      assert.deepEqual([made, now, success], [2, 2, 2]);
    });

    it('thousands of breakers around nameless functions are one series, and none stays open once it is shut down', async () => {
      await scenario.ask('many');
      assert.ok((await states()).includes('unnamed: 0'), (await states()).join());
      const results = await scenario.samples('circuitbreaker_requests_total', 'name', 'result');
      assert.ok(results.includes('unnamed success: 2000'), results.join());
    });
  });
}
