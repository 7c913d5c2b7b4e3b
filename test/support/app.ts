import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from './until.ts';

const dist = join(import.meta.dirname, '../../dist');

/** The built preload by the flag that loads it. */
const PRELOADS = {
  import: ['--import', pathToFileURL(join(dist, 'preload.mjs')).href],
  require: ['--require', join(dist, 'preload.cjs')],
} as const;

export interface AppOptions {
  /** What follows `node` and the flag of the preload: flags, the app's file and its arguments. */
  readonly args: readonly string[];
  /** The Node.js binary; by default the one that runs the test. */
  readonly node?: string;
  /** The flag that loads the preload, `--import` by default; with false the app runs bare. */
  readonly preload?: keyof typeof PRELOADS | false;
  /** Base address of the OTLP receiver; without one nothing listens where the app sends to. */
  readonly endpoint?: string;
  /** Nothing else of the test's environment reaches the app but PATH. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** What to wait for on stdout: by default `LISTEN <port>`; false returns at once. */
  readonly ready?: RegExp | false;
}

/** How a process ended: `code` or `signal`, as Node gives them. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface App extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Of `LISTEN <port>`; 0 where the app was not waited for. */
  readonly port: number;
  readonly exited: Promise<Exit>;
  stdout(): string;
  stderr(): string;
  /** The lines of stdout that are JSON objects. */
  json(): Record<string, any>[];
  /** Base address of `/metrics` and `/health`, from the file that the app leaves for Prometheus. */
  adminUrl(): Promise<string>;
  /** The page of `/metrics`. */
  metrics(accept?: string): Promise<string>;
  kill(signal?: NodeJS.Signals): Promise<Exit>;
}

/**
 * Starts an app as its user would, in a process of its own with the built preload, and waits until it listens.
 *
 * @throws if it ends or stays silent instead; the message holds all that it wrote.
 * @example
 * await using app = await spawnApp({ args: ['server.js'], endpoint: viewer.url });
 * await fetch(`http://127.0.0.1:${app.port}/`);
 */
export async function spawnApp(options: AppOptions): Promise<App> {
  const {
    args,
    node = process.execPath,
    preload = 'import',
    endpoint = 'http://127.0.0.1:9',
    env,
    cwd,
    ready = /LISTEN (\d+)/,
  } = options;
  const home = mkdtempSync(join(tmpdir(), 'o11y-kit-app-'));
  const child = spawn(node, [...(preload ? PRELOADS[preload] : []), ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: home,
      // A port of its own, found by the file in the folder: apps of tests that run side by side do not meet.
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      O11Y_TARGETS_DIR: home,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      // Short, so that a test need not wait; whether a test passes does not depend on it.
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_BLRP_SCHEDULE_DELAY: '50',
      ...env,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => {
      rmSync(home, { recursive: true, force: true });
      resolve((exit = { code, signal }));
    });
  });
  // Whoever waits for it sees the rejection; nobody has to.
  exited.catch(() => {});

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    if (exit === undefined) child.kill(signal);
    return exited;
  }

  let port = 0;
  if (ready !== false) {
    try {
      const match = await until(
        `${ready} of ${args.join(' ')}`,
        () => ready.exec(stdout) ?? (exit === undefined && child.exitCode === null ? undefined : 'ended'),
        { timeoutMs: 30_000, everyMs: 20 },
      );
      if (match === 'ended') throw new Error(`${args.join(' ')} ended (${JSON.stringify(await exited)}) before it was ready`);
      port = Number(match[1] ?? 0);
    } catch (error) {
      await kill();
      throw new Error(`${(error as Error).message}\nstdout: ${stdout}\nstderr: ${stderr}`, { cause: error });
    }
  }

  async function adminUrl(): Promise<string> {
    const address = await until(`the scrape address of ${args.join(' ')}; stderr: ${stderr}`, () => {
      const file = readdirSync(home).find((name) => name.endsWith(`-${child.pid}.json`));
      return file && JSON.parse(readFileSync(join(home, file), 'utf8'))[0].targets[0];
    });
    return `http://${address}`;
  }

  return {
    child,
    pid: child.pid ?? 0,
    port,
    exited,
    stdout: () => stdout,
    stderr: () => stderr,
    json: () => stdout.split('\n').flatMap(parseObject),
    adminUrl,
    async metrics(accept) {
      const response = await fetch(`${await adminUrl()}/metrics`, { headers: accept ? { accept } : {} });
      return response.text();
    },
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
    },
  };
}

function parseObject(line: string): Record<string, any>[] {
  if (!line.startsWith('{')) return [];
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
