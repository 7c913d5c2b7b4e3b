import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type Group, keyOf, plan, VARIANTS, variantOf } from '../../bench/lib/catalog.ts';
import { type Entry, openJournal } from '../../bench/lib/journal.ts';
import { page } from '../../bench/lib/page.ts';
import type { Sample } from '../../bench/lib/pass.ts';
import { type Results, rowsOf } from '../../bench/lib/results.ts';
import { percentile, spread } from '../../bench/lib/statistics.ts';

const root = join(import.meta.dirname, '../..');
const group: Group = { app: 'service', module: 'cjs', node: 24, variants: ['bare', 'kit', 'otel', 'sentry'], full: true };

/** Requests a second and CPU of each round. */
function sample(rounds: readonly (readonly [perSecond: number, cpuUs: number])[], more: Partial<Sample> = {}): Sample {
  return {
    start: [{ cold: 200, warm: 100 }],
    full: rounds.map(([perSecond, cpuUs]) => ({ perSecond, cpuUs, rssMb: 90 })),
    fixed: rounds.map(([, cpuUs]) => ({ rate: 500, achieved: 500, p50: 1, p99: 4, cpuUs, generatorBusy: 0.1 })),
    slow: [],
    requests: 1000,
    failed: 0,
    received: got(0, 0, 0, 0),
    killed: false,
    ...more,
  };
}

const got = (server: number, pg: number, logs: number, requests: number) => ({
  spans: { server, pg, fetch: server, other: 0 },
  logs,
  requests,
  exports: 1,
  bytes: 1,
  unread: 0,
});

const run = (variant: string, pass: number, one: Sample): Entry => ({
  kind: 'run',
  group: keyOf(group),
  variant,
  pass,
  sample: one,
});
const late = { rate: 500, achieved: 300, p50: 900, p99: 2000, cpuUs: 1, generatorBusy: 0.1 };
const entries: Entry[] = [
  { kind: 'rate', group: keyOf(group), rate: 500 },
  run('bare', 0, sample([[1000, 100], [500, 200]])), // biome-ignore format: rounds side by side
  run('bare', 1, sample([[2000, 50]])),
  run('kit', 0, sample([[800, 125], [450, 220]], { received: got(1000, 0, 999, 1000) })), // biome-ignore format: rounds side by side
  run('kit', 1, sample([[1700, 60]], { received: got(1000, 0, 1000, 1000), failed: 3 })),
  run('otel', 0, sample([[250, 400], [100, 700]], { received: got(990, 1000, 1000, 1000), killed: true })), // biome-ignore format: rounds side by side
  run('otel', 1, sample([[400, 250]], { fixed: [late, late, late] })),
  { kind: 'failure', group: keyOf(group), variant: 'sentry', pass: 0, reason: 'it ended\nbefore it listened' },
];
const results: Results = {
  when: '2026-01-02T03:04:05.000Z',
  machine: { cpu: 'a processor', cores: 2, memoryGb: 8, system: 'Linux 6', pinned: true },
  versions: { 'Node 24': 'v24.0.0' },
  generator: 'wrk',
  schedule: {
    passes: 2,
    rounds: { start: 1, full: 2, fixed: 2, slow: 0 },
    warmUp: { requests: 10, least: 1, most: 1 },
    seconds: { warmUp: 1, turn: 1, slow: 1 },
  },
  groups: [group],
  skipped: [],
  entries,
};
const row = (name: string) => rowsOf(group, entries).find(({ variant }) => variant === name)!;

test('a variant is compared with the bare app in the same round of the same pass', () => {
  assert.deepEqual(row('kit').ratio, { median: 0.85, min: 0.8, max: 0.9, rounds: 3 });
  assert.deepEqual(row('kit').addedCpuUs, { median: 20, min: 10, max: 25, rounds: 3 });
  assert.deepEqual(row('otel').kitShare, { median: 10 / 200, min: 20 / 500, max: 25 / 300, rounds: 3 });
});

test('a pass without its bare app gives no ratio, and a variant without figures an empty row with its reason', () => {
  const [kit] = rowsOf(
    { ...group, variants: ['kit'] },
    entries.filter((entry) => !(entry.kind === 'run' && entry.variant === 'bare' && entry.pass === 0)),
  );
  assert.equal(kit.ratio?.rounds, 1);
  assert.equal(kit.cpuUs?.rounds, 3);
  assert.equal(row('sentry').ratio, undefined);
  assert.deepEqual(row('sentry').failures, ['it ended\nbefore it listened']);
});

test('completeness is received by expected over whole lives, and absent where nothing is to be delivered', () => {
  assert.deepEqual(row('kit').delivered, { spansPerRequest: 2, server: 1, pg: 0, fetch: 1, logs: 0.9995, metrics: 1 });
  assert.equal(row('bare').delivered, undefined);
});

test('the page says how many rounds each kind of figure has, and nothing of what was not measured', () => {
  assert.match(
    page(results),
    /median of 4 rounds at the highest rate, 2 of starts, 4 at the fixed rate, from 2 generations of processes\.\n/,
  );
});

