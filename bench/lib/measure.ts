import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { METRICS } from '../../instrumentation/names.ts';
import { freePort } from '../../test/support/free-port.ts';
import { type App, startApp } from './app.ts';
import { APPS, type Group, type Variant } from './catalog.ts';
import type { Counts } from './counts.ts';
import { loadAtRate, loadFully } from './load.ts';
import { ask } from './process.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * How long each part of a run takes, in seconds. V8 compiles the code of a service for its first seconds under load: with less
 * of a warm-up than this, that is most of what is measured.
 */
export interface Durations {
  readonly warmUp: number;
  /** A service that is slow has not served enough by then: it goes on until there were so many requests, at most so many seconds. */
  readonly warmUpMore: { readonly requests: number; readonly seconds: number };
  readonly full: number;
  readonly fixed: number;
  readonly slow: number;
}

const WARM_UP = { warmUp: 3, warmUpMore: { requests: 5000, seconds: 4 } };
export const DURATIONS: Durations = { ...WARM_UP, full: 3, fixed: 2, slow: 4 };
export const QUICK_DURATIONS: Durations = { ...WARM_UP, full: 2, fixed: 2, slow: 0 };

const CONNECTIONS = 16;
/** At a fixed rate a request that is due finds a connection as long as the server answers in time. */
const OPEN_CONNECTIONS = 64;
const SLOW_RATE = 100;
/** Whom the question is about what a quiet service pays. */
const SLOW: ReadonlySet<string> = new Set(['bare', 'kit', 'otel', 'dd-trace']);

/** One run of one variant. */
export interface Sample {
  /** ms until it listens, with an empty compile cache and with a filled one. */
  readonly start: { readonly cold: number; readonly warm: number };
  /** At the highest rate. */
  readonly full: { readonly perSecond: number; readonly cpuUs: number; readonly rssMb: number };
  /** At half of the bare app's highest rate. Latency in ms. */
  readonly fixed?: {
    readonly rate: number;
    readonly achieved: number;
    readonly p50: number;
    readonly p99: number;
    readonly cpuUs: number;
    readonly generatorBusy: number;
  };
  /** At 100 requests a second: per cent of a core, MB. */
  readonly slow?: { readonly cpuPercent: number; readonly rssMb: number };
  readonly requests: number;
  readonly failed: number;
  readonly received: Counts;
  /** It did not end by itself after SIGTERM. */
  readonly killed: boolean;
}

export interface RunOptions {
  readonly group: Group;
  readonly variant: Variant;
  /** Requests a second for the part at a fixed rate. */
  readonly rate: number;
  readonly durations: Durations;
  readonly around: Surroundings;
}

