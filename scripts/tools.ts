import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** The repository's root folder. */
export const root = join(import.meta.dirname, '..');

/** Runs a program of node_modules/.bin in the root folder and returns its exit code. */
export function npx(program: string, args: string[]): number {
  const { status, error } = spawnSync(join(root, 'node_modules', '.bin', program), args, {
    cwd: root,
    stdio: 'inherit',
  });
  if (error) console.error(`${program}: ${error.message}`);
  return status ?? 1;
}
