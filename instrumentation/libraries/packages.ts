import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const FOLDER = /[\\/]node_modules[\\/]/g;

/** Where a file stands inside an installed package. */
export interface Place {
  /** Name of the folder under node_modules: the package's name, or the alias under which it was installed. */
  readonly name: string;
  readonly folder: string;
}

/** The package of a file by its path alone: what follows the last `node_modules`. Works for pnpm and Yarn's zip paths. */
export function placeOf(path: string): Place | undefined {
  let end = -1;
  for (const match of path.matchAll(FOLDER)) end = match.index + match[0].length;
  if (end < 0) return undefined;
  const [first, second] = path.slice(end).split(/[\\/]/, 2);
  const name = first.startsWith('@') ? `${first}/${second}` : first;
  return { name, folder: path.slice(0, end + name.length) };
}

export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A folder's package.json; undefined if there is none or it cannot be read. */
export function readManifest(folder: string): Manifest | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return typeof manifest === 'object' && manifest !== null ? (manifest as Manifest) : undefined;
  } catch {
    return undefined;
  }
}

/** The package.json that describes a loaded file: of its package, or, for a linked workspace, the nearest with a name. */
export function manifestOf(path: string): Manifest | undefined {
  const place = placeOf(path);
  if (place) return readManifest(place.folder);
  for (const folder of ancestors(dirname(path))) {
    const manifest = readManifest(folder);
    if (manifest?.name !== undefined) return manifest;
  }
  return undefined;
}

/** A folder and all above it. */
export function* ancestors(folder: string): Generator<string> {
  for (let at = folder; ; at = dirname(at)) {
    yield at;
    if (dirname(at) === at) return;
  }
}

/**
 * Names under which an app installs packages that we know: `"express4": "npm:express@4"` makes `express4` stand for
 * `express`. Read from the package.json files around the app's entry.
 */
export function aliases(folder: string, known: ReadonlySet<string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const at of ancestors(folder)) {
    const manifest = readManifest(at);
    const groups = [manifest?.dependencies, manifest?.devDependencies, manifest?.optionalDependencies];
    for (const [alias, spec] of groups.flatMap((group) => Object.entries(group ?? {}))) {
      const target = /^npm:((?:@[^/]+\/)?[^@]+)/.exec(String(spec))?.[1];
      if (target !== undefined && known.has(target) && !found.has(alias)) found.set(alias, target);
    }
  }
  return found;
}
