import { APPS, type Group, isKit, keyOf, type ModuleSystem, SAME_START } from './catalog.ts';
import { type Measured, verdicts } from './goals.ts';
import type { Part } from './pass.ts';
import { type Results, type Row, rowsOf } from './results.ts';
import type { Spread } from './statistics.ts';

const MODULES: Record<ModuleSystem, string> = { cjs: 'CommonJS', esm: 'ES modules' };

/** `docs/benchmarks.md`. The same results give the same text. */
export function page(results: Results): string {
  const groups = results.groups.map((group) => ({ group, rows: rowsOf(group, results.entries) }));
  const main = groups.filter(({ group }) => group.full);
  const others = groups.filter(({ group }) => !group.full);
  return [
    head(results),
    goalsTable(groups),
    ...main.map(({ group, rows }) => mainTables(group, rows, results)),
    ...[slowTable(main)],
    startTable(groups),
    ...(others.length > 0 ? [othersTable(others)] : []),
    notes(groups, results),
    method(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

const SOME = [
  ['full', 'rounds at the highest rate'],
  ['start', 'of starts'],
] as const;
const ALL = [...SOME, ['fixed', 'at the fixed rate'], ['slow', 'of the quiet service']] as const;

function head({ when, machine, versions, schedule, generator, groups }: Results): string {
  const { passes, rounds } = schedule;
  const times = (parts: readonly (readonly [Part, string])[], many: number) =>
    parts.flatMap(([part, what]) => (rounds[part] > 0 ? [`${many * rounds[part]} ${what}`] : [])).join(', ');
  const once = passes > 1 && groups.some((group) => group.once) ? `; on Node 22 and 26 ${times(SOME, 1)}, from one` : '';
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `<!-- Generated from bench/results.json by \`npm run bench\`; edits here are lost. -->

# Benchmarks

What the kit costs, beside the bare app and beside its peers, measured in one run. The processes of all variants
of a table live at the same time and take turns by the second: in each round every one has its turn, in changing order, and is compared with the bare
app in the same round. Each figure is the median of ${times(ALL, passes)}, from ${passes} generation${passes > 1 ? 's' : ''} of processes${once}.
The lowest and the highest stand in parentheses. The machines that such a run is made on differ, and so do the milliseconds; the ratios are what carries over.

Measured on ${when.slice(0, 10)}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}; ${
    machine.pinned
      ? 'server on one core, load, database and sink on another'
      : 'server, load and sink **not** kept on cores of their own, which this machine cannot do'
  }; highest rate by ${generator}.

Versions: ${names.join(', ')}.`;
}

function goalsTable(groups: readonly Measured[]): string {
  const body = verdicts(groups).map(({ goal, figure, met }) => [
    goal,
    figure ?? '–',
    met === undefined ? 'not measured' : met ? 'met' : '**missed**',
  ]);
  return `## The goals

What the kit has set itself, with the median of this run. Where the cost comes from, what was tried and what the floor is: [performance.md](performance.md).

${table(['', 'measured', ''], body)}`;
}

function mainTables(group: Group, rows: readonly Row[], { entries }: Results): string {
  const rate = entries.find((entry) => entry.kind === 'rate' && entry.group === keyOf(group));
  const perSecond = rate?.kind === 'rate' ? `${rate.rate}/s` : 'a fixed rate';
  const { letter, title: app } = APPS[group.app];
  const title = group.second ? `### (${letter}) the kit as it comes, beside Elastic and Sentry` : `## (${letter}) ${app}`;
  const costs = table(
    [
      '',
      'throughput ÷ bare',
      'CPU a request, µs',
      'added, µs',
      `p50, ms at ${perSecond}`,
      'p99, ms',
      'RSS after load, MB',
      'added, MB',
    ],
    rows.map((row) => [
      row.title,
      show(row.ratio, 2),
      show(row.cpuUs, 0),
      row.variant === 'bare' ? '' : show(row.addedCpuUs, 0),
      show(row.p50, 2),
      keepsUp(row) ? show(row.p99, 1) : `${show(row.p99, 1)}, ${percent(row.keptUp?.median)} in time`,
      show(row.rssMb, 0),
      row.variant === 'bare' ? '' : show(row.addedRssMb, 0),
    ]),
  );
  const service = group.app === 'service';
  const received = table(
    [
      'received ÷ expected',
      'spans a request',
      'server spans',
      ...(service ? ['pg spans', 'fetch spans'] : []),
      'log records',
      'metric counts',
    ],
    rows.flatMap(({ title: name, delivered: given }) =>
      given
        ? [
            [
              name,
              given.spansPerRequest.toFixed(2),
              percent(given.server),
              ...(service ? [percent(given.pg), percent(given.fetch)] : []),
              percent(given.logs),
              percent(given.metrics),
            ],
          ]
        : [],
    ),
  );
  const shares = rows.filter((row) => row.kitShare);
  const share = shares.length
    ? `\n\nThe added CPU of ${rows.find((row) => isKit(row.variant))?.title} as a share of theirs: ${shares.map((row) => `${row.title} ${show(row.kitShare, 2)}`).join('; ')}.`
    : '';
  return `${title}\n\nNode ${group.node}, ${MODULES[group.module]}.\n\n${costs}\n\n${received}${share}`;
}

function slowTable(groups: readonly Measured[]): string {
  const rows = groups.flatMap((each) => each.rows).filter((row) => row.slowCpu);
  if (rows.length === 0) return '';
  const body = rows.map((row) => [
    row.title,
    show(row.slowCpu, 1),
    row.variant === 'bare' ? '' : show(row.slowAddedCpu, 1),
    show(row.slowRssMb, 0),
    row.variant === 'bare' ? '' : show(row.slowAddedRssMb, 0),
  ]);
  return `## (c) at 100 requests a second\n\n${table(['', 'CPU, % of a core', 'added', 'RSS, MB', 'added'], body)}`;
}

function startTable(groups: readonly Measured[]): string {
  const body = groups.flatMap(({ group, rows }) =>
    rows
      .filter((row) => !SAME_START.has(row.variant))
      .map((row) => [
        `${APPS[group.app].letter}, Node ${group.node}, ${MODULES[group.module]}`,
        row.title,
        show(row.coldMs, 0),
        row.variant === 'bare' ? '' : show(row.addedColdMs, 0),
        show(row.warmMs, 0),
        row.variant === 'bare' ? '' : show(row.addedWarmMs, 0),
      ]),
  );
  return `## From start to listening, ms

Cold: Node's compile cache is on and empty; warm: the process before has filled it (\`NODE_COMPILE_CACHE\`, the same for all).

${table(['', '', 'cold', 'added', 'warm', 'added'], body)}`;
}

function othersTable(groups: readonly Measured[]): string {
  const body = groups.flatMap(({ group, rows }) =>
    rows.map((row) => [
      `${APPS[group.app].letter}, Node ${group.node}, ${MODULES[group.module]}`,
      row.title,
      show(row.ratio, 2),
      row.variant === 'bare' ? '' : show(row.addedCpuUs, 0),
      show(row.kitShare, 2),
      row.delivered ? percent(row.delivered.server) : '',
      percent(row.delivered?.logs),
      percent(row.delivered?.metrics),
    ]),
  );
  const columns = [
    '',
    '',
    'throughput ÷ bare',
    'added CPU, µs',
    "kit's share of it",
    'server spans',
    'log records',
    'metric counts',
  ];
  return `## ES modules, Node 22 and 26\n\n${table(columns, body)}`;
}

/** What a reader must know to read the tables right, as far as it happened. */
function notes(groups: readonly Measured[], { skipped }: Results): string {
  const lines = [...skipped];
  for (const { group, rows } of groups) {
    const where = `(${APPS[group.app].letter}) on Node ${group.node}, ${MODULES[group.module]}`;
    for (const row of rows) {
      if (row.killed > 0)
        lines.push(`${row.title} did not end within 15 s of SIGTERM in ${row.killed} of its lives in ${where}, and was killed.`);
      if (row.failedRequests > 0) lines.push(`${row.title}: ${row.failedRequests} requests failed in ${where}.`);
      for (const reason of new Set(row.failures))
        lines.push(`${row.title} could not be measured in a pass of ${where}: ${oneLine(reason)}`);
    }
  }
  return lines.length === 0 ? '' : `## To be known\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

function method({ schedule: { passes, rounds, warmUp, seconds } }: Results): string {
  return `## How it is measured

- The kit is this tree, packed and installed as users get it. Every variant has a folder of its own with the same versions of the apps'
  packages; flags and settings are those of its documentation, in \`bench/lib/catalog.ts\`. Everything is sampled unless a row says otherwise.
- "No access lines" is \`O11Y_ACCESS_LOG=off\`: the peers write none, so this is the row to compare. "As it comes" is the kit without a setting but addresses:
  Elastic and Sentry stand beside that one, in tables of their own, because more than five in a table wait too long for their turns.
- All export for real, to a process on this machine that takes OTLP, Datadog's agent protocol and Sentry's envelopes, and decodes only when
  a process has ended. OpenTelemetry and Elastic run without the resource detectors that ask a cloud for its metadata, which could only fail here.
  The kit's metrics page is scraped once in each turn, so for each second of load.
- A pass, of which there are ${passes}: ${rounds.start} rounds of starts, each with an empty compile cache and with the one that it left. A process of every variant, each with
  a sink of its own. Warm-up, in turns of ${seconds.warmUp} s, until each has answered ${warmUp.requests} requests, in ${warmUp.least} to ${warmUp.most} s of load, because V8 gives a function its best
  code after some ten thousand calls; then ${seconds.turn} s more for all. ${rounds.full} rounds of ${seconds.turn} s at the highest rate over 16 connections (throughput, CPU, RSS at the end of the turn);
  ${rounds.fixed} of ${seconds.turn} s at half of what the bare app reached, over 64 connections; for the quiet service ${rounds.slow} of ${seconds.slow} s, by processes that were busy before. SIGTERM.
  So a process is under load for a second or two at a time, and waits while its neighbours are.
- CPU is user and system time of the whole process, all threads, from \`/proc/PID/stat\`, from the beginning of a turn until it has come to rest after it: three tenths of a second
  without work or an export, at most 4 s. What is sent later than that, by a timer of seconds, is in no turn.
- Latency at the fixed rate counts from when a request was due, so a server that stalls cannot hide its queue. Where less than 99 % of the
  requests were answered before the turn ended, that share stands beside the p99: of a queue that grows it says how long the turn was, and what was not even sent by
  then is not in it. Ten milliseconds in which the machine does something else at the end of a turn are enough to fall below it.
- Expected is what the app's handler counted, from the first of the warm-up to the end: what a full queue drops is missing. Log records are those with a trace's id. dd-trace leaves the collection of
  log lines and request metrics to its agent, Sentry has no request metrics: "–". Elastic ships log lines only
  when told to (\`ELASTIC_OTEL_NODE_ENABLE_LOG_SENDING\`), and is told so here.

## To repeat it

\`\`\`
npm run bench                 # begins no table after an hour; stopped, it goes on with the table that it was in
npm run bench -- --quick      # a look in about three minutes: bare, kit, OpenTelemetry; prints, and writes neither results nor this page
npm run bench -- --fresh      # forgets what was measured before
npm run bench -- --report     # this page again from bench/results.json
\`\`\`

It needs Linux with two cores and npm's registry. \`wrk\`, \`taskset\` and PostgreSQL (\`apt-get install wrk util-linux postgresql\`) are used where they are.`;
}

function keepsUp(row: Row): boolean {
  return row.keptUp === undefined || row.keptUp.median >= 0.99;
}

function show(value: Spread | undefined, digits: number): string {
  if (value === undefined) return '–';
  const text = (one: number) => one.toFixed(digits);
  return value.rounds === 1 ? text(value.median) : `${text(value.median)} (${text(value.min)}–${text(value.max)})`;
}

/** Rounded down, so that what is not complete never reads 100 %. */
function percent(share: number | undefined): string {
  if (share === undefined) return '–';
  return `${(Math.floor(share * 1000 + 1e-9) / 10).toFixed(1)} %`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 300);
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), `|${columns.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
