import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { spawnApp } from '../support/app.ts';

const fixtures = join(import.meta.dirname, '../apps/fixtures/resilience');

const ROWS: readonly [scenario: string, name: string][] = [
  ['openai', 'openai4'],
  ['openai', 'openai7'],
  ['openai awaited', 'openai7'],
  ['anthropic', '@anthropic-ai/sdk'],
  ['opossum', 'opossum10'],
  ['cockatiel', 'cockatiel3'],
  ['limiter', 'rate-limiter-flexible11'],
  ['axios', 'axios'],
  ['got', 'got11'],
  ['pg query', 'pg'],
  ['pg query', 'pg80'],
  ['pg pool', 'pg'],
  ['pg connect', 'pg'],
  ['redis', 'redis'],
  ['redis', 'redis4'],
  ['kafkajs', 'kafkajs'],
  ['aws-sdk', '@aws-sdk/client-sqs'],
  ['aws-sdk', 'client-sqs3363'],
];

describe('a rejection that nobody handles ends the process as it does without the kit', {
  timeout: 60_000,
  concurrency: 2,
}, () => {
  for (const [scenario, name] of ROWS) {
    it(`${scenario} (${name})`, async () => {
      const run = async (preload: 'import' | false) => {
        const args = [join(fixtures, 'start.cjs'), `unhandled:${scenario}`, name];
        await using app = await spawnApp({ args, cwd: fixtures, preload, ready: false, env: { O11Y_QUIET: '1' } });
        const { code, signal } = await app.exited;
        const [said] = /^\S*Error\b.*$|^.*rejected.*$/m.exec(app.stderr()) ?? [app.stderr()];
        return { code, signal, said };
      };
      const [bare, observed] = [await run(false), await run('import')];
      assert.equal(bare.code, 1);
      assert.deepEqual(observed, bare);
    });
  }
});
