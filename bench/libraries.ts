/**
 * How much later an app that loads twenty of the wired libraries listens with the kit than without it, in pairs.
 *
 * `npm run bench -- libraries`, or `node bench/libraries.ts [--rounds 11] [--json]`
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startViewer, type TestViewer } from '../viewer/testing.ts';
import { ask } from './lib/process.ts';
import { type Spread, spread } from './lib/statistics.ts';

interface Start {
  readonly libraries: number;
  /** From before the process is made until it listens. */
  readonly ms: number;
  /** CPU time of the process until then, all threads. */
  readonly cpuMs: number;
}

const preload = ['--import', pathToFileURL(join(import.meta.dirname, '../dist/preload.mjs')).href];
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '11' }, json: { type: 'boolean', default: false } },
});

await using viewer = await startViewer();
// The first pair reads the files from the disk.
await start([], viewer);
await start(preload, viewer);
const pairs: { bare: Start; kit: Start }[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const first = round % 2 === 0 ? await start([], viewer) : undefined;
  const kit = await start(preload, viewer);
  pairs.push({ bare: first ?? (await start([], viewer)), kit });
}
const of = (pick: (pair: (typeof pairs)[number]) => number): Spread => spread(pairs.map(pick))!;
const figures = {
  'listening, bare': of(({ bare }) => bare.ms),
  'listening, with the kit': of(({ kit }) => kit.ms),
  'later, of each pair': of(({ bare, kit }) => kit.ms - bare.ms),
  'CPU time more, of each pair': of(({ bare, kit }) => kit.cpuMs - bare.cpuMs),
};
if (values.json) console.log(JSON.stringify(figures));
else {
  console.log(`An app that loads ${pairs[0].kit.libraries} libraries, Node ${process.versions.node}, ${pairs.length} pairs:`);
  for (const [what, { median, min, max }] of Object.entries(figures)) {
    const goal = what.startsWith('later') ? '  goal: 150 ms at most' : '';
    console.log(`  ${what.padEnd(28)} ${median.toFixed(0).padStart(5)} ms  (${min.toFixed(0)} to ${max.toFixed(0)})${goal}`);
  }
}

async function start(flags: readonly string[], { url }: TestViewer): Promise<Start> {
  const before = performance.now();
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, 'apps/twenty-libraries.cjs')], {
    env: {
      PATH: process.env.PATH,
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      O11Y_QUIET: '1',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { libraries, cpuMs } = await ask<{ libraries: number; cpuMs: number }>(child);
  const ms = performance.now() - before;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.send('end');
  await ended;
  return { libraries, ms, cpuMs };
}
