import { type ChildProcess, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/tools.ts';
import { ask, end } from '../lib/process.ts';

const CLI = join(root, 'dist/cli.mjs');
const HEAP = ['--expose-gc', '--import', pathToFileURL(join(import.meta.dirname, 'heap.mjs')).href];
const PATIENCE_MS = 5000;

export interface Heap {
  /** On JavaScript's heap and outside of it. */
  readonly heldBytes: number;
  /** What the process still has of the machine. */
  readonly rssBytes: number;
}

export interface RunningViewer {
  readonly url: string;
  readonly pid: number;
  /** Collects garbage, and says what is held after it. Only where it was started with `heap`. */
  heap(): Promise<Heap>;
  stop(): Promise<void>;
}

/**
 * The viewer as users start it, from the bundle, on a free port.
 *
 * @param options `heap`: can be asked for its heap, for which it runs with `--expose-gc`
 * @throws if it ends before it says where it listens; the message has what it said on stderr
 */
export async function startCli({ heap = false } = {}): Promise<RunningViewer> {
  // Its folder of scrape addresses is not to be left behind, nor the user's own to be read.
  const state = await mkdtemp(join(tmpdir(), 'o11y-kit-bench-'));
  const child = spawn(process.execPath, [...(heap ? HEAP : []), CLI, 'view', '--port', '0'], {
    env: { PATH: process.env.PATH, HOME: state, XDG_STATE_HOME: state },
    stdio: ['ignore', 'pipe', 'pipe', ...(heap ? (['ipc'] as const) : [])],
  });
  const stop = async () => {
    await end(child, PATIENCE_MS);
    await rm(state, { recursive: true, force: true });
  };
  try {
    return { url: await address(child), pid: child.pid!, heap: () => ask<Heap>(child, 'heap'), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Loads the page and all files that it names, as a browser would. @throws unless each is answered with 200 */
export async function loadPage(url: string): Promise<void> {
  const page = await body(`${url}/`);
  const files = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
  if (files.length === 0) throw new Error(`the page names no file:\n${page.slice(0, 300)}`);
  await Promise.all(files.map((path) => body(url + path)));
}

async function body(url: string): Promise<string> {
  const [res] = (await once(get(url), 'response')) as [IncomingMessage];
  if (res.statusCode !== 200) throw new Error(`${url} was answered with ${res.statusCode}`);
  return text(res);
}

async function address(child: ChildProcess): Promise<string> {
  let said = '';
  let complaint = '';
  child.stderr!.on('data', (chunk) => (complaint += chunk));
  for await (const [chunk] of on(child.stdout!, 'data', { close: ['end'] })) {
    said += chunk;
    const [url] = /http:\/\/localhost:\d+/.exec(said) ?? [];
    if (url !== undefined) {
      child.stdout!.resume();
      return url;
    }
  }
  throw new Error(`the viewer ended before it said where it listens:\n${complaint || said}`);
}
