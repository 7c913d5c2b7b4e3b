import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../..');

/** A program that a test starts with and without the kit. */
export interface App {
  readonly code: string;
  readonly esm?: boolean;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Each is sent as soon as the output holds the text; a text that only the kit writes is not waited for without it. */
  readonly signals?: readonly { readonly after: string; readonly send: NodeJS.Signals }[];
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** stdout without the kit's lines. */
  readonly output: string;
  /** The kit's lines, without `kit: `. */
  readonly kit: readonly string[];
  readonly stderr: string;
}

const LIMIT_MS = 60_000;

/** A folder for the apps, inside the repository's folder for test apps, so that they find their packages. */
export class AppFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'o11y-kit-lifecycle-'));
  readonly preload = join(this.path, 'preload.mjs');
  #files = 0;

  /** Bundles the fixture as the build bundles the kit, so that every Node version can run it. */
  async prepare(): Promise<void> {
    await build({
      entryPoints: [join(root, 'test/lifecycle/fixture.ts')],
      outfile: join(this.path, 'fixture.cjs'),
      bundle: true,
      platform: 'node',
      target: 'node20.6',
      format: 'cjs',
      logLevel: 'warning',
    });
    writeFileSync(
      this.preload,
      `import { createRequire } from 'node:module';\ncreateRequire(import.meta.url)('./fixture.cjs');\n`,
    );
  }

  /** Starts an app and waits for its end. @param preload whether the kit is in it */
  async run(node: string, app: App, preload: boolean): Promise<Ending> {
    const file = join(this.path, `app${++this.#files}.${app.esm ? 'mjs' : 'cjs'}`);
    writeFileSync(file, app.code);
    const args = [...(app.flags ?? []), ...(preload ? ['--import', this.preload] : []), file];
    const env = { PATH: process.env.PATH, NODE_PATH: join(root, 'node_modules'), ...app.env };
    const child = spawn(node, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS, killSignal: 'SIGKILL' });
    return watch(child, app.signals ?? []);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

async function watch(child: ChildProcess, signals: NonNullable<App['signals']>): Promise<Ending> {
  let stdout = '';
  let stderr = '';
  let next = 0;
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
    if (next < signals.length && stdout.includes(signals[next].after)) child.kill(signals[next++].send);
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject).once('close', (...end) => resolve(end));
  });
  const lines = stdout.split('\n').filter(Boolean);
  const own = (line: string) => line.startsWith('kit: ');
  return {
    code,
    signal,
    stderr,
    output: lines.filter((line) => !own(line)).join('\n'),
    kit: lines.filter(own).map((line) => line.slice('kit: '.length)),
  };
}
