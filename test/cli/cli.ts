import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { until } from '../support/until.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');

/** A test that fails must not leave a viewer behind. */
const started = new Set<ChildProcess>();
after(() => {
  for (const child of started) child.kill('SIGKILL');
});

export interface Running {
  child: ChildProcess;
  /** What it has printed so far. */
  readonly out: string;
  readonly err: string;
  /** Its exit code, or the name of the signal that ended it. */
  ended: Promise<number | string>;
  /** Waits for a text on either output. */
  says(text: string | RegExp): Promise<string>;
}

/** Starts the command line from its sources, with a state folder of its own. */
export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', XDG_STATE_HOME: mkdtempSync(join(tmpdir(), 'cli-state-')), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  const printed = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (printed.out += chunk));
  child.stderr.on('data', (chunk) => (printed.err += chunk));
  const ended = new Promise<number | string>((resolve) =>
    child.on('close', (code, signal) => {
      started.delete(child);
      resolve(code ?? signal ?? '');
    }),
  );
  return {
    child,
    ended,
    get out() {
      return printed.out;
    },
    get err() {
      return printed.err;
    },
    says: (text) =>
      until(`${text} of: ${args.join(' ')}`, () => {
        const all = printed.out + printed.err;
        return (typeof text === 'string' ? all.includes(text) : text.test(all)) && all;
      }),
  };
}

/** Runs the command line to its end. */
export async function run(args: readonly string[], env?: Record<string, string>) {
  const running = start(args, env);
  const code = await running.ended;
  return { code, out: running.out, err: running.err };
}
