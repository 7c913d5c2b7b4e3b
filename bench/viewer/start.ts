import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs, rssBytes } from '../lib/process.ts';
import { loadPage, startCli } from './cli.ts';

/** After this long without a request it counts as idle. */
const IDLE_MS = 2000;

export interface Start {
  /** From before the process is made until the page and all its files have been answered. */
  readyMs: number;
  /** CPU time of the viewer's process until then. */
  cpuMs: number;
  /** The same Node with an empty program, from before the process is made until it has ended. */
  bareMs: number;
  /** Resident, {@link IDLE_MS} after the page was served. */
  idleBytes: number;
}

/** Pairs of a start and a bare one right before or after it, on files that are in the page cache. */
export async function measureStarts(rounds: number): Promise<Start[]> {
  // The first pair warms the disk's cache, and this process's own HTTP client.
  await viewer(0);
  await bare();
  const starts: Start[] = [];
  for (let round = 0; round < rounds; round++) {
    const bareFirst = round % 2 === 0 ? await bare() : undefined;
    const served = await viewer(IDLE_MS);
    starts.push({ ...served, bareMs: bareFirst ?? (await bare()) });
  }
  return starts;
}

async function viewer(idleMs: number): Promise<Omit<Start, 'bareMs'>> {
  const before = performance.now();
  const running = await startCli();
  try {
    await loadPage(running.url);
    const readyMs = performance.now() - before;
    const cpu = cpuMs(running.pid);
    await sleep(idleMs);
    return { readyMs, cpuMs: cpu, idleBytes: rssBytes(running.pid) };
  } finally {
    await running.stop();
  }
}

async function bare(): Promise<number> {
  const before = performance.now();
  const child = spawn(process.execPath, ['-e', '0'], { env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child, 'exit');
  return performance.now() - before;
}
