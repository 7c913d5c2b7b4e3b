import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { loadConfig } from '../../instrumentation/config.ts';
import { Trouble, UsageError } from '../command.ts';
import { carryOut, planFor } from '../copy.ts';
import { ALL_PARTS, PACKAGE_ROOT } from '../packaged.ts';
import { PROJECT } from './containers.ts';
import type { Env } from './docker.ts';

/** The compose files that are used, and where they lie. */
export interface Stack {
  /** The folder of compose.yaml. */
  readonly folder: string;
  /** Whose files they are, for people. */
  readonly origin: string;
}

/**
 * Finds the stack's files: those of a folder that `init` has filled, else those of this package.
 *
 * Out of a package they are copied into the user's state folder first. A package manager may move or delete its own
 * folder at any time, a private umask makes files that no container can read, and a zip is no folder at all; containers
 * that are restarted next week still need what they have mounted. What the user adds or changes there stays.
 *
 * @param given a folder named by the user
 * @param standard where `init` writes by default
 * @throws {UsageError | Trouble}
 */
export function locate(given: string | undefined, standard: string, env: Env): Stack {
  const own = given ?? (existsSync(join(standard, 'compose/compose.yaml')) ? standard : undefined);
  if (own !== undefined) {
    if (!existsSync(join(own, 'compose/compose.yaml')))
      throw new UsageError(`${own} holds no compose/compose.yaml; o11y-kit init ${own} would put one there`);
    return { folder: join(realpathSync(own), 'compose'), origin: `your copy in ${own}` };
  }
  if (!existsSync(join(PACKAGE_ROOT, 'compose/compose.yaml')))
    throw new Trouble(`This installation of o11y-kit has no compose files: ${PACKAGE_ROOT}`);
  if (!isPackage()) return { folder: join(PACKAGE_ROOT, 'compose'), origin: 'this clone' };
  const folder = copy(env);
  return { folder: join(folder, 'compose'), origin: `a copy of the package in ${folder}` };
}

/** Whether this runs from an installed package, not from a clone. */
export function isPackage(): boolean {
  return PACKAGE_ROOT.split(sep).includes('node_modules');
}

function copy(env: Env): string {
  const { stateHome } = loadConfig(env).config.surroundings;
  if (stateHome === '') throw new Trouble('There is no folder for the stack: neither XDG_STATE_HOME nor HOME is set.');
  const folder = join(stateHome, 'o11y-kit', 'stack');
  carryOut(folder, planFor(folder, ALL_PARTS));
  return folder;
}

/** Names of the overlays that can be added by `--with`. */
export function overlaysOf(folder: string): string[] {
  const overlays = join(folder, 'overlays');
  if (!existsSync(overlays)) return [];
  return readdirSync(overlays)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
}

/** What is to be started. */
export interface Choice {
  /** What comes behind `docker`, before compose's own command. */
  readonly compose: readonly string[];
  /** The services that `up` names; none means all. */
  readonly services: readonly string[];
}

/** An overlay that sends elsewhere instead of to the local stores: it stands on the one without this ending. */
const ONLY = '-only';

/**
 * Compose files, profiles and services for what was asked for.
 *
 * @throws {UsageError} if there is no such overlay
 */
export function choose({ folder }: Stack, wanted: readonly string[], profiles: readonly string[]): Choice {
  const known = overlaysOf(folder);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`--with ${unknown}: one of ${known.join(', ') || '(none)'} is wanted`);
  const overlays = new Set(wanted.flatMap((name) => (name.endsWith(ONLY) ? [name.slice(0, -ONLY.length), name] : [name])));
  const only = wanted.some((name) => name.endsWith(ONLY));
  return {
    compose: [
      'compose',
      ...['--project-name', PROJECT, '--project-directory', folder],
      // Named, so that a .env of the folder in which one happens to be does not mix in.
      ...['--env-file', join(folder, '.env'), '--file', join(folder, 'compose.yaml')],
      ...[...overlays].flatMap((name) => ['--file', join(folder, 'overlays', `${name}.yaml`)]),
      ...profiles.flatMap((name) => ['--profile', name]),
    ],
    // Nothing else is needed then but the collector, and the neighbour that watches it.
    services: only ? ['collector-health'] : [],
  };
}
