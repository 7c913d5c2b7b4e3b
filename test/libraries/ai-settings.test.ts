import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { costOf, priceOf } from '../../instrumentation/ai/prices.ts';
import { loadConfig } from '../../instrumentation/config.ts';
import { startViewer } from '../../viewer/testing.ts';
import { startVendors } from './ai-vendors.ts';
import { startScenario } from './resilience-app.ts';

const CAPTURE = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';

describe('the price of a model', () => {
  for (const name of [
    'claude-sonnet-4-5',
    'claude-sonnet-4-5-20250929',
    'anthropic/claude-sonnet-4-5',
    'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    'claude-sonnet-4-5@20250929',
    'claude-sonnet-4-5-latest',
  ]) {
    it(name, () => assert.deepEqual(priceOf(name, {}), { input: 3, output: 15, cached_input: 0.3, cache_write: 3.75 }));
  }

  it('a version with a price of its own has that', () => {
    assert.equal(priceOf('gpt-4o-2024-05-13', {})?.input, 5);
    assert.equal(priceOf('gpt-4o-2024-11-20', {})?.input, 2.5);
  });

  it('nothing is guessed', () => {
    for (const name of ['gpt-4o-audio', 'llama-3', '', '__proto__', 'constructor'])
      assert.equal(priceOf(name, {}), undefined, name);
  });

  it("the app's go first, whole or undated", () => {
    const given = { 'gpt-4o': { input: 1, output: 2 }, 'my/model': { input: 3, output: 4 } };
    assert.deepEqual(priceOf('gpt-4o-2024-08-06', given), given['gpt-4o']);
    assert.deepEqual(priceOf('my/model', given), given['my/model']);
  });

  it('a cache without a price of its own costs what input costs', () => {
    assert.equal(costOf({ input: 100, cachedInput: 40, output: 10 }, { input: 1, output: 2 }), 0.00012);
  });
});

describe('O11Y_AI_PRICES', () => {
  it('is JSON, or a file with it', () => {
    const table = { local: { input: 1, output: 2, cached_input: 0.5, cache_write: 0 } };
    const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-prices-'));
    try {
      writeFileSync(join(folder, 'prices.json'), JSON.stringify(table));
      for (const O11Y_AI_PRICES of [JSON.stringify(table), join(folder, 'prices.json')]) {
        const { config, problems } = loadConfig({ O11Y_AI_PRICES });
        assert.deepEqual([config.aiPrices, problems], [table, []]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  for (const value of [
    '/no/such/file',
    tmpdir(),
    '{"half": ',
    '{"m": {"input": 1}}',
    '{"m": {"input": -1, "output": 1}}',
    '{"m": {"input": 1, "output": 1, "inputs": 2}}',
    '{"m": 3}',
    '[]',
  ]) {
    it(`${value} is refused in one line, and the built-in prices hold`, () => {
      const { config, problems } = loadConfig({ O11Y_AI_PRICES: value });
      assert.deepEqual(config.aiPrices, {});
      assert.equal(problems.length, 1);
      assert.match(
        problems[0].message,
        /^O11Y_BAD_SETTING: O11Y_AI_PRICES: .* is not allowed; it takes JSON, or the path .* built-in/,
      );
    });
  }
});

describe('texts of prompts and answers', { timeout: 60_000 }, () => {
  for (const [vendor, name, model] of [
    ['openai', 'openai7', 'gpt-4o'],
    ['anthropic', '@anthropic-ai/sdk', 'claude-sonnet-4-5'],
  ]) {
    it(`${vendor}: recorded where they are asked for, streamed or not; prices of the app`, async () => {
      await using viewer = await startViewer();
      await using vendors = await startVendors();
      const prices = JSON.stringify({ [model]: { input: 1000, output: 0 } });
      const env = { VENDOR_URL: vendors.url, [CAPTURE]: 'span_only', O11Y_AI_PRICES: prices };
      await using scenario = await startScenario(viewer, 'cjs', `ai:${vendor}`, [name], { env });
      await scenario.ask(`chat?model=${model}`);
      await scenario.ask(`stream?model=${model}`);
      const spans = await viewer.waitForSpans({ name: `chat ${model}` }, { count: 2 });
      for (const { attributes } of spans) {
        assert.deepEqual(JSON.parse(String(attributes['gen_ai.input.messages'])), [
          { role: 'user', parts: [{ type: 'text', content: 'a secret question' }] },
        ]);
        assert.deepEqual(JSON.parse(String(attributes['gen_ai.output.messages'])), [
          { role: 'assistant', parts: [{ type: 'text', content: 'Hello, world' }] },
        ]);
        assert.equal(attributes['gen_ai.usage.cost_usd'], vendor === 'openai' ? 0.1 : 0.11);
      }
    });
  }
});
