import type { ChildProcess } from 'node:child_process';
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
import { ask, end } from './process.ts';
import { type Surroundings, startSink } from './surroundings.ts';

/** How long each part of a run takes, in seconds. */
export interface Durations {
  /** Until so many requests were answered, at most so many seconds. */
  readonly warmUp: { readonly requests: number; readonly seconds: number };
  readonly full: number;
  readonly fixed: number;
  readonly slow: number;
}

/**
 * V8 gives a function its best code after so many calls, most of those that run once a request after some ten thousand
 * (`--trace-opt`), and then compiles for some seconds: before that one measures its compiler, and slower code than a service
 * has for the rest of its life. The same number for all, because a variant that answers half as fast needs twice the time.
 */
const WARM_UP = { requests: 40_000, seconds: 20 };
/** Seconds of load between two looks at how many were answered. */
const WARM_UP_STEP = 2;
export const DURATIONS: Durations = { warmUp: WARM_UP, full: 2, fixed: 2, slow: 4 };
export const QUICK_DURATIONS: Durations = { warmUp: WARM_UP, full: 2, fixed: 2, slow: 0 };

const CONNECTIONS = 16;
/** At a fixed rate a request that is due finds a connection as long as the server answers in time. */
const OPEN_CONNECTIONS = 64;
const SLOW_RATE = 100;
const SINK_PATIENCE_MS = 5000;

/** What a round measures of one variant. */
export interface Sample {
  /** ms until a process of its own listens, with an empty compile cache and with a filled one. */
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
}

/** What became of a measured process, from its start to its end. */
export interface Life {
  readonly requests: number;
  readonly failed: number;
  readonly received: Counts;
  /** It did not end by itself after SIGTERM. */
  readonly killed: boolean;
}

/** A process that is measured, warm. It waits for its turn while others have theirs. */
export interface Living {
  full(seconds: number): Promise<Sample['full']>;
  /** @param rate requests a second */
  fixed(seconds: number, rate: number): Promise<NonNullable<Sample['fixed']>>;
  slow(seconds: number): Promise<NonNullable<Sample['slow']>>;
  /** Ends it by SIGTERM, and counts what arrived. */
  end(): Promise<Life>;
  /** Ends it, if it has not ended. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Subject {
  readonly group: Group;
  readonly variant: Variant;
  readonly around: Surroundings;
}

/** Starts and ends two processes, the first from an empty compile cache. */
export async function startTwice({ group, variant, around }: Subject): Promise<Sample['start']> {
  const compileCache = mkdtempSync(join(tmpdir(), 'o11y-kit-bench-'));
  try {
    const once = async () => {
      const ports = { sink: around.sinkPort, metrics: await freePort() };
      const app = await startApp({ group, variant, ports, compileCache, env: around.env });
      // Node writes compiled code as a process ends.
      await app.stop();
      return app.listeningMs;
    };
    return { cold: await once(), warm: await once() };
  } finally {
    rmSync(compileCache, { recursive: true, force: true });
  }
}

/** Starts a process with a sink of its own and warms it up. */
export async function live({ group, variant, around }: Subject, warmth: Durations['warmUp']): Promise<Living> {
  await using started = new AsyncDisposableStack();
  const compileCache = mkdtempSync(join(tmpdir(), 'o11y-kit-bench-'));
  started.defer(() => rmSync(compileCache, { recursive: true, force: true }));
  const sink = await startSink();
  started.defer(async () => void (await end(sink.process, SINK_PATIENCE_MS)));
  const ports = { sink: sink.port, metrics: await freePort() };
  const app = await startApp({ group, variant, ports, compileCache, env: around.env });
  started.defer(async () => void (await app.stop()));

  const { path } = APPS[group.app];
  const to = { port: app.port, path };
  const page = variant.delivers.metrics === 'page' ? `http://127.0.0.1:${ports.metrics}/metrics` : undefined;
  let failed = await warmUp(to, warmth);
  await settled(app, sink.process);

  const atRate = async (rate: number, seconds: number) => {
    const options = { ...to, seconds, connections: OPEN_CONNECTIONS, rate };
    const [result] = await Promise.all([loadAtRate(options), scrapeAfter(page, seconds / 2)]);
    failed += result.failed;
    return result;
  };
  const rssMb = () => app.rssBytes() / 2 ** 20;
  const all = started.move();
  return {
    async full(seconds) {
      const { result, cpuUs } = await costOf(app, sink.process, async () => {
        const load = loadFully({ ...to, seconds, connections: CONNECTIONS });
        return (await Promise.all([load, scrapeAfter(page, seconds / 2)]))[0];
      });
      failed += result.failed;
      return { perSecond: result.completed / result.seconds, cpuUs, rssMb: rssMb() };
    },
    async fixed(seconds, rate) {
      const { result, cpuUs } = await costOf(app, sink.process, () => atRate(rate, seconds));
      const { completed, p50, p99, busy } = result;
      return { rate, achieved: completed / result.seconds, p50, p99, cpuUs, generatorBusy: busy };
    },
    async slow(seconds) {
      const [cpu, began] = [app.cpuMs(), performance.now()];
      await atRate(SLOW_RATE, seconds);
      return { cpuPercent: ((app.cpuMs() - cpu) / (performance.now() - began)) * 100, rssMb: rssMb() };
    },
    async end() {
      await settled(app, sink.process);
      const requests = await app.requests();
      const counted = page === undefined ? undefined : await countOnPage(page);
      const killed = await app.stop();
      const sent = await ask<Counts>(sink.process, 'count');
      return { requests, failed, received: counted === undefined ? sent : { ...sent, requests: counted }, killed };
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Returns how many requests failed. */
async function warmUp(app: { port: number; path: string }, { requests, seconds }: Durations['warmUp']): Promise<number> {
  let [answered, failed] = [0, 0];
  for (let spent = 0; answered < requests && spent < seconds; spent += WARM_UP_STEP) {
    const step = await loadFully({ ...app, seconds: WARM_UP_STEP, connections: CONNECTIONS });
    answered += step.completed;
    failed += step.failed;
  }
  return failed;
}

/** CPU time (µs) a request, of all threads, with what is still being exported when the load has ended. */
async function costOf<T>(app: App, sink: ChildProcess, load: () => Promise<T>): Promise<{ result: T; cpuUs: number }> {
  const [cpu, requests] = [app.cpuMs(), await app.requests()];
  const result = await load();
  const seen = (await app.requests()) - requests;
  await settled(app, sink);
  return { result, cpuUs: ((app.cpuMs() - cpu) * 1000) / seen };
}

/** Waits until the app neither works nor sends, with a bound. */
async function settled(app: App, sink: ChildProcess): Promise<void> {
  const deadline = performance.now() + 4000;
  let quiet = 0;
  let cpu = app.cpuMs();
  let { exports } = await ask<{ exports: number }>(sink, 'exports');
  while (quiet < 3 && performance.now() < deadline) {
    await sleep(100);
    const cpuNow = app.cpuMs();
    const now = await ask<{ exports: number }>(sink, 'exports');
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
