import type { JsonAttributes, JsonValue } from '../api-types.ts';

/** Says whether attributes given as JSON text pass. */
export type JsonTest = (json: string) => boolean;

/**
 * `key=value` (its value as text is equal) or `key` (it is there). The text is looked through before it is parsed: that
 * spares nearly all of the parsing.
 *
 * @param pick finds the attributes in what was parsed.
 */
export function attributeTest(filter: string, pick: (parsed: any) => JsonAttributes = (parsed) => parsed): JsonTest {
  const split = filter.indexOf('=');
  const key = split === -1 ? filter : filter.slice(0, split);
  const value = split === -1 ? undefined : filter.slice(split + 1);
  const hint = `${JSON.stringify(key)}:`;
  return (json) => {
    if (!json.includes(hint)) return false;
    const attributes = pick(JSON.parse(json)) ?? {};
    if (!Object.hasOwn(attributes, key)) return false;
    return value === undefined || asText(attributes[key]) === value;
  };
}

/** Every word occurs, in whatever case, in one of the texts. `json` texts are searched as they are, escapes included. */
export function wordsTest(text: string): (plain: readonly string[], json: readonly string[]) => boolean {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const tests = words.map((word) => ({
    plain: insensitive(word),
    json: insensitive(JSON.stringify(word).slice(1, -1)),
  }));
  return (plain, json) =>
    tests.every((one) => plain.some((text) => one.plain.test(text)) || json.some((text) => one.json.test(text)));
}

function insensitive(word: string): RegExp {
  return new RegExp(word.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'i');
}

function asText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * Time for one search. A search works through memory on the thread that also receives: it stops when the time is up,
 * and says where to go on.
 */
export class Deadline {
  readonly #end: number;
  #steps = 0;

  constructor(ms: number) {
    this.#end = performance.now() + ms;
  }

  /** Looks at the clock every few steps. */
  passed(steps = 1): boolean {
    this.#steps += steps;
    if (this.#steps < 256) return false;
    this.#steps = 0;
    return performance.now() > this.#end;
  }
}

/** A number of the query between bounds, or the default. */
export function bounded(value: unknown, fallback: number, max: number): number {
  const n = Number(value);
  return value === undefined || value === '' || !Number.isFinite(n) || n < 1 ? fallback : Math.min(Math.floor(n), max);
}

/** One or many of a repeatable query field. */
export function list(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
