import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { TestViewer } from '../../viewer/testing.ts';
import { until } from '../support/until.ts';

export const serversFolder = join(import.meta.dirname, 'servers');
const preload = pathToFileURL(join(import.meta.dirname, '../../dist/preload.mjs')).href;

/** Installs the published servers, once for each state of their lock file; files that run side by side wait for it. */
export async function installServers(): Promise<void> {
  const stamp = join(serversFolder, 'node_modules/.installed');
  const state = createHash('sha256')
    .update(readFileSync(join(serversFolder, 'package-lock.json')))
    .digest('hex');
  const installed = () => readOrEmpty(stamp) === state;
  if (installed()) return;
  const lock = join(tmpdir(), `o11y-kit-servers-${state.slice(0, 16)}.lock`);
  const mine = await until('another test file to install the servers', () => installed() || acquire(lock), {
    timeoutMs: 240_000,
  });
  if (mine !== 'mine') return;
  try {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--engine-strict=false'];
    const { status, stderr } = spawnSync('npm', args, { cwd: serversFolder, encoding: 'utf8', timeout: 220_000 });
    if (status !== 0) throw new Error(`npm ci in test/programs/servers ended with ${status}:\n${stderr}`);
    writeFileSync(stamp, state);
  } finally {
    rmSync(lock, { recursive: true });
  }
}

export interface Program {
  /** Lines of stdout and stderr so far. */
  readonly lines: string[];
  /** The program's own lines that are JSON objects. */
  json(): Record<string, any>[];
  /** SIGTERM; resolves with the exit code, or the signal that ended it. */
  stop(): Promise<number | string | null>;
}

export interface ProgramOptions {
  /** Path of the script below `node_modules`. */
  readonly script: string;
  readonly args: readonly string[];
  /** The service's name; the kit takes it from the program's own package.json where absent. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly viewer: TestViewer;
  /** A line that says that the program listens. */
  readonly listening: RegExp;
}

/** Starts a published server with the preload and waits until it says that it listens. */
export async function startProgram({ script, args, env, cwd, viewer, listening }: ProgramOptions): Promise<Program> {
  const child = spawn(process.execPath, ['--import', preload, join(serversFolder, 'node_modules', script), ...args], {
    cwd,
    env: { ...process.env, HOME: cwd, ...env, OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const ended = new Promise<number | string | null>((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  const program: Program = {
    lines,
    json: () => lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)),
    stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      return ended.finally(() => clearTimeout(timer));
    },
  };
  try {
    await until(`${script} to listen`, () => {
      if (child.exitCode !== null) throw new Error(`It ended with exit code ${child.exitCode}`);
      return lines.some((line) => listening.test(line));
    });
  } catch (error) {
    await program.stop();
    throw new Error(`${script} did not start. Its output:\n${lines.join('\n')}`, { cause: error });
  }
  return program;
}

/** The metrics page of a service, from where its own telemetry says that it is. */
export async function metricsPage(viewer: TestViewer, service: string): Promise<string> {
  const [span] = await viewer.waitForSpans({ service }, { timeout: 15_000 });
  const response = await fetch(String(span.resource['o11y.metrics.url']));
  return response.text();
}

/** A folder for one test file; give it to `rmSync` at the end. */
export function scratchFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `o11y-kit-${name}-`));
}

function acquire(lock: string): 'mine' | false {
  try {
    mkdirSync(lock);
    return 'mine';
  } catch {
    return false;
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
