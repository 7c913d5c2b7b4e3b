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

const CONNECTIONS = 16;
/** At a fixed rate a request that is due finds a connection as long as the server answers in time. */
const OPEN_CONNECTIONS = 64;
const SLOW_RATE = 100;
const SINK_PATIENCE_MS = 5000;

/** From before a process was made until it listened, in ms: with an empty compile cache, and with the one that it left. */
export interface Start {
  readonly cold: number;
  readonly warm: number;
}

/** A turn at the highest rate. */
export interface Full {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly rssMb: number;
}

/** A turn at half of the bare app's highest rate. Latency in ms. */
export interface Fixed {
  readonly rate: number;
  readonly achieved: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuUs: number;
  readonly generatorBusy: number;
}

/** A turn at 100 requests a second: per cent of a core, MB. */
export interface Slow {
  readonly cpuPercent: number;
  readonly rssMb: number;
}

/** What became of a measured process, from its first request to its end. */
export interface Life {
  readonly requests: number;
  readonly failed: number;
  readonly received: Counts;
  /** It did not end by itself after SIGTERM. */
  readonly killed: boolean;
}

/** A process that is measured. It waits while others have their turns. */
export interface Living {
  /** Returns how many requests were answered. */
  warmUp(seconds: number): Promise<number>;
  full(seconds: number): Promise<Full>;
  /** @param rate requests a second */
  fixed(seconds: number, rate: number): Promise<Fixed>;
  slow(seconds: number): Promise<Slow>;
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

/** Starts and ends two processes, the first with an empty compile cache. */
export async function startTwice({ group, variant, around }: Subject): Promise<Start> {
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

/** Starts a process, and a sink for it alone: what others send must not look like its own. */
export async function live({ group, variant, around }: Subject): Promise<Living> {
  await using started = new AsyncDisposableStack();
  const compileCache = mkdtempSync(join(tmpdir(), 'o11y-kit-bench-'));
  started.defer(() => rmSync(compileCache, { recursive: true, force: true }));
  const sink = await startSink();
  started.defer(async () => void (await end(sink.process, SINK_PATIENCE_MS)));
  const ports = { sink: sink.port, metrics: await freePort() };
  const app = await startApp({ group, variant, ports, compileCache, env: around.env });
  started.defer(async () => void (await app.stop()));

  const to = { port: app.port, path: APPS[group.app].path };
  const page = variant.delivers.metrics === 'page' ? `http://127.0.0.1:${ports.metrics}/metrics` : undefined;
  const rssMb = () => app.rssBytes() / 2 ** 20;
  let failed = 0;
  const fully = async (seconds: number) => {
    const result = await loadFully({ ...to, seconds, connections: CONNECTIONS });
    failed += result.failed;
    return result;
  };
  const atRate = async (seconds: number, rate: number) => {
    const result = await loadAtRate({ ...to, seconds, connections: OPEN_CONNECTIONS, rate });
    failed += result.failed;
    return result;
  };

  const all = started.move();
  return {
    async warmUp(seconds) {
      const { completed } = await scraped(page, seconds, fully(seconds));
      await settled(app, sink.process);
      return completed;
    },
    async full(seconds) {
      const { result, cpuUs } = await costOf(app, sink.process, () => scraped(page, seconds, fully(seconds)));
      return { perSecond: result.completed / result.seconds, cpuUs, rssMb: rssMb() };
    },
    async fixed(seconds, rate) {
      const { result, cpuUs } = await costOf(app, sink.process, () => scraped(page, seconds, atRate(seconds, rate)));
      const { inTime, p50, p99, busy } = result;
      return { rate, achieved: inTime / result.seconds, p50, p99, cpuUs, generatorBusy: busy };
    },
    async slow(seconds) {
      const cpu = app.cpuMs();
      const result = await scraped(page, seconds, atRate(seconds, SLOW_RATE));
      return { cpuPercent: (app.cpuMs() - cpu) / result.seconds / 10, rssMb: rssMb() };
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

/** Metrics that are pulled cost something when they are pulled: once in each turn, which is far more often than usual. */
async function scraped<T>(page: string | undefined, seconds: number, load: Promise<T>): Promise<T> {
  const halfway = async () => {
    await sleep((seconds * 1000) / 2);
    if (page !== undefined) await scrape(page);
  };
  return (await Promise.all([load, halfway()]))[0];
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
