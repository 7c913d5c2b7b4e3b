import type { ModelPrice } from '../settings.ts';

/**
 * List prices in US dollars per million tokens: input, output, input that was read from a cache, input that was written to
 * one. Without batch, priority or long-context rates: what a vendor bills for those differs, and `O11Y_AI_PRICES` says it.
 *
 * As published by the vendors, collected by genai-prices 0.2.3, October 2026.
 *
 * @see https://openai.com/api/pricing/
 * @see https://platform.claude.com/docs/en/about-claude/pricing
 * @see https://github.com/pydantic/genai-prices
 */
const LIST: Readonly<Record<string, readonly [input: number, output: number, cachedInput?: number, cacheWrite?: number]>> = {
  'gpt-3.5-turbo': [0.5, 1.5],
  'gpt-4': [30, 60],
  'gpt-4-turbo': [10, 30],
  'gpt-4.1': [2, 8, 0.5],
  'gpt-4.1-mini': [0.4, 1.6, 0.1],
  'gpt-4.1-nano': [0.1, 0.4, 0.025],
  'gpt-4o': [2.5, 10, 1.25],
  'gpt-4o-2024-05-13': [5, 15],
  'gpt-4o-mini': [0.15, 0.6, 0.075],
  'gpt-5': [1.25, 10, 0.125],
  'gpt-5-mini': [0.25, 2, 0.025],
  'gpt-5-nano': [0.05, 0.4, 0.005],
  'gpt-5-pro': [15, 120],
  'gpt-5.1': [1.25, 10, 0.125],
  'gpt-5.2': [1.75, 14, 0.175],
  'gpt-5.3': [1.75, 14, 0.175],
  'gpt-5.4': [2.5, 15, 0.25],
  'gpt-5.4-mini': [0.75, 4.5, 0.075],
  'gpt-5.4-nano': [0.2, 1.25, 0.02],
  'gpt-5.5': [5, 30, 0.5],
  'gpt-5.6-luna': [0.2, 1.2, 0.02, 0.25],
  'gpt-5.6-sol': [4, 20, 0.4, 5],
  'gpt-5.6-terra': [2, 12, 0.2, 2.5],
  'gpt-6-astra': [10, 50, 1, 12.5],
  'gpt-6-luna': [0.1, 0.5, 0.01, 0.125],
  'gpt-6-sol': [2, 10, 0.2, 2.5],
  'gpt-6.1-sol': [2, 10, 0.1, 2.5],
  'gpt-6.1-terra': [1, 5, 0.05, 1.25],
  o1: [15, 60, 7.5],
  o3: [2, 8, 0.5],
  'o3-mini': [1.1, 4.4, 0.55],
  'o4-mini': [1.1, 4.4, 0.275],
  'text-embedding-3-large': [0.13, 0],
  'text-embedding-3-small': [0.02, 0],
  'text-embedding-ada-002': [0.1, 0],
  'claude-3-haiku': [0.25, 1.25, 0.03, 0.3],
  'claude-3-5-haiku': [0.8, 4, 0.08, 1],
  'claude-3-5-sonnet': [3, 15, 0.3, 3.75],
  'claude-3-7-sonnet': [3, 15, 0.3, 3.75],
  'claude-haiku-4-5': [1, 5, 0.1, 1.25],
  'claude-haiku-5-5': [0.1, 0.5, 0.01, 0.125],
  'claude-sonnet-4': [3, 15, 0.3, 3.75],
  'claude-sonnet-4-0': [3, 15, 0.3, 3.75],
  'claude-sonnet-4-5': [3, 15, 0.3, 3.75],
  'claude-sonnet-4-6': [3, 15, 0.3, 3.75],
  'claude-sonnet-5': [2, 10, 0.2, 2.5],
  'claude-sonnet-5-5': [2, 10, 0.1, 2.5],
  'claude-opus-4': [15, 75, 1.5, 18.75],
  'claude-opus-4-0': [15, 75, 1.5, 18.75],
  'claude-opus-4-1': [15, 75, 1.5, 18.75],
  'claude-opus-4-5': [5, 25, 0.5, 6.25],
  'claude-opus-4-6': [5, 25, 0.5, 6.25],
  'claude-opus-4-7': [5, 25, 0.5, 6.25],
  'claude-opus-4-8': [5, 25, 0.5, 6.25],
  'claude-opus-5': [5, 25, 0.5, 6.25],
  'claude-opus-5-5': [4, 20, 0.2, 5],
};

/** Tokens of one call. `input` and `output` are whole; the others are parts of them. */
export interface Usage {
  readonly input?: number;
  readonly output?: number;
  /** Of `input`: read from a cache. */
  readonly cachedInput?: number;
  /** Of `input`: written to a cache. */
  readonly cacheWrite?: number;
  /** Of `output`: not shown to the caller. */
  readonly reasoning?: number;
}

/**
 * The price of a model. A name is looked up as it is, then without what vendors and gateways put around it: a date or
 * `-latest` at its end, `vendor/` or a region and vendor (`us.anthropic.`) in front.
 *
 * @param given of the app, which go first
 * @returns undefined where nothing is known: then there is no cost, rather than a guessed one
 */
export function priceOf(model: string, given: Readonly<Record<string, ModelPrice>>): ModelPrice | undefined {
  const plain = model.replace(/^.*\//, '').replace(/^(?:[a-z]{2,6}\.)?(?:anthropic|openai)\./, '');
  const undated = plain.replace(/(?:[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|latest))?(?:-v\d+(?::\d+)?)?$/, '');
  for (const name of [model, plain, undated]) if (Object.hasOwn(given, name)) return given[name];
  for (const name of [plain, undated]) {
    if (!Object.hasOwn(LIST, name)) continue;
    const [input, output, cached_input, cache_write] = LIST[name];
    return { input, output, cached_input, cache_write };
  }
  return undefined;
}

/** US dollars. */
export function costOf(usage: Usage, price: ModelPrice): number {
  const { input = 0, output = 0, cachedInput = 0, cacheWrite = 0 } = usage;
  const fresh = Math.max(0, input - cachedInput - cacheWrite);
  const dollars =
    fresh * price.input +
    cachedInput * (price.cached_input ?? price.input) +
    cacheWrite * (price.cache_write ?? price.input) +
    output * price.output;
  return dollars / 1_000_000;
}
