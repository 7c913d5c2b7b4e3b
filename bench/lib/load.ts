import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../test/support/needs.ts';
import type { LoadOptions, LoadResult } from './generator.ts';
import { ask, helper, LOAD_CORE, onCore } from './process.ts';

const wrk = findProgram('wrk');
/** What makes the load at the highest rate; wrk has no fixed rate. */
export const generator = wrk === undefined ? 'its own generator' : 'wrk';

/** As many requests a second as the server answers. */
export async function loadFully(
  options: Omit<LoadOptions, 'rate'>,
): Promise<{ completed: number; seconds: number; failed: number }> {
  if (wrk === undefined) return loadAtRate(options);
  const { port, path, seconds, connections } = options;
  const url = `http://127.0.0.1:${port}${path}`;
  const [command, args] = onCore(LOAD_CORE, wrk, ['-t1', `-c${connections}`, `-d${seconds}s`, url]);
  const { stdout } = await promisify(execFile)(command, args, { timeout: seconds * 1000 + 30_000 });
  return readWrk(stdout);
}

/** With its own generator; without a rate as fast as it can. */
export async function loadAtRate(options: LoadOptions): Promise<LoadResult> {
  const child = helper(join(import.meta.dirname, 'load-process.ts'), [JSON.stringify(options)]);
  const ended = once(child, 'exit');
  try {
    return await ask<LoadResult>(child);
  } finally {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
  }
}

/** @throws if it is not wrk's report. */
export function readWrk(report: string): { completed: number; seconds: number; failed: number } {
  const [, completed, time, unit] = /(\d+) requests in ([\d.]+)(ms|s|m)\b/.exec(report) ?? [];
  if (completed === undefined) throw new Error(`wrk said: ${report.slice(0, 500)}`);
  const seconds = Number(time) * { ms: 0.001, s: 1, m: 60 }[unit as 'ms' | 's' | 'm'];
  const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(report)?.[1] ?? 0);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(report)?.slice(1).map(Number) ?? [];
  return { completed: Number(completed) - bad, seconds, failed: errors.reduce((sum, count) => sum + count, bad) };
}
