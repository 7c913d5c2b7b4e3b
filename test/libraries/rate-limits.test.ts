import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type ModuleKind, type ScenarioApp, startScenario } from './resilience-app.ts';

const METRIC = 'o11y_rate_limit_requests_total';

interface Row {
  readonly packages: readonly string[];
  readonly scenario: string;
  /** Path to the limiter's name and its limit; each path is called three times. */
  readonly paths: Readonly<Record<string, readonly [limiter: string, limit: number] | null>>;
}

const ROWS: readonly Row[] = [
  {
    packages: ['express-rate-limit6', 'express4'],
    scenario: 'rate-limits:express',
    paths: { '/named': ['login', 2], '/plain': ['1-in-60s', 1], '/computed': null },
  },
  {
    packages: ['express-rate-limit8', 'express5'],
    scenario: 'rate-limits:express',
    paths: { '/named': ['login', 2], '/plain': ['1-in-60s', 1], '/computed': null },
  },
  {
    packages: ['fastify-rate-limit8', 'fastify4'],
    scenario: 'rate-limits:fastify',
    paths: { '/named': ['GET /named', 2], '/plain': ['@fastify/rate-limit', 1] },
  },
  {
    packages: ['@fastify/rate-limit', 'fastify5'],
    scenario: 'rate-limits:fastify',
    paths: { '/named': ['GET /named', 2], '/plain': ['@fastify/rate-limit', 1] },
  },
];

for (const { packages, scenario: name, paths } of ROWS) {
  for (const kind of ['cjs', 'mjs'] satisfies ModuleKind[]) {
    describe(`${packages[0]} in ${kind}`, { timeout: 60_000 }, () => {
      it('counts what each limiter allowed and limited, and marks the request', async () => {
        await using viewer = await startViewer();
        await using scenario = await startScenario(viewer, kind, name, packages);
        const expected: string[] = [];
        for (const [path, limiter] of Object.entries(paths)) {
          const { body } = await scenario.ask(`limited?path=${path}`);
          if (limiter === null) {
            assert.equal(body, 2);
            continue;
          }
          const [label, limit] = limiter;
          assert.equal(body, 3 - limit);
          expected.push(`${label} allowed: ${limit}`, `${label} limited: ${3 - limit}`);
          const spans = await viewer.waitForSpans({ kind: 'server', attributes: { 'url.path': path } }, { count: 3 });
          const marked = spans.filter(({ events }) => events.some(({ name }) => name === 'rate_limited'));
          assert.deepEqual(
            marked.map(({ attributes }) => attributes['http.response.status_code']),
            Array(3 - limit).fill(429),
          );
        }
        assert.deepEqual(await scenario.samples(METRIC, 'limiter', 'result'), expected.toSorted());
      });
    });
  }
}

for (const version of ['rate-limiter-flexible2', 'rate-limiter-flexible11']) {
  for (const kind of ['cjs', 'mjs'] satisfies ModuleKind[]) {
    describe(`${version} in ${kind}`, { timeout: 60_000, concurrency: 1 }, () => {
      let viewer: TestViewer;
      let scenario: ScenarioApp;
      before(async () => {
        viewer = await startViewer();
        scenario = await startScenario(viewer, kind, 'rate-limits:flexible', [version]);
      });
      after(async () => {
        await scenario?.[Symbol.asyncDispose]();
        await viewer?.close();
      });
      const consume = async (limiter: string, key = 'a') => (await scenario.ask(`consume?limiter=${limiter}&key=${key}`)).body;
      const counted = async (limiter: string) =>
        (await scenario.samples(METRIC, 'limiter', 'result')).filter((line) => line.startsWith(limiter));

      it('by key prefix', async () => {
        assert.deepEqual(
          [await consume('memory'), await consume('memory'), await consume('memory'), await consume('memory', 'b')],
          ['allowed', 'allowed', 'limited', 'allowed'],
        );
        assert.deepEqual(await counted('login'), ['login allowed: 3', 'login limited: 1']);
      });

      it('once where a wrapper passes a request on, and not where the wrapper decides itself', async () => {
        assert.equal(await consume('wrapped', 'friend'), 'allowed');
        assert.equal(await consume('wrapped'), 'allowed');
        assert.deepEqual(await counted('wrapped'), ['wrapped allowed: 1']);
      });

      it('once where an insurance answers for a store that is down', async () => {
        assert.equal(await consume('insured'), 'allowed');
        assert.deepEqual(await counted('insur'), ['insured allowed: 1']);
      });
    });
  }
}