/** Runs a variant once: from an empty compile cache to its end by SIGTERM. */
export async function run({ group, variant, rate, durations, around }: RunOptions): Promise<Sample> {
  const compileCache = mkdtempSync(join(tmpdir(), 'o11y-kit-bench-'));
  const { path } = APPS[group.app];
  const ports = { sink: around.sinkPort, metrics: await freePort() };
  const page = variant.delivers.metrics === 'page' ? `http://127.0.0.1:${ports.metrics}/metrics` : undefined;
  const start = () => startApp({ group, variant, ports, compileCache, env: around.env });
  let app: App | undefined;
  try {
    // Node writes compiled code as a process ends.
    const first = await start();
    await first.stop();
    await ask(around.sink, 'clear');
    app = await start();
    const { port, listeningMs } = app;
    let failed = 0;
    failed += await warmUp({ port, path }, durations);
    await settled(app, around);

    const full = await costOf(app, around, async () => {
      const [result] = await Promise.all([
        loadFully({ port, path, seconds: durations.full, connections: CONNECTIONS }),
        scrapeAfter(page, durations.full / 2),
      ]);
      return result;
    });
    failed += full.result.failed;
    const rssMb = app.rssBytes() / 2 ** 20;

    let fixed: Sample['fixed'];
    if (group.full) {
      const cost = await costOf(app, around, async () => {
        const options = { port, path, seconds: durations.fixed, connections: OPEN_CONNECTIONS, rate };
        return (await Promise.all([loadAtRate(options), scrapeAfter(page, durations.fixed / 2)]))[0];
      });
      const { completed, seconds, p50, p99, busy } = cost.result;
      failed += cost.result.failed;
      fixed = { rate, achieved: completed / seconds, p50, p99, cpuUs: cost.cpuUs, generatorBusy: busy };
    }
    let slow: Sample['slow'];
    if (group.full && group.app === 'service' && durations.slow > 0 && SLOW.has(variant.name)) {
      const before = app.cpuMs();
      const began = performance.now();
      const options = { port, path, seconds: durations.slow, connections: OPEN_CONNECTIONS, rate: SLOW_RATE };
      const [{ failed: lost }] = await Promise.all([loadAtRate(options), scrapeAfter(page, durations.slow / 2)]);
      failed += lost;
      const cpuPercent = ((app.cpuMs() - before) / (performance.now() - began)) * 100;
      slow = { cpuPercent, rssMb: app.rssBytes() / 2 ** 20 };
    }

    await settled(app, around);
    const requests = await app.requests();
    const counted = page === undefined ? undefined : await countOnPage(page);
    const killed = await app.stop();
    app = undefined;
    const sent = await ask<Counts>(around.sink, 'count');
    const received = counted === undefined ? sent : { ...sent, requests: counted };
    const { completed, seconds } = full.result;
    return {
      start: { cold: first.listeningMs, warm: listeningMs },
      full: { perSecond: completed / seconds, cpuUs: full.cpuUs, rssMb },
      ...(fixed && { fixed }),
      ...(slow && { slow }),
      requests,
      failed,
      received,
      killed,
    };
  } finally {
    await app?.stop();
    rmSync(compileCache, { recursive: true, force: true });
  }
}

/** Returns how many requests failed. */
async function warmUp(app: { port: number; path: string }, { warmUp: seconds, warmUpMore }: Durations): Promise<number> {
  const first = await loadFully({ ...app, seconds, connections: CONNECTIONS });
  const missing = warmUpMore.requests - first.completed;
  if (missing <= 0) return first.failed;
  const more = Math.min(warmUpMore.seconds, Math.ceil((missing / Math.max(1, first.completed)) * seconds));
  return first.failed + (await loadFully({ ...app, seconds: more, connections: CONNECTIONS })).failed;
}

/** CPU time (µs) a request, of all threads, with what is still being exported when the load has ended. */
async function costOf<T>(app: App, around: Surroundings, load: () => Promise<T>): Promise<{ result: T; cpuUs: number }> {
  const [cpu, requests] = [app.cpuMs(), await app.requests()];
  const result = await load();
  const seen = (await app.requests()) - requests;
  await settled(app, around);
  return { result, cpuUs: ((app.cpuMs() - cpu) * 1000) / seen };
}

/** Waits until the app neither works nor sends, with a bound. */
async function settled(app: App, around: Surroundings): Promise<void> {
  const deadline = performance.now() + 4000;
  let quiet = 0;
  let cpu = app.cpuMs();
  let { exports } = await ask<{ exports: number }>(around.sink, 'exports');
  while (quiet < 3 && performance.now() < deadline) {
    await sleep(100);
    const cpuNow = app.cpuMs();
    const now = await ask<{ exports: number }>(around.sink, 'exports');
    quiet = cpuNow - cpu <= 10 && now.exports === exports ? quiet + 1 : 0;
    cpu = cpuNow;
    exports = now.exports;
  }
}

/** Metrics that are pulled cost something when they are pulled: once in each part, which is more often than usual. */
async function scrapeAfter(page: string | undefined, seconds: number): Promise<void> {
  if (page === undefined) return;
  await sleep(seconds * 1000);
  await scrape(page);
}

async function scrape(page: string): Promise<string> {
  const answer = await fetch(page, { headers: { accept: 'application/openmetrics-text' } });
  if (!answer.ok) throw new Error(`${page}: ${answer.status}`);
  return answer.text();
}

/** Requests that the page's histogram has counted. */
async function countOnPage(page: string): Promise<number> {
  const lines = (await scrape(page)).matchAll(new RegExp(`^${METRICS.httpServerDuration.name}_count(?:\\{.*\\})? (\\d+)`, 'gm'));
  let requests = 0;
  for (const [, count] of lines) requests += Number(count);
  return requests;
}
