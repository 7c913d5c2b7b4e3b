import { type Group, keyOf, QUIET, SAME_START, variantOf } from './catalog.ts';
import type { Journal } from './journal.ts';
import { type Fixed, type Full, type Life, type Living, live, type Slow, type Start, startTwice } from './measure.ts';
import { median } from './statistics.ts';
import type { Surroundings } from './surroundings.ts';

/** How often and how long everything is measured. */
export interface Schedule {
  /** Each with processes of its own. */
  readonly passes: number;
  /** Rounds in a pass. */
  readonly rounds: Readonly<Record<Part, number>>;
  /**
   * Until a variant has answered so many requests, within so many seconds of load. V8 gives a function its best code after
   * so many calls, most of those that run once a request after some ten thousand (`--trace-opt`), and takes seconds to make it:
   * before that one measures its compiler.
   */
  readonly warmUp: { readonly requests: number; readonly least: number; readonly most: number };
  /** Seconds of a turn. */
  readonly seconds: { readonly warmUp: number; readonly turn: number; readonly slow: number };
}

const WARM_UP = { requests: 12_000, least: 6, most: 16 };
const SECONDS = { warmUp: 2, turn: 1, slow: 4 };
export const WHOLE: Schedule = { passes: 2, rounds: { start: 3, full: 7, fixed: 3, slow: 3 }, warmUp: WARM_UP, seconds: SECONDS };
export const LOOK: Schedule = { passes: 1, rounds: { start: 2, full: 7, fixed: 3, slow: 0 }, warmUp: WARM_UP, seconds: SECONDS };

/** What a round measures of one variant. */
export interface Figure {
  readonly start: Start;
  readonly full: Full;
  readonly fixed: Fixed;
  readonly slow: Slow;
}

export type Part = keyof Figure;

/** A figure for each round, to be compared with the others' of the same place. */
export type Figures = { readonly [P in Part]: readonly Figure[P][] };

/** What a pass measures of one variant. */
export type Sample = Figures & Life;

type Growing = { readonly [P in Part]: Figure[P][] };

export interface PassOptions {
  readonly group: Group;
  readonly pass: number;
  readonly schedule: Schedule;
  readonly journal: Journal;
  readonly around: Surroundings;
  /** What makes processes. */
  readonly maker?: { readonly live: typeof live; readonly startTwice: typeof startTwice };
}

/**
 * Measures a group once. The processes of all variants live at the same time and take turns by the second: on a machine that
 * others use too, those that are compared must be neighbours in time, and none may wait for minutes: what it costs differs by a factor of two then.
 */
export async function measurePass({ group, pass, schedule, journal, around, maker }: PassOptions): Promise<void> {
  const make = maker ?? { live, startTwice };
  const { rounds, seconds } = schedule;
  const key = keyOf(group);
  journal.add({ kind: 'begin', group: key, pass });
  const figures = new Map<string, Growing>(group.variants.map((name) => [name, { start: [], full: [], fixed: [], slow: [] }]));
  const processes = new Map<string, Living>();

  async function attempt(variant: string, work: () => Promise<unknown>): Promise<void> {
    // One that has failed has no further turn.
    if (!figures.has(variant)) return;
    try {
      await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      journal.add({ kind: 'failure', group: key, variant, pass, reason });
      console.log(`pass ${pass + 1}  ${key.padEnd(25)}  ${variant.padEnd(16)}  FAILED: ${reason}`);
      figures.delete(variant);
      await processes.get(variant)?.[Symbol.asyncDispose]();
    }
  }

  /** Nobody always comes after the same one, who may still be sending. */
  async function turns(
    count: number,
    names: readonly string[],
    turn: (name: string, own: Growing) => Promise<unknown>,
  ): Promise<void> {
    for (let round = 0; round < count; round++) {
      for (let i = 0; i < names.length; i++) {
        const place = round % 2 === 0 ? i : names.length - 1 - i;
        const name = names[(place + round) % names.length];
        await attempt(name, () => turn(name, figures.get(name)!));
      }
    }
  }

  async function warmUp(): Promise<void> {
    const answered = new Map<string, number>(group.variants.map((name) => [name, 0]));
    const { requests, least, most } = schedule.warmUp;
    for (let spent = 0; spent < most; spent += seconds.warmUp) {
      const cold = group.variants.filter((name) => spent < least || answered.get(name)! < requests);
      if (cold.length === 0) break;
      await turns(1, cold, async (name) => {
        answered.set(name, answered.get(name)! + (await processes.get(name)!.warmUp(seconds.warmUp)));
      });
    }
    // Those that were warm first have waited for the others.
    await turns(1, group.variants, (name) => processes.get(name)!.warmUp(seconds.turn));
  }

  /** The same for all and in every pass: half of what the bare app answers. */
  function fixedRate(): number | undefined {
    const perSecond = median(figures.get('bare')?.full.map((turn) => turn.perSecond) ?? []);
    if (journal.rate(key) === undefined && perSecond !== undefined)
      journal.add({ kind: 'rate', group: key, rate: Math.max(10, Math.round(perSecond / 2)) });
    return journal.rate(key);
  }

  try {
    const starting = group.variants.filter((name) => !SAME_START.has(name));
    await turns(rounds.start, starting, async (name, { start }) => {
      start.push(await make.startTwice({ group, variant: variantOf(name), around }));
    });
    await turns(1, group.variants, async (name) => {
      processes.set(name, await make.live({ group, variant: variantOf(name), around }));
    });
    await warmUp();
    await turns(rounds.full, group.variants, async (name, { full }) => {
      full.push(await processes.get(name)!.full(seconds.turn));
    });
    if (group.full) {
      const rate = fixedRate();
      if (rate !== undefined)
        await turns(rounds.fixed, group.variants, async (name, { fixed }) => {
          fixed.push(await processes.get(name)!.fixed(seconds.turn, rate));
        });
      const quiet = group.app === 'service' && !group.second ? group.variants.filter((name) => QUIET.has(name)) : [];
      await turns(rounds.slow, quiet, async (name, { slow }) => {
        slow.push(await processes.get(name)!.slow(seconds.slow));
      });
    }
    await turns(1, group.variants, async (name, own) => {
      const sample = { ...own, ...(await processes.get(name)!.end()) };
      journal.add({ kind: 'run', group: key, variant: name, pass, sample });
      const middle = (part: keyof Full) => median(own.full.map((turn) => turn[part]))?.toFixed(0);
      const said = `${middle('perSecond')}/s  ${middle('cpuUs')} µs  ${middle('rssMb')} MB`;
      console.log(`pass ${pass + 1}/${schedule.passes}  ${key.padEnd(25)}  ${name.padEnd(16)}  ${said}`);
    });
  } finally {
    await Promise.allSettled([...processes.values()].map((process) => process[Symbol.asyncDispose]()));
  }
}
