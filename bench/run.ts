/**
 * `npm run bench`: the kit beside the bare app and its peers, taking turns in paired rounds of one run. Writes
 * `bench/results.json` and `docs/benchmarks.md`. Stopped, it goes on with the table that it was in; it begins none after an hour.
 *
 *     npm run bench -- [--quick] [--passes 2] [--minutes 60] [--fresh] [--report]
 *     npm run bench -- log-line | metrics | viewer [its own options]      another file of this folder
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/tools.ts';
import { APPS, type Group, keyOf, nodeBinary, plan, VARIANTS } from './lib/catalog.ts';
import { cache, type Installed, install } from './lib/install.ts';
import { type Journal, openJournal } from './lib/journal.ts';
import { generator } from './lib/load.ts';
import { page } from './lib/page.ts';
import { LOOK, measurePass, type Schedule, WHOLE } from './lib/pass.ts';
import { pinned } from './lib/process.ts';
import type { Results } from './lib/results.ts';
import { type Surroundings, surroundings } from './lib/surroundings.ts';

const RESULTS = join(root, 'bench/results.json');
const PAGE = join(root, 'docs/benchmarks.md');

const other = /^[a-z][a-z-]*$/.test(process.argv[2] ?? '') ? join(import.meta.dirname, `${process.argv[2]}.ts`) : undefined;
if (other !== undefined) {
  if (!existsSync(other)) fail(`there is no bench/${process.argv[2]}.ts`);
  process.exit(spawnSync(process.execPath, [other, ...process.argv.slice(3)], { stdio: 'inherit' }).status ?? 1);
}
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    passes: { type: 'string' },
    minutes: { type: 'string', default: '60' },
  },
});
const quick = values.quick;
const usual = quick ? LOOK : WHOLE;
const schedule = { ...usual, passes: wholeNumber('--passes', values.passes ?? String(usual.passes), 100) };
const minutes = wholeNumber('--minutes', values.minutes, 24 * 60);
if (platform() !== 'linux') fail('it reads CPU time and memory from /proc, which only Linux has');

if (values.report) writePage(JSON.parse(readFileSync(RESULTS, 'utf8')));
else await bench();

async function bench(): Promise<void> {
  const skipped: string[] = [];
  const groups = plan(quick).filter(({ node }) => existsSync(nodeBinary(node)));
  const names = new Set(groups.flatMap((group) => group.variants));
  const installed = install(VARIANTS.filter(({ name }) => names.has(name)));
  const deadline = performance.now() + minutes * 60_000;
  const around = await surroundings(groups.some(({ app }) => app === 'service'));
  try {
    const measured = around.postgres ? groups : groups.filter(({ app }) => app !== 'service');
    if (measured.length < groups.length) {
      skipped.push(`(${APPS.service.letter}) ${APPS.service.title} was skipped: this machine has no PostgreSQL.`);
      console.log(skipped[0]);
    }
    const journal = openJournal(journalFile(), identity({ installed, schedule, machine: machine() }));
    if (journal.entries.length > 0) console.log(`going on after ${journal.entries.length} entries; --fresh begins anew`);
    const complete = await measureAll({ groups: measured, schedule, journal, around, deadline });
    const versions = {
      ...nodeVersions(measured),
      ...installed.versions,
      ...(around.postgres && { PostgreSQL: around.postgres.version }),
    };
    const results: Results = {
      when: new Date().toISOString(),
      machine: machine(),
      versions,
      generator,
      schedule,
      groups: measured,
      skipped,
      entries: journal.entries,
    };
    if (quick) {
      console.log(`\n${page(results).split('## How it is measured')[0]}`);
      console.log('A look, on however busy a machine: nothing was written.');
    } else if (complete) {
      writeFileSync(RESULTS, `${JSON.stringify(results, rounded, 1)}\n`);
      writePage(JSON.parse(readFileSync(RESULTS, 'utf8')));
    } else {
      console.log(`${minutes} minutes are over; the same command goes on from here. Nothing was written yet.`);
    }
  } finally {
    await around.close();
  }
}

interface Measuring {
  readonly groups: readonly Group[];
  readonly schedule: Schedule;
  readonly journal: Journal;
  readonly around: Surroundings;
  readonly deadline: number;
}

/** Says whether all of it was measured in time. */
async function measureAll({ groups, schedule, journal, around, deadline }: Measuring): Promise<boolean> {
  for (let pass = 0; pass < schedule.passes; pass++) {
    for (const group of groups) {
      if (pass > 0 && group.once) continue;
      if (group.variants.every((name) => journal.has(keyOf(group), name, pass))) continue;
      if (performance.now() > deadline) return false;
      await measurePass({ group, pass, schedule, journal, around });
    }
  }
  return true;
}

function writePage(results: Results): void {
  writeFileSync(PAGE, page(results));
  console.log(`${PAGE} written from ${results.entries.length} entries`);
}

function journalFile(): string {
  mkdirSync(cache, { recursive: true });
  const file = join(cache, quick ? 'quick.jsonl' : 'journal.jsonl');
  // A look is always a new one.
  if (values.fresh || quick) rmSync(file, { force: true });
  return file;
}

/** Figures of different software, machines or lengths are not to be mixed. */
function identity(of: { installed: Installed; schedule: Schedule; machine: object }): string {
  return createHash('sha256').update(JSON.stringify(of)).digest('hex');
}

function machine(): Results['machine'] {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `Linux ${release()}`,
    pinned,
  };
}

function nodeVersions(groups: readonly Group[]): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const node of new Set(groups.map((group) => group.node))) {
    const { stdout } = spawnSync(nodeBinary(node), ['--version'], { encoding: 'utf8' });
    versions[`Node ${node}`] = stdout.trim();
  }
  return versions;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    fail(`${name} must be a whole number from 1 to ${most}, not "${text}"`);
  return value;
}

function fail(message: string): never {
  console.error(`bench: ${message}.`);
  process.exit(2);
}
