import assert from 'node:assert/strict';

export interface ParsedSample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
  readonly exemplar?: { labels: Record<string, string>; value: number; timestamp: number };
}

export interface ParsedPage {
  /** Announced type by family name. */
  readonly types: Map<string, string>;
  readonly samples: ParsedSample[];
  /** The value of the one series with this name and at least these labels; undefined if there is none. */
  value(name: string, labels?: Record<string, string>): number | undefined;
  all(name: string): ParsedSample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABELS = '\\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\n"])*",?)*)\\}';
const NUMBER = '(?:NaN|[+-]Inf|[+-]?[0-9.]+(?:e[+-]?[0-9]+)?)';
const SAMPLE = new RegExp(`^(${NAME})(?:${LABELS})? (${NUMBER})(?: # ${LABELS} (${NUMBER})(?: ([0-9.]+))?)?$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"/g;

const SUFFIXES: Record<string, string[]> = {
  counter: ['_total'],
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
  info: ['_info'],
};

/**
 * Reads a page by the rules of its format, written from the specifications and not from the code that it tests: each family
 * announced once, all its lines together, each series once, buckets that never fall, OpenMetrics' end mark.
 *
 * @throws if the page breaks a rule.
 */
export function parsePage(text: string, openMetrics: boolean): ParsedPage {
  const types = new Map<string, string>();
  const samples: ParsedSample[] = [];
  const seen = new Set<string>();
  const finished = new Set<string>();
  let family = '';
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const lines = text.slice(0, -1).split('\n');
  if (openMetrics) assert.equal(lines.pop(), '# EOF');
  for (const line of lines) {
    const announced = line.match(new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`));
    if (announced) {
      const [, keyword, name, rest] = announced;
      if (name !== family) {
        assert.ok(!finished.has(name), `${name} is announced twice`);
        finished.add(name);
        family = name;
      }
      if (keyword === 'TYPE') types.set(name, rest);
      continue;
    }
    const match = line.match(SAMPLE);
    assert.ok(match, `not a line of the format: ${line}`);
    const [, name, labelText, value, exemplarLabels, exemplarValue, exemplarTime] = match;
    const type = types.get(family);
    const suffixes = type === 'counter' && !openMetrics ? [''] : (SUFFIXES[type ?? ''] ?? ['']);
    assert.ok(
      suffixes.some((suffix) => name === family + suffix),
      `${name} stands under ${family} of type ${type}`,
    );
    assert.ok(!seen.has(`${name}{${labelText ?? ''}}`), `twice: ${line}`);
    seen.add(`${name}{${labelText ?? ''}}`);
    const exemplar =
      exemplarValue === undefined
        ? undefined
        : { labels: labels(exemplarLabels), value: number(exemplarValue), timestamp: Number(exemplarTime) };
    assert.ok(openMetrics || exemplar === undefined, 'exemplars are for OpenMetrics');
    samples.push({ name, labels: labels(labelText ?? ''), value: number(value), exemplar });
  }
  checkBuckets(types, samples);
  const all = (name: string) => samples.filter((sample) => sample.name === name);
  return {
    types,
    samples,
    all,
    value(name, wanted = {}) {
      const found = all(name).filter((sample) => Object.entries(wanted).every(([key, value]) => sample.labels[key] === value));
      assert.ok(found.length < 2, `${found.length} series of ${name} have ${JSON.stringify(wanted)}`);
      return found[0]?.value;
    },
  };
}

function checkBuckets(types: Map<string, string>, samples: ParsedSample[]): void {
  const last = new Map<string, { le: number; value: number }>();
  for (const { name, labels: all, value } of samples) {
    if (!name.endsWith('_bucket') || types.get(name.slice(0, -7)) !== 'histogram') continue;
    const { le, ...rest } = all;
    const key = name + JSON.stringify(rest);
    const before = last.get(key);
    assert.ok(before === undefined || (number(le) > before.le && value >= before.value), `${key} falls at le=${le}`);
    last.set(key, { le: number(le), value });
  }
  for (const [key, { le }] of last) assert.equal(le, Infinity, `${key} has no bucket +Inf`);
}

function labels(text: string): Record<string, string> {
  const entries = [...text.matchAll(LABEL)].map(([, name, value]) => [
    name,
    value.replace(/\\([\\n"])/g, (_, character) => (character === 'n' ? '\n' : character)),
  ]);
  assert.equal(new Set(entries.map(([name]) => name)).size, entries.length, `a label stands twice: ${text}`);
  return Object.fromEntries(entries);
}

function number(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}
