import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Trouble } from '../command.ts';
import { ALL_PARTS, foldersOf } from '../packaged.ts';
import type { Engine } from './engine.ts';
import type { Stack } from './stack.ts';

/**
 * Containers run as users of their own: what they mount must be open to everybody, and the daemon must see it at all.
 *
 * @param targets the folder of scrape addresses
 * @throws {Trouble}
 */
export function demandReadable({ folder }: Stack, targets: string, machine: Engine): void {
  const hidden = [folder, targets].find((path) => /[\\/]\.[^\\/.]/.test(path));
  if (machine.snap && hidden !== undefined)
    throw new Trouble(
      `Docker out of a snap sees no hidden folders, and so not ${hidden}.\n` +
        'Install Docker otherwise (https://docs.docker.com/engine/install/), or set XDG_STATE_HOME to a folder in your home that ' +
        'is not hidden, for the apps too.',
    );
  // Elsewhere Docker Desktop stands between, and every user of a container may read what its user may.
  if (process.platform !== 'linux') return;
  const root = join(folder, '..');
  const closed = ALL_PARTS.flatMap(foldersOf).flatMap((name) => closedBelow(join(root, name), join(folder, 'secrets')));
  if (closed.length === 0) return;
  const more = closed.length > 1 ? ` and ${closed.length - 1} more` : '';
  throw new Trouble(
    `The users of the containers cannot read ${relative('.', closed[0]) || '.'}${more}.\n` +
      `Open them: chmod -R a+rX ${[...new Set(ALL_PARTS.flatMap(foldersOf).map((name) => join(root, name.split('/')[0])))].join(' ')}`,
  );
}

/** Secrets are their owner's business: some containers need none. */
function closedBelow(path: string, except: string): string[] {
  if (path === except || !existsSync(path)) return [];
  const stat = statSync(path);
  const wanted = stat.isDirectory() ? 0o005 : 0o004;
  const own = (stat.mode & wanted) === wanted ? [] : [path];
  if (!stat.isDirectory()) return own;
  return [...own, ...readdirSync(path).flatMap((name) => closedBelow(join(path, name), except))];
}