test('the page says what is lost, who cannot keep up, who was killed, and never 100 % of what is not complete', () => {
  const text = page(results);
  assert.match(text, /\| o11y-kit, no access lines \| 2\.00 \| 100\.0 % \| 0\.0 % \| 100\.0 % \| 99\.9 % \| 100\.0 % \|/);
  assert.match(text, /\d\), 60\.0 % in time \|/);
  assert.match(text, /o11y-kit, no access lines: 3 requests failed in /);
  assert.match(text, /OpenTelemetry auto-instrumentations did not end within 15 s of SIGTERM in 1 of its lives/);
  assert.match(text, /Sentry could not be measured in a pass of .*: it ended before it listened/);
  assert.doesNotMatch(text, /NaN|undefined|Infinity/);
});

test('a second table of an app is held against no goal, and has the first variant of the kit in it to compare with', () => {
  const second: Group = { ...group, variants: ['bare', 'kit-as-it-comes', 'elastic'], second: true };
  const key = keyOf(second);
  const of = (variant: string, cpuUs: number): Entry => ({
    kind: 'run',
    group: key,
    variant,
    pass: 0,
    sample: sample([[1, cpuUs]]),
  });
  const text = page({
    ...results,
    groups: [group, second],
    entries: [...entries, of('bare', 10), of('kit-as-it-comes', 15), of('elastic', 30)],
  });
  assert.match(text, /The added CPU of o11y-kit as it comes as a share of theirs: Elastic \(EDOT\) 0\.25\./);
  assert.equal(text.match(/received ÷ expected at least/g)?.length, 1);
});

test('the page says which goals are met, missed and not measured', () => {
  const text = page(results);
  assert.match(text, /\| \(c\) CommonJS: added CPU at most 0\.25 of OpenTelemetry's \| 0\.050 \| met \|/);
  assert.match(text, /\| \(c\) CommonJS: received ÷ expected at least 0\.999 \| 0\.0000 \| \*\*missed\*\* \|/);
  assert.match(text, /\| \(c\) CommonJS: added CPU at most 0\.5 of dd-trace's \| – \| not measured \|/);
});

test('the page in docs is made of the results that are committed, and there is none without them', () => {
  const [results, docs] = ['bench/results.json', 'docs/benchmarks.md'].map((file) => join(root, file));
  assert.equal(existsSync(docs), existsSync(results));
  if (!existsSync(results)) return;
  assert.equal(readFileSync(docs, 'utf8'), page(JSON.parse(readFileSync(results, 'utf8'))));
});

test('every variant of the plan exists, every group begins with the bare app, and no two groups share a key', () => {
  const groups = plan(false);
  for (const { variants } of groups) {
    assert.equal(variants[0], 'bare');
    for (const name of variants) variantOf(name);
  }
  assert.equal(new Set(groups.map(keyOf)).size, groups.length);
  const used = new Set(groups.flatMap(({ variants }) => variants));
  assert.deepEqual(
    VARIANTS.filter(({ name }) => !used.has(name)),
    [],
  );
  assert.throws(() => variantOf('nobody'), /no variant "nobody"; there are bare, /);
});

test('a journal is read again, a cut line does not harm it, and one of something else is thrown away', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-journal-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'journal.jsonl');
  const first = openJournal(file, 'one');
  for (const entry of entries) first.add(entry);
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"kind":"run","gro`);

  const second = openJournal(file, 'one');
  assert.deepEqual(second.entries, entries);
  assert.equal(second.rate(keyOf(group)), 500);
  assert.equal(second.has(keyOf(group), 'kit', 1), true);
  assert.equal(second.has(keyOf(group), 'kit', 2), false);
  assert.equal(second.has(keyOf(group), 'sentry', 0), false, 'a failure is tried again');
  second.add(run('kit', 2, sample([[1, 1]])));
  assert.equal(openJournal(file, 'one').has(keyOf(group), 'kit', 2), true);
  const third = openJournal(file, 'one');
  third.add({ kind: 'begin', group: keyOf(group), pass: 1 });
  third.add(run('bare', 1, sample([[1, 1]])));
  for (const journal of [third, openJournal(file, 'one')]) {
    assert.equal(journal.has(keyOf(group), 'bare', 1), true);
    assert.equal(journal.has(keyOf(group), 'kit', 1), false, 'a pass that begins again has measured nothing');
    assert.equal(journal.has(keyOf(group), 'kit', 0), true);
    assert.equal(journal.rate(keyOf(group)), 500);
  }
  assert.deepEqual(openJournal(file, 'two').entries, []);
  assert.deepEqual(openJournal(file, 'two').entries, []);
});

test('median and percentiles', () => {
  assert.deepEqual(spread([3, undefined, 1, Number.NaN, 2]), { median: 2, min: 1, max: 3, rounds: 3 });
  assert.equal(spread([1, 2])?.median, 1.5);
  assert.equal(spread([undefined]), undefined);
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.equal(percentile(hundred, 0.5), 50);
  assert.equal(percentile(hundred, 0.99), 99);
  assert.ok(Number.isNaN(percentile([], 0.5)));
});
