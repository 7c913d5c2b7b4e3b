import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Trouble } from '../command.ts';
import { forward } from '../signals.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** What a call of `docker` gave. */
export interface Answer {
  /** Its exit code; 127 where there is no such program. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A daemon that is just starting may hold its client for ever. */
const TIMEOUT_MS = 30_000;
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * Calls `docker` and takes what it prints.
 *
 * @throws {Trouble} if it does not end in time
 */
export function docker(args: readonly string[], env: Env, timeoutMs = TIMEOUT_MS): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = start(args, env, ['ignore', 'pipe', 'pipe']);
    let out = '';
    let err = '';
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      if (out.length < MOST_BYTES) out += chunk;
    });
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      if (err.length < MOST_BYTES) err += chunk;
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      // A grandchild may hold the pipes open: its end is not waited for.
      reject(
        new Trouble(
          `Docker does not answer: \`docker ${args.slice(0, 3).join(' ')}\` took more than ${timeoutMs / 1000} s. ` +
            'Is it just starting? Try again, or restart it.',
        ),
      );
    }, timeoutMs);
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve({ code: error.code === 'ENOENT' ? 127 : 126, out, err: error.message });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, out, err });
    });
  });
}

/**
 * Calls `docker` with its progress on this terminal's stderr; signals are handed on to it.
 *
 * @returns its exit code, by the shell's convention where a signal ended it
 */
export function dockerShown(args: readonly string[], env: Env): Promise<number> {
  return new Promise((resolve) => {
    // What it has to say goes to stderr, progress included; stdout stays for what the command itself prints.
    const child = start(args, env, ['ignore', process.stderr, process.stderr]);
    const stop = forward(child);
    child.on('error', () => {
      stop();
      resolve(127);
    });
    child.on('exit', (code, signal) => {
      stop();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

function start(args: readonly string[], env: Env, stdio: ('ignore' | 'pipe' | NodeJS.WriteStream)[]): ChildProcess {
  return spawn('docker', args, { stdio, env: withoutCompose(env), windowsHide: true });
}

/** Files, profiles and project are named on the command line: those of another project must not mix in. */
function withoutCompose(env: Env): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !/^COMPOSE_(FILE|PROFILES|PROJECT_NAME|ENV_FILES|PATH_SEPARATOR|REMOVE_ORPHANS|IGNORE_ORPHANS)$/.test(name),
    ),
  );
}
