import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Group, nodeBinary, type Ports, type Variant } from './catalog.ts';
import { cache, folderOf } from './install.ts';
import { ask, cpuMs, end, onCore, rssBytes, SERVER_CORE } from './process.ts';

/** How long an app may take to deliver and to end. OpenTelemetry's own bound is 30 s for each signal. */
const PATIENCE_MS = 15_000;

export interface App {
  readonly port: number;
  /** From before the process was made until it listened. */
  readonly listeningMs: number;
  /** CPU time so far, user and system, all threads. */
  cpuMs(): number;
  rssBytes(): number;
  /** Requests that the app's handler has seen. */
  requests(): Promise<number>;
  /** SIGTERM. Says whether it had to be killed after {@link PATIENCE_MS}. */
  stop(): Promise<boolean>;
}

export interface AppOptions {
  readonly group: Pick<Group, 'app' | 'module' | 'node'>;
  readonly variant: Variant;
  readonly ports: Ports;
  readonly env: Readonly<Record<string, string>>;
  /** Where Node keeps compiled code. */
  readonly compileCache: string;
}

/** @throws if it ends before it listens; the message has the end of its stderr. */
export async function startApp({ group, variant, ports, env, compileCache }: AppOptions): Promise<App> {
  const folder = folderOf(variant);
  const entry = join('apps', `${group.app}.${group.module === 'esm' ? 'mjs' : 'cjs'}`);
  const [command, args] = onCore(SERVER_CORE, nodeBinary(group.node), [...variant.flags[group.module], entry]);
  mkdirSync(join(cache, 'logs'), { recursive: true });
  const log = join(cache, 'logs', `${variant.name}-${group.app}-${group.module}-node${group.node}.log`);
  const stderr = openSync(log, 'w');
  const before = performance.timeOrigin + performance.now();
  const child = spawn(command, args, {
    cwd: folder,
    // Nothing of the caller's own telemetry settings comes through.
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_ENV: 'production',
      NODE_COMPILE_CACHE: compileCache,
      ...env,
      ...variant.env(ports),
    },
    stdio: ['ignore', 'ignore', stderr, 'ipc'],
  });
  closeSync(stderr);
  try {
    const { port, at } = await ask<{ port: number; at: number }>(child);
    const pid = child.pid!;
    return {
      port,
      listeningMs: at - before,
      cpuMs: () => cpuMs(pid),
      rssBytes: () => rssBytes(pid),
      requests: async () => (await ask<{ requests: number }>(child, 'count')).requests,
      stop: () => end(child, PATIENCE_MS),
    };
  } catch (error) {
    await discard(child);
    throw new Error(`${variant.name} ${entry}: ${(error as Error).message}: ${readFileSync(log, 'utf8').trim().slice(-600)}`);
  }
}

async function discard(child: ChildProcess): Promise<void> {
  await end(child, 0);
}
