import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from './test-reporter.ts';
import { root } from './tools.ts';

/** What became of one test file. A file that crashes, hangs or has no test counts as one failed test. */
export interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Outcome[];
  readonly seconds: number;
  /** All that the file and the runner said. */
  readonly output: string;
}

/** Longest output of a file that is kept. */
const MAX_OUTPUT = 1_000_000;

/** Process groups that run now. Ctrl-C does not reach them, because they are groups of their own. */
const running = new Set<number>();
process.once('exit', () => running.forEach(killGroup));
for (const [signal, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const])
  process.once(signal, () => process.exit(code));

/** Runs one test file in a process group of its own, and ends whatever it leaves behind. */
export async function runTestFile(file: string, options: { timeoutMs: number; scratch: string }): Promise<FileResult> {
  const folder = mkdtempSync(join(options.scratch, 'file-'));
  const outcomes = join(folder, 'outcomes.jsonl');
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${join(root, 'scripts/test-reporter.ts')}`,
      `--test-reporter-destination=${outcomes}`,
      file,
    ],
    { cwd: root, env: environment(folder), stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  running.add(child.pid!);
  let output = '';
  const collect = (chunk: Buffer): void => {
    if (output.length < MAX_OUTPUT) output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);

  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid!);
  }, options.timeoutMs);
  // 'exit', not 'close': a process that the file left behind may hold the pipes.
  const code = await new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
  clearTimeout(timer);
  const leftBehind = !timedOut && (await groupAlive(child.pid!));
  if (leftBehind) killGroup(child.pid!);
  running.delete(child.pid!);

  const tests = read(outcomes);
  rmSync(folder, { recursive: true, force: true });
  const of = (result: Outcome['result']) => tests.filter((test) => test.result === result);
  const faults = [
    timedOut && `not finished after ${options.timeoutMs / 1000} s; ended`,
    leftBehind && 'left processes running; ended them',
    !timedOut && code !== 0 && of('failed').length === 0 && `ended with exit code ${code}`,
    !timedOut && code === 0 && tests.length === 0 && 'ran no test',
  ].filter((fault) => fault !== false);
  return {
    file,
    passed: of('passed').length,
    failed: of('failed').length + faults.length,
    skipped: of('skipped'),
    seconds: (performance.now() - startedAt) / 1000,
    output: output + faults.map((fault) => `\n${file}: ${fault}`).join(''),
  };
}

/** The caller's environment without settings of the kit, and with a state folder that no other run shares. */
function environment(folder: string): NodeJS.ProcessEnv {
  const state = join(folder, 'state');
  mkdirSync(state);
  const kept = Object.entries(process.env).filter(([name]) => !/^(OTEL_|O11Y_|NODE_OPTIONS$|NODE_TEST_CONTEXT$)/.test(name));
  return { ...Object.fromEntries(kept), XDG_STATE_HOME: state };
}

function read(path: string): Outcome[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  } catch {
    return []; // The process ended before the reporter wrote anything, or in the middle of a line.
  }
}

/** Whether a process of the group still runs after the moment that a killed child takes to end, on a busy machine too. */
async function groupAlive(pid: number): Promise<boolean> {
  for (let n = 0; n < 100; n += 1) {
    try {
      process.kill(-pid, 0);
    } catch {
      return false;
    }
    await sleep(50);
  }
  return true;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
