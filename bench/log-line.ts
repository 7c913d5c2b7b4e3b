/**
 * What a correlated, shipped line of pino costs: pino alone, with the kit, and with pino-opentelemetry-transport set up as
 * its README says, each in a process of its own, in turns. Trust the ratios of one run, not the microseconds.
 *
 * `npm run bench -- log-line`, or `node bench/log-line.ts [--rounds 5] [--lines 20000] [--rate 5000] [--json]`
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startViewer } from '../viewer/testing.ts';

interface Case {
  readonly name: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the lines are to arrive at the receiver. */
  readonly ships: boolean;
}

interface Cost {
  /** µs of CPU a line, of the thread that the app runs in. */
  readonly main: number;
  /** µs of CPU a line, of all threads. */
  readonly all: number;
}

interface Measured extends Cost {
  readonly name: string;
  /** Lines that arrived of all that were written. */
  readonly delivered: number;
}

const preload = ['--import', pathToFileURL(join(import.meta.dirname, '../dist/preload.mjs')).href];
const CASES: readonly Case[] = [
  { name: 'pino alone', ships: false },
  // What the kit costs a process that logs nothing is in this one; what a line costs is the difference to it.
  { name: 'o11y-kit, pino left alone', flags: preload, env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'pino' }, ships: false },
  { name: 'o11y-kit, ids only (OTEL_LOGS_EXPORTER=none)', flags: preload, env: { OTEL_LOGS_EXPORTER: 'none' }, ships: false },
  { name: 'o11y-kit, ids and shipped', flags: preload, ships: true },
  { name: 'o11y-kit, ids and shipped, no gzip', flags: preload, env: { OTEL_EXPORTER_OTLP_COMPRESSION: 'none' }, ships: true },
  { name: 'pino with pino-opentelemetry-transport', env: { TRANSPORT: '1' }, ships: true },
];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    lines: { type: 'string', default: '20000' },
    rate: { type: 'string', default: '5000' },
    json: { type: 'boolean', default: false },
  },
});

const found = new Map<string, Measured[]>(CASES.map(({ name }) => [name, []]));
for (let round = 0; round < Number(values.rounds); round++) {
  for (const which of CASES) found.get(which.name)?.push(await measure(which));
}
const rows = CASES.map(({ name, ships }) => {
  const all = found.get(name) ?? [];
  const middle = (pick: (measured: Measured) => number) => all.map(pick).sort((a, b) => a - b)[Math.floor(all.length / 2)];
  return {
    name,
    main: middle((m) => m.main),
    all: middle((m) => m.all),
    delivered: ships ? middle((m) => m.delivered) : undefined,
  };
});
if (values.json) console.log(JSON.stringify(rows));
else report();

async function measure({ name, flags = [], env, ships }: Case): Promise<Measured> {
  await using viewer = await startViewer();
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, 'apps/log-lines.cjs')], {
    env: {
      PATH: process.env.PATH,
      LINES: values.lines,
      RATE: values.rate,
      OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url,
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      OTEL_SERVICE_NAME: 'bench',
      O11Y_QUIET: '1',
      O11Y_ACCESS_LOG: 'off',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  const json = text.split('\n').find((line) => line.startsWith('{"main"'));
  if (!json) throw new Error(`${name}: the process measured nothing. stderr: ${text}`);
  const delivered = ships ? viewer.logs({ body: 'order accepted' }).length / (Number(values.lines) + 500) : 0;
  return { name, ...(JSON.parse(json) as Cost), delivered };
}

function report(): void {
  const [bare] = rows;
  const own = bare.main;
  console.log(`${values.lines} lines, ${values.rate}/s, medians of ${values.rounds} rounds, Node ${process.versions.node}`);
  console.log('| | main thread, µs a line | all threads, µs a line | added, all threads | delivered |');
  console.log('|---|---|---|---|---|');
  for (const { name, main, all, delivered } of rows) {
    const share = delivered === undefined ? '' : `${(delivered * 100).toFixed(1)} %`;
    console.log(
      `| ${name} | ${main.toFixed(1)} (${(main / own).toFixed(2)}×) | ${all.toFixed(1)} | ${(all - bare.all).toFixed(1)} | ${share} |`,
    );
  }
}
