import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestViewer } from '../../viewer/testing.ts';
import { parseSamples } from '../frameworks/samples.ts';
import { type App, type AppOptions, spawnApp } from '../support/app.ts';

const fixtures = join(import.meta.dirname, '../apps/fixtures/resilience');

export type ModuleKind = 'cjs' | 'mjs';

export interface Answer {
  readonly status: number;
  readonly body: any;
  readonly headers: Headers;
}

export interface ScenarioApp extends AsyncDisposable {
  readonly app: App;
  /** Asks one of the scenario's functions. */
  ask(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** The samples of a metric as `value1 value2 …: value`, label values in the order of the names that are given, sorted. */
  samples(metric: string, ...labels: string[]): Promise<string[]>;
}

/** Starts a scenario of test/apps/fixtures/resilience with packages as `require` or `import` gives them. */
export async function startScenario(
  viewer: TestViewer,
  kind: ModuleKind,
  scenario: string,
  packages: readonly string[],
  options: Partial<AppOptions> = {},
): Promise<ScenarioApp> {
  const app = await spawnApp({
    args: ['--expose-gc', join(fixtures, `start.${kind}`), scenario, ...packages],
    cwd: fixtures,
    endpoint: viewer.url,
    ...options,
    env: { O11Y_QUIET: '1', ...options.env },
  });
  return {
    app,
    async ask(path, headers) {
      const response = await fetch(`http://127.0.0.1:${app.port}/${path}`, { headers });
      const text = await response.text();
      let body: unknown = text;
      try {
        body = JSON.parse(text);
      } catch {
        // Not every answer is JSON.
      }
      return { status: response.status, body, headers: response.headers };
    },
    async samples(metric, ...labels) {
      const found = parseSamples(await app.metrics(), metric);
      return found.map((sample) => `${labels.map((name) => sample.labels[name]).join(' ')}: ${sample.value}`).toSorted();
    },
    async [Symbol.asyncDispose]() {
      await app.kill();
      assert.doesNotMatch(app.stderr(), /o11y-kit: warn|MaxListeners|UnhandledPromise/, app.stderr());
    },
  };
}
