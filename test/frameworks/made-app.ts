import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'node:test';

/** Path below the app's folder to text. */
export type Files = Record<string, string>;

const roots: string[] = [];
const stops: (() => void)[] = [];
const { cache } = createRequire(import.meta.url);

/** To be called once in a file: each of its tests has its apps to itself, also where it fails in the middle. */
export function cleanUpAfterEach(): void {
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
    for (const root of roots.splice(0)) {
      for (const path of Object.keys(cache).filter((loaded) => loaded.startsWith(root))) delete cache[path];
      rmSync(root, { recursive: true });
    }
  });
}

/** Something to stop when the test is over. */
export function stopAfterwards(stop: () => void): void {
  stops.push(stop);
}

/** An app of its own, as npm would have installed it; returns the path of its entry. */
export function makeApp(files: Files): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'o11y-kit-made-')));
  roots.push(root);
  for (const [path, text] of Object.entries({ 'package.json': '{}', 'app.js': '', ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return join(root, 'app.js');
}
