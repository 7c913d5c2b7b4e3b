/**
 * `npm run soak`: a bounded number of requests with the backend down for half of them. Nothing may be lost without being
 * counted, memory may not grow, and delivery must begin again by itself. Exits 0 or 1.
 *
 * @example npm run soak -- --requests 100000
 */
import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from '../scripts/tools.ts';
import { type Backend, openBackend } from './soak/backend.ts';
import { get, load } from './soak/load.ts';
import { readTotals, type Totals } from './soak/totals.ts';

const MOST_GROWTH_PER_100_000 = 1024 * 1024;
/** Caches fill and code is compiled in the first requests; growth is measured from there. */
const WARM_UP = 20_000;
const PATIENCE_MS = 60_000;

const { values } = parseArgs({ options: { requests: { type: 'string', default: process.env.CI ? '100000' : '1000000' } } });
const requests = Number(values.requests);
if (!Number.isSafeInteger(requests) || requests < 1000 || requests > 10_000_000) {
  console.error(`--requests must be a whole number from 1000 to 10000000, not "${values.requests}".`);
  process.exit(2);
}

const problems: string[] = [];
const arrived = { traces: new Set<string>(), logs: 0 };
let backend: Backend | undefined = await openBackend(0, arrived);
const { port } = backend;
const app = fork(join(root, 'bench/soak/app.mjs'), {
  execArgv: ['--expose-gc', '--import', pathToFileURL(join(root, 'dist/preload.mjs')).href],
  env: {
    ...process.env,
    OTEL_SERVICE_NAME: 'soak',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    // A batch is given up after this, so that the end of the outage is reached.
    OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
    O11Y_ACCESS_LOG: 'off',
  },
  stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
});
try {
  await soak(app);
} finally {
  app.kill('SIGKILL');
  await backend?.close();
}
for (const problem of problems) console.log(`FAIL  ${problem}`);
console.log(problems.length === 0 ? 'PASS' : 'FAIL');
process.exitCode = problems.length === 0 ? 0 : 1;

async function soak(child: ChildProcess): Promise<void> {
  const [[{ port: appPort }], metricsUrl] = await Promise.all([once(child, 'message'), metricsPage(child)]);
  const half = Math.floor(requests / 2);
  const warmUp = Math.min(WARM_UP, Math.floor(requests / 4));
  let sent = 0;
  let heapReads = 0;
  const send = async (count: number) => {
    await load(appPort, count);
    sent += count;
  };
  const heap = async () => {
    heapReads++;
    return Number(await get(appPort, '/heap'));
  };

  console.log(`${requests} requests: backend up, down for half of them, up again`);
  await send(warmUp);
  await settled(metricsUrl, sent, sent);
  const before = await heap();
  await send(Math.floor(requests / 4) - warmUp);

  await backend?.close();
  backend = undefined;
  console.log(`${sent} sent: backend down`);
  await send(half);

  backend = await openBackend(port, arrived);
  const atReturn = arrived.traces.size;
  console.log(`${sent} sent: backend up again`);
  await send(requests - sent);
  const after = await heap();
  const totals = await settled(metricsUrl, sent + heapReads, sent);

  for (const signal of ['traces', 'logs'] as const) {
    const { exported, dropped, reasons } = totals[signal];
    // Asking for the heap makes a span, but the app logs nothing there.
    const recorded = signal === 'traces' ? sent + heapReads : sent;
    const received = signal === 'traces' ? arrived.traces.size : arrived.logs;
    console.log(`${signal}: ${recorded} recorded = ${received} received + ${dropped} dropped ${JSON.stringify(reasons)}`);
    check(`${signal}: received (${received}) is what the kit counts as exported (${exported})`, received === exported);
    check(
      `${signal}: received (${received}) + dropped (${dropped}) is what was recorded (${recorded})`,
      received + dropped === recorded,
    );
  }
  const growth = after - before;
  const allowed = MOST_GROWTH_PER_100_000 * Math.max(1, requests / 100_000);
  console.log(`heap after garbage collection: ${mb(before)}, at the end ${mb(after)}; ${mb(allowed)} more are allowed`);
  check('the heap has grown', growth <= allowed);
  check('nothing was delivered after the outage', arrived.traces.size > atReturn);
}

function check(problem: string, ok: boolean): void {
  if (!ok) problems.push(problem);
}

function mb(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** The page's address, from the start line on stderr. */
async function metricsPage(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const [chunk] of on(child.stderr!, 'data', { close: ['end'] })) {
    text += chunk;
    const [url] = /http:\/\/\S+\/metrics/.exec(text) ?? [];
    if (url !== undefined) {
      child.stderr!.resume();
      return url;
    }
  }
  throw new Error(`the app ended before it said where its metrics are:\n${text}`);
}

/** Waits until all that was recorded has been exported or dropped. */
async function settled(url: string, spans: number, lines: number): Promise<Totals> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const totals = await readTotals(url);
    const { traces, logs } = totals;
    const done = traces.exported + traces.dropped >= spans && logs.exported + logs.dropped >= lines;
    if (done || Date.now() > deadline) return totals;
    await sleep(200);
  }
}
