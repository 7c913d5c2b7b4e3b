import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const checkout = join(import.meta.dirname, '..');
const preload = pathToFileURL(join(checkout, '../../dist/preload.mjs')).href;

/** Lines of a service's output that are kept for the message when it fails. */
const KEPT_LINES = 40;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One running service of the example. */
export interface Service {
  readonly name: string;
  /** Where it answers, e.g. `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Exit>;
  /** Its last lines on stdout and stderr. */
  output(): readonly string[];
  /** SIGTERM, then SIGKILL if it has not ended after `timeoutMs`. */
  stop(timeoutMs?: number): Promise<Exit>;
}

export interface ServiceOptions {
  /** Folder of the service; its `package.json` names the entry file's folder and thereby the service. */
  readonly name: 'gateway' | 'orders' | 'payments';
  readonly entry: string;
  readonly env: NodeJS.ProcessEnv;
  /** The Node.js binary; this process's own by default. */
  readonly node?: string;
  readonly startTimeoutMs?: number;
}

/**
 * Starts a service with the preload, on a port that the system chooses, and waits until it says where it listens.
 * Rejects with the service's output if it ends first or does not listen in time.
 */
export async function startService({
  name,
  entry,
  env,
  node = process.execPath,
  startTimeoutMs = 30_000,
}: ServiceOptions): Promise<Service> {
  const child = spawn(node, ['--import', preload, entry], {
    cwd: join(checkout, name),
    env: { ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C in a terminal reaches the whole process group; the services are ended in order by `stop`.
    detached: process.platform !== 'win32',
  });
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  child.once('exit', () => process.removeListener('exit', onExit));
  const lines: string[] = [];
  const ended = new Promise<Exit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  const listening = new Promise<string>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${name} ${why}. Its output:\n${lines.join('\n') || '(none)'}`));
    const timer = setTimeout(() => fail(`did not listen within ${startTimeoutMs} ms`), startTimeoutMs);
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    ended.then(({ code, signal }) => fail(`ended (${signal ?? `exit code ${code}`}) before it listened`));
    const onLine = (line: string) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      const address = /listening (?:on|at) (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (!address) return;
      clearTimeout(timer);
      resolve(address);
    };
    createInterface({ input: child.stdout! }).on('line', onLine);
    createInterface({ input: child.stderr! }).on('line', onLine);
  });
  try {
    const url = await listening;
    return { name, url, ended, output: () => lines, stop: (timeoutMs) => stop(child, ended, timeoutMs) };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** The three services, each told where the next one is. Ends those already started if one fails. */
export async function startServices(env: NodeJS.ProcessEnv, seed: number): Promise<Service[]> {
  const started: Service[] = [];
  try {
    started.push(await startService({ name: 'payments', entry: 'server.ts', env: { ...env, SEED: String(seed) } }));
    started.push(await startService({ name: 'orders', entry: 'server.js', env: { ...env, PAYMENTS_URL: started[0].url } }));
    started.push(await startService({ name: 'gateway', entry: 'server.js', env: { ...env, ORDERS_URL: started[1].url } }));
    return started.reverse();
  } catch (error) {
    await Promise.all(started.map((service) => service.stop()));
    throw error;
  }
}

async function stop(child: ChildProcess, ended: Promise<Exit>, timeoutMs = 10_000): Promise<Exit> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
  }
}
