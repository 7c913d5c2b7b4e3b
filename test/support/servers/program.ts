import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../until.ts';

/** A server program of our own on a free port, in a folder that goes with it. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  /** Ends it for good, with its folder. */
  stop(): Promise<void>;
  /** It hangs: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** It dies, as by a power cut; {@link restart} brings it back. */
  kill(): Promise<void>;
  /** Brings it back on the same port with the same data. */
  restart(): Promise<void>;
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly port: number;
  /** The signal that ends it in order. */
  readonly signal?: NodeJS.Signals;
  readonly user?: { uid: number; gid: number };
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whether it serves by now; a throw counts as "not yet". */
  answers(): Promise<boolean> | boolean;
}

/** Starts a server and waits until it answers. */
export async function startProgram(program: Program): Promise<Server> {
  const { command, args, cwd, port, signal = 'SIGTERM', user, env, answers } = program;
  let child: ChildProcess;
  let output = '';

  async function start(): Promise<void> {
    // A group of its own: some servers are several processes, which hang and die together.
    child = spawn(command, args, { ...user, cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-4000)));
    const failed = once(child, 'exit').then(() => {
      throw new Error(`${command} ended with ${child.exitCode ?? child.signalCode}: ${output}`);
    });
    const up = until(`an answer of ${command}`, answers, { timeoutMs: 60_000 });
    // Whichever loses must not be an unhandled rejection.
    failed.catch(() => {});
    up.catch(() => {});
    await Promise.race([up, failed]);
  }

  function send(what: NodeJS.Signals): void {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, what);
    } catch {
      // It is gone.
    }
  }

  async function end(what: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    send('SIGCONT');
    if (what === 'SIGKILL') send(what);
    else child.kill(what);
    const timer = setTimeout(() => send('SIGKILL'), 10_000);
    await exited;
    clearTimeout(timer);
  }

  async function stop(): Promise<void> {
    await end(signal);
    send('SIGKILL');
    rmSync(cwd, { recursive: true, force: true, maxRetries: 5 });
  }

  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    stop,
    pause: () => send('SIGSTOP'),
    resume: () => send('SIGCONT'),
    kill: () => end('SIGKILL'),
    restart: start,
    [Symbol.asyncDispose]: stop,
  };
}

/** Whether something listens there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      resolve(true);
      socket.destroy();
    }).once('error', () => resolve(false));
  });
}

/** A folder of the test's own that belongs to `user`. */
export function serverFolder(name: string, user?: { uid: number; gid: number }): string {
  const folder = mkdtempSync(join(tmpdir(), `o11y-kit-${name}-`));
  if (user) chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
  return folder;
}

/** For servers that refuse to run as root: the first of these users that the machine has; undefined where we are not root. */
export function unprivileged(...names: string[]): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of [...names, 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim() || Number.NaN),
    );
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid, gid };
  }
  throw new Error(`there is no user ${[...names, 'nobody'].join(' or ')} to run a server as`);
}
