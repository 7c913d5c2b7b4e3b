import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type ModuleKind, type ScenarioApp, startScenario } from './resilience-app.ts';

// From version 4 on the package is an ES module, which `require` takes as well on the versions of Node that it supports.
const ROWS: readonly [name: string, kind: ModuleKind][] = [
  ['cockatiel3', 'cjs'],
  ['cockatiel3', 'mjs'],
  ['cockatiel4', 'cjs'],
  ['cockatiel4', 'mjs'],
];

for (const [name, kind] of ROWS) {
  describe(`${name} in ${kind}`, { timeout: 60_000, concurrency: 1 }, () => {
    let viewer: TestViewer;
    let scenario: ScenarioApp;
    before(async () => {
      viewer = await startViewer();
      scenario = await startScenario(viewer, kind, 'cockatiel', [name]);
    });
    after(async () => {
      await scenario?.[Symbol.asyncDispose]();
      await viewer?.close();
    });

    const mode = (to: string) => scenario.ask(`mode?to=${to}`);
    const results = (breaker: string) =>
      scenario
        .samples('circuitbreaker_requests_total', 'name', 'result')
        .then((lines) => lines.filter((line) => line.startsWith(breaker)));
    async function eventsOf(id: string): Promise<string[]> {
      const [span] = await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': id } });
      return span.events.map((event) => event.name);
    }

    it('a breaker by the function that uses it: open, refused, probed, closed', async () => {
      await scenario.ask('mail');
      await mode('invalid');
      assert.equal((await scenario.ask('mail')).body.error, 'not minded');
      await mode('fails');
      await scenario.ask('mail');
      await scenario.ask('mail', { 'x-correlation-id': 'opener' });
      assert.deepEqual(await scenario.samples('circuitbreaker_state', 'name'), ['sendMail: 1']);
      assert.deepEqual(await eventsOf('opener'), ['circuitbreaker.state_change']);
      const [line] = await viewer.waitForLogs({ body: 'circuit breaker sendMail: closed → open' });
      assert.equal(line.severityNumber, 13);
      await mode('works');
      await scenario.ask('pause');
      assert.equal((await scenario.ask('mail', { 'x-correlation-id': 'prober' })).body, 'done');
      assert.deepEqual(await eventsOf('prober'), [
        'circuitbreaker.state_change',
        'circuitbreaker.probe',
        'circuitbreaker.state_change',
      ]);
      assert.deepEqual(await scenario.samples('circuitbreaker_state', 'name'), ['sendMail: 0']);
      assert.deepEqual(await results('sendMail'), ['sendMail failure: 2', 'sendMail success: 3']);
      const probes = await scenario.samples('circuitbreaker_half_open_probes_total', 'name', 'result');
      assert.deepEqual(probes, ['sendMail success: 1']);
    });

    it('a breaker that was isolated by hand refuses, and is open meanwhile', async () => {
      assert.match((await scenario.ask('isolate', { 'x-correlation-id': 'isolated' })).body, /prevented/);
      assert.ok((await results('sendMail')).includes('sendMail rejected: 1'));
      assert.deepEqual(await eventsOf('isolated'), [
        'circuitbreaker.state_change',
        'circuitbreaker.rejected',
        'circuitbreaker.state_change',
      ]);
    });

    it('a breaker by the name that the app gave it', async () => {
      assert.equal((await scenario.ask('ledger')).body, 'done');
      assert.deepEqual(await results('ledger'), ['ledger success: 1']);
    });

    it('attempts of a retry', async () => {
      await mode('fails once');
      assert.equal((await scenario.ask('rates', { 'x-correlation-id': 'retried' })).body, 'done');
      assert.deepEqual(await eventsOf('retried'), ['retry']);
      await mode('fails');
      assert.equal((await scenario.ask('rates')).body.error, 'refused');
      await mode('invalid');
      assert.equal((await scenario.ask('rates')).body.error, 'not minded');
      const attempts = await scenario.samples('o11y_retry_attempts_total', 'name', 'result');
      assert.deepEqual(attempts, ['fetchRates exhausted: 2', 'fetchRates failure: 3', 'fetchRates success: 1']);
    });

    it('a time limit that is exceeded', async () => {
      await mode('works');
      assert.equal((await scenario.ask('report')).body, 'done');
      await mode('hangs');
      assert.match((await scenario.ask('report', { 'x-correlation-id': 'late' })).body.error, /timed out/);
      const timeouts = await scenario.samples('o11y_operation_timeouts_total', 'component', 'operation');
      assert.deepEqual(timeouts, ['cockatiel readReport: 1']);
      assert.deepEqual(await eventsOf('late'), ['timeout']);
    });

    it('a bulkhead: what ran, what waited and ran, what was refused', async () => {
      const { body } = await scenario.ask('resize', { 'x-correlation-id': 'crowded' });
      assert.deepEqual(body, ['fulfilled', 'fulfilled', 'rejected']);
      const requests = await scenario.samples('o11y_bulkhead_requests_total', 'name', 'result');
      assert.deepEqual(requests, ['resize allowed: 2', 'resize rejected: 1']);
      assert.deepEqual(await eventsOf('crowded'), ['bulkhead.rejected']);
    });

    it('policies in one another bear one name; a fallback that answered', async () => {
      await mode('fails');
      assert.equal((await scenario.ask('quote')).body, 'instead');
      assert.deepEqual(await results('quote'), ['quote fallback: 1']);
      const attempts = await scenario.samples('o11y_retry_attempts_total', 'name', 'result');
      assert.deepEqual(
        attempts.filter((line) => line.startsWith('quote')),
        ['quote exhausted: 1', 'quote failure: 1'],
      );
    });
  });
}
