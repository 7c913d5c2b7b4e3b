import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Sample } from './pass.ts';

/** One line of the journal: a pass of a group that begins, what it has measured of a variant, the rate that a group is measured at. */
export type Entry =
  | { readonly kind: 'begin'; readonly group: string; readonly pass: number }
  | { readonly kind: 'rate'; readonly group: string; readonly rate: number }
  | { readonly kind: 'run'; readonly group: string; readonly variant: string; readonly pass: number; readonly sample: Sample }
  | {
      readonly kind: 'failure';
      readonly group: string;
      readonly variant: string;
      readonly pass: number;
      readonly reason: string;
    };

export type RunEntry = Extract<Entry, { kind: 'run' }>;

export interface Journal {
  readonly entries: readonly Entry[];
  rate(group: string): number | undefined;
  /** A failure is tried again. */
  has(group: string, variant: string, pass: number): boolean;
  add(entry: Entry): void;
}

/**
 * What has been measured so far, kept in a file from run to run, so that a bench that was stopped goes on where it was.
 *
 * @param identity of what is measured: a journal of something else is thrown away.
 */
export function openJournal(file: string, identity: string): Journal {
  mkdirSync(dirname(file), { recursive: true });
  const [head, ...lines] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [''];
  let entries: Entry[] = [];
  /** A pass that begins again has measured nothing: its figures are to be compared with those of its own time. */
  const take = (entry: Entry) => {
    if (entry.kind === 'begin') entries = entries.filter((earlier) => !isOf(earlier, entry));
    entries.push(entry);
  };
  if (head === identity) {
    for (const line of lines) {
      const entry = parse(line);
      if (entry) take(entry);
    }
    // A line that was cut as the process was killed must not swallow the next one.
    if (lines.at(-1) !== '') appendFileSync(file, '\n');
  } else {
    rmSync(file, { force: true });
    appendFileSync(file, `${identity}\n`);
  }
  return {
    get entries() {
      return entries;
    },
    rate: (group) => entries.find((entry) => entry.kind === 'rate' && entry.group === group)?.['rate' as never],
    has: (group, variant, pass) =>
      entries.some((entry) => entry.kind === 'run' && entry.group === group && entry.variant === variant && entry.pass === pass),
    add(entry) {
      take(entry);
      appendFileSync(file, `${JSON.stringify(entry)}\n`);
    },
  };
}

function isOf(entry: Entry, { group, pass }: Extract<Entry, { kind: 'begin' }>): boolean {
  // The rate is the same for all passes.
  return entry.kind !== 'rate' && entry.group === group && entry.pass === pass;
}

function parse(line: string): Entry | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
