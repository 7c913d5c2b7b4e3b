import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { findProgram } from '../../test/support/needs.ts';

/** The server has a core to itself; everything else (load, sink, database) shares the other. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

const taskset = findProgram('taskset');
export const pinned = taskset !== undefined && availableParallelism() > 1;

/** A command that runs on one core, where that can be had. */
export function onCore(core: number, command: string, args: readonly string[]): [string, string[]] {
  return pinned ? [taskset as string, ['-c', String(core), command, ...args]] : [command, [...args]];
}

/** Starts one of the bench's own processes, on the core of the load. */
export function helper(file: string, args: readonly string[] = []): ChildProcess {
  const [command, argv] = onCore(LOAD_CORE, process.execPath, [file, ...args]);
  return spawn(command, argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { ...process.env, NODE_OPTIONS: '' } });
}

/** Sends a message, and waits for the next one that comes back; rejects if the process ends instead, or after 30 s. */
export async function ask<T>(child: ChildProcess, message?: string): Promise<T> {
  const stop = new AbortController();
  try {
    const { signal } = stop;
    const answer = once(child, 'message', { signal }) as Promise<[T]>;
    const ended = once(child, 'exit', { signal }).then(([code, by]) => {
      throw new Error(`the process ended (${by ?? code})`);
    });
    const late = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer for 30 s')), 30_000);
      signal.addEventListener('abort', () => clearTimeout(timer));
    });
    for (const promise of [answer, ended]) promise.catch(() => {});
    if (message !== undefined) child.send(message);
    return (await Promise.race([answer, ended, late]))[0];
  } finally {
    stop.abort();
  }
}

/** Ends a process: asks, waits that long, insists. Says whether it had to insist. */
export async function end(child: ChildProcess, patienceMs: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return false;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  let killed = false;
  const timer = setTimeout(() => {
    killed = true;
    child.kill('SIGKILL');
  }, patienceMs);
  await ended;
  clearTimeout(timer);
  return killed;
}

/** Linux's USER_HZ: `/proc` counts CPU time in hundredths of a second on every architecture that Node runs on. */
const TICK_MS = 10;

/** CPU time (user + system, ms) of a process, all of its threads, from the text of `/proc/PID/stat`. */
export function cpuOfStat(stat: string): number {
  // The name stands in parentheses and may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

export function cpuMs(pid: number): number {
  return cpuOfStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** Resident memory in bytes. */
export function rssBytes(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb) * 1024;
}
