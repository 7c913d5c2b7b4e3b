import { type Spread, spread } from '../lib/statistics.ts';
import type { BatchTimes } from './batch.ts';
import type { Start } from './start.ts';
import { ALLOWED_MS, type Opening, STEPS } from './waterfall.ts';

const MB = 2 ** 20;

/** One line: what, how much of it, and how far the rounds lie apart. */
export function line(what: string, of: Spread, unit: string, note = ''): string {
  const digits = of.median < 20 ? 1 : 0;
  const [median, min, max] = [of.median, of.min, of.max].map((value) => value.toFixed(digits));
  const apart = of.rounds > 1 ? `(${min} to ${max}, ${of.rounds} rounds)` : '';
  return `  ${what.padEnd(34)} ${`${median} ${unit}`.padStart(9)}  ${apart}${note && `  ${note}`}`;
}

export function ofStarts(starts: readonly Start[]) {
  return {
    readyMs: spread(starts.map(({ readyMs }) => readyMs))!,
    startCpuMs: spread(starts.map(({ cpuMs }) => cpuMs))!,
    bareMs: spread(starts.map(({ bareMs }) => bareMs))!,
    // Of each pair: what else the machine had to do at that moment weighs on both.
    addedMs: spread(starts.map(({ readyMs, bareMs }) => readyMs - bareMs))!,
    idleMb: spread(starts.map(({ idleBytes }) => idleBytes / MB))!,
  };
}

export function startLines({ readyMs, startCpuMs, bareMs, addedMs, idleMb }: ReturnType<typeof ofStarts>): string[] {
  return [
    'Start, `o11y-kit view` from the bundle:',
    line('listening, page and files served', readyMs, 'ms'),
    line('CPU time of the viewer until then', startCpuMs, 'ms'),
    line('bare `node -e 0`', bareMs, 'ms'),
    line('more than bare, of each pair', addedMs, 'ms', 'goal: 300 ms at most'),
    line('resident memory when idle', idleMb, 'MB', 'goal: 80 MB at most'),
  ];
}

export function ofBatches(times: readonly BatchTimes[]) {
  return {
    // Of each process its median: a round is a process.
    ms: spread(times.map(({ warmMs }) => spread(warmMs)!.median))!,
    worstMs: spread(times.map(({ warmMs }) => Math.max(...warmMs)))!,
    firstMs: spread(times.map(({ firstMs }) => firstMs))!,
    cpuMs: spread(times.map(({ cpuMs }) => cpuMs))!,
    kilobytes: Math.round(times[0].bytes / 1024),
  };
}

export function batchLines(encoding: string, { ms, cpuMs, worstMs, firstMs, kilobytes }: ReturnType<typeof ofBatches>): string[] {
  return [
    `A batch of 512 spans as ${encoding} (${kilobytes} KB), decoded and put into a full store:`,
    line('a batch', ms, 'ms', 'goal: 10 ms at most'),
    line('CPU time of a batch, all threads', cpuMs, 'ms'),
    line('the slowest of 60', worstMs, 'ms'),
    line('the first of the process', firstMs, 'ms'),
  ];
}

export function ofOpenings(openings: readonly Opening[]) {
  const of = (pick: (opening: Opening) => number) => spread(openings.map(pick))!;
  return {
    paintMs: of(({ paintMs }) => paintMs),
    openCpuMs: of(({ openCpuMs }) => openCpuMs),
    stepCpuMs: of(({ stepCpuMs }) => stepCpuMs),
    elements: of(({ elements }) => elements),
    longestMs: of(({ longestMs }) => longestMs),
    longTasks: openings.reduce((sum, { longTasks }) => sum + longTasks, 0),
  };
}

export function openingLines(spans: number, of: ReturnType<typeof ofOpenings>): string[] {
  return [
    `A trace of ${spans} spans on the page, each time with an empty cache:`,
    line('painted after', of.paintMs, 'ms', 'goal: 1000 ms at most'),
    line('CPU time of the page until then', of.openCpuMs, 'ms'),
    line(`CPU time of one of ${STEPS} scroll steps`, of.stepCpuMs, 'ms'),
    line('elements', of.elements, ''),
    line('longest task (0: none over 50 ms)', of.longestMs, 'ms'),
    `  ${`tasks over ${ALLOWED_MS} ms while scrolling`.padEnd(34)} ${String(of.longTasks).padStart(6)}     in all rounds  goal: none`,
  ];
}
