import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type Group, keyOf } from '../../bench/lib/catalog.ts';
import { type Journal, openJournal } from '../../bench/lib/journal.ts';
import type { Full, Living } from '../../bench/lib/measure.ts';
import { measurePass, type Schedule } from '../../bench/lib/pass.ts';
import type { Surroundings } from '../../bench/lib/surroundings.ts';

const group: Group = { app: 'service', module: 'cjs', node: 24, variants: ['bare', 'kit', 'elastic'], full: true };
const key = keyOf(group);
const schedule: Schedule = {
  passes: 1,
  rounds: { start: 1, full: 2, fixed: 1, slow: 1 },
  warmUp: { requests: 100, least: 2, most: 6 },
  seconds: { warmUp: 2, turn: 1, slow: 4 },
};
const PER_SECOND = { bare: 1000, kit: 40, elastic: 1 };
const around: Surroundings = { sinkPort: 0, env: {}, close: async () => {} };

interface Told {
  /** In the order in which it was asked for: `variant part`. */
  readonly calls: string[];
  readonly disposed: string[];
}

/** Processes that answer at once. @param broken what throws, as in {@link Told.calls}, how many times it was called before */
async function measured(t: TestContext, broken: Record<string, number> = {}): Promise<Told & { journal: Journal }> {
  const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-pass-'));
  t.after(() => rmSync(folder, { recursive: true }));
  t.mock.method(console, 'log', () => {});
  const journal = openJournal(join(folder, 'journal.jsonl'), 'one');
  const [calls, disposed]: [string[], string[]] = [[], []];
  const told = async <T>(what: string, answer: T) => {
    const before = calls.filter((call) => call === what).length;
    calls.push(what);
    if (broken[what] === before) throw new Error(`${what} broke`);
    return answer;
  };
  const counts = { spans: { server: 0, pg: 0, fetch: 0, other: 0 }, logs: 0, requests: 0, exports: 0, bytes: 0, unread: 0 };
  const live = async ({ variant: { name } }: { variant: { name: string } }): Promise<Living> => {
    const perSecond = PER_SECOND[name as keyof typeof PER_SECOND];
    await told(`${name} live`, undefined);
    return {
      warmUp: (seconds) => told(`${name} warmUp`, perSecond * seconds),
      full: () => told<Full>(`${name} full`, { perSecond, cpuUs: 1, rssMb: 1 }),
      fixed: (_, rate) => told(`${name} fixed`, { rate, achieved: rate, p50: 1, p99: 1, cpuUs: 1, generatorBusy: 0 }),
      slow: () => told(`${name} slow`, { cpuPercent: 1, rssMb: 1 }),
      end: () => told(`${name} end`, { requests: 1, failed: 0, received: counts, killed: false }),
      [Symbol.asyncDispose]: async () => void disposed.push(name),
    };
  };
  const startTwice = async ({ variant: { name } }: { variant: { name: string } }) => {
    return told(`${name} start`, { cold: 2, warm: 1 });
  };
  await measurePass({ group, pass: 0, schedule, journal, around, maker: { live, startTwice } });
  return { calls, disposed, journal };
}

const only = (calls: readonly string[], part: string) =>
  calls.filter((call) => call.endsWith(` ${part}`)).map((call) => call.split(' ')[0]);

test('all live before the first turn; each is warmed up as long as it needs, the quick ones again when all are warm', async (t) => {
  const { calls } = await measured(t);
  const firstTurn = calls.findIndex((call) => call.endsWith(' warmUp'));
  assert.deepEqual(only(calls.slice(0, firstTurn), 'live'), ['bare', 'kit', 'elastic']);
  assert.deepEqual(only(calls, 'warmUp'), [
    ...['bare', 'kit', 'elastic'],
    // 80 requests of the kit were too few.
    ...['kit', 'elastic'],
    // The slowest has had its six seconds after this.
    ...['elastic'],
    ...['bare', 'kit', 'elastic'],
  ]);
});

test('turns come in another order in each round, and nobody always after the same one', async (t) => {
  const { calls } = await measured(t);
  assert.deepEqual(only(calls, 'full'), ['bare', 'kit', 'elastic', 'bare', 'elastic', 'kit']);
});

test('the fixed rate is half of what the bare app answers, and only those whom the question is about are asked to be quiet', async (t) => {
  const { calls, journal } = await measured(t);
  assert.equal(journal.rate(key), 500);
  assert.deepEqual(only(calls, 'slow'), ['bare', 'kit']);
});

test('one that fails has no further turn and is ended; the others are measured to their end', async (t) => {
  const { calls, disposed, journal } = await measured(t, { 'kit full': 1 });
  assert.deepEqual(only(calls, 'fixed'), ['bare', 'elastic']);
  assert.deepEqual(only(calls, 'end'), ['bare', 'elastic']);
  assert.deepEqual(new Set(disposed), new Set(['bare', 'kit', 'elastic']));
  assert.deepEqual(
    ['bare', 'kit', 'elastic'].map((name) => journal.has(key, name, 0)),
    [true, false, true],
  );
  const failure = journal.entries.find((entry) => entry.kind === 'failure');
  assert.deepEqual(failure, { kind: 'failure', group: key, variant: 'kit', pass: 0, reason: 'kit full broke' });
});

test('one that cannot start is not warmed up, and without the bare app there is no fixed rate', async (t) => {
  const { calls, journal } = await measured(t, { 'bare live': 0 });
  assert.ok(!calls.includes('bare warmUp'));
  assert.equal(journal.rate(key), undefined);
  assert.deepEqual(only(calls, 'fixed'), []);
  assert.deepEqual(only(calls, 'end'), ['kit', 'elastic']);
});
