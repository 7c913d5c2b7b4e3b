import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file or folder of the built package: beside this file in the bundle, below `dist/` when run from its sources. */
export function built(name: string): string | undefined {
  return [`./${name}`, `../dist/${name}`]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
}
