import { type Group, keyOf, variantOf } from './catalog.ts';
import type { Journal } from './journal.ts';
import { type Durations, type Living, live, type Sample, startTwice } from './measure.ts';
import type { Surroundings } from './surroundings.ts';

/** Whom the question is about what a quiet service pays. */
const SLOW: ReadonlySet<string> = new Set(['bare', 'kit', 'otel', 'dd-trace']);

export interface Measuring {
  readonly rounds: number;
  readonly durations: Durations;
  readonly journal: Journal;
  readonly around: Surroundings;
  /** Of `performance.now()`; no round begins after it. */
  readonly deadline: number;
}

type Parts = { -readonly [Part in keyof Sample]?: Sample[Part] };

/**
 * Measures the rounds of a group that are missing, and says whether that was all. The processes of all variants live at the
 * same time and take turns by the second: on a machine that others use too, those that are compared must be neighbours in time.
 */
export async function measureGroup(group: Group, { rounds, durations, journal, around, deadline }: Measuring): Promise<boolean> {
  const key = keyOf(group);
  const isMeasured = (round: number) => group.variants.every((name) => journal.has(key, name, round));
  const missing = Array.from({ length: rounds }, (_, round) => round).filter((round) => !isMeasured(round));
  if (missing.length === 0 && group.variants.every((name) => journal.ended(key, name))) return true;
  if (performance.now() > deadline) return false;

  const living = new Map<string, Living>();
  async function lose(variant: string, round: number, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    journal.add({ kind: 'failure', group: key, variant, round, reason });
    console.log(`round ${round + 1}/${rounds}  ${key.padEnd(20)}  ${variant.padEnd(16)}  FAILED: ${reason}`);
    const process = living.get(variant);
    living.delete(variant);
    await process?.[Symbol.asyncDispose]();
  }

  async function measureRound(round: number): Promise<void> {
    // Nobody always comes after the same one.
    const order = group.variants.map((_, i) => group.variants[(i + round) % group.variants.length]);
    const samples = new Map<string, Parts>(order.map((name) => [name, {}]));
    async function each<Part extends keyof Sample>(
      part: Part,
      work: (process: Living, name: string) => Promise<Sample[Part]>,
    ): Promise<void> {
      for (const name of order) {
        const process = living.get(name);
        try {
          if (process !== undefined) samples.get(name)![part] = await work(process, name);
        } catch (error) {
          await lose(name, round, error);
        }
      }
    }

    await each('start', (_, name) => startTwice({ group, variant: variantOf(name), around }));
    await each('full', (process) => process.full(durations.full));
    if (group.full) {
      const rate = rateOf(samples.get('bare')?.full?.perSecond);
      if (rate !== undefined) await each('fixed', (process) => process.fixed(durations.fixed, rate));
    }
    if (group.full && group.app === 'service' && durations.slow > 0)
      await each('slow', async (process, name) => (SLOW.has(name) ? process.slow(durations.slow) : undefined));

    for (const [variant, { start, full, ...more }] of samples) {
      if (start === undefined || full === undefined || !living.has(variant)) continue;
      journal.add({ kind: 'run', group: key, variant, round, sample: { start, full, ...more } });
      const figures = `${full.perSecond.toFixed(0)}/s  ${full.cpuUs.toFixed(0)} µs  ${full.rssMb.toFixed(0)} MB  ${start.warm.toFixed(0)} ms`;
      console.log(`round ${round + 1}/${rounds}  ${key.padEnd(20)}  ${variant.padEnd(16)}  ${figures}`);
    }
  }

  /** The same for all and in every round: half of what the bare app answered in the first. */
  function rateOf(perSecond: number | undefined): number | undefined {
    if (journal.rate(key) === undefined && perSecond !== undefined)
      journal.add({ kind: 'rate', group: key, rate: Math.max(10, Math.round(perSecond / 2)) });
    return journal.rate(key);
  }

  try {
    for (const name of group.variants) {
      try {
        living.set(name, await live({ group, variant: variantOf(name), around }, durations.warmUp));
      } catch (error) {
        await lose(name, missing[0] ?? 0, error);
      }
    }
    let inTime = true;
    for (const round of missing) {
      inTime = performance.now() <= deadline;
      if (!inTime) break;
      await measureRound(round);
    }
    for (const [variant, process] of living) journal.add({ kind: 'end', group: key, variant, life: await process.end() });
    return inTime;
  } finally {
    for (const process of living.values()) await process[Symbol.asyncDispose]();
  }
}
