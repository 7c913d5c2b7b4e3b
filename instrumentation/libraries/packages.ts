import { existsSync, readFileSync } from 'node:fs';
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

/** The package.json files around an app's entry, the nearest first: its own, and those of the workspaces above it. */
export function manifestsAround(folder: string): readonly Manifest[] {
  const found: Manifest[] = [];
  for (const at of ancestors(folder)) {
    // Asking first is four times cheaper than catching what reading throws.
    const manifest = existsSync(join(at, 'package.json')) ? readManifest(at) : undefined;
    if (manifest !== undefined) found.push(manifest);
  }
  return found;
}

/** What manifests depend on: name under node_modules to version, tag or `npm:` alias. The first manifest wins. */
export function dependenciesOf(manifests: readonly Manifest[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { dependencies, devDependencies, optionalDependencies } of manifests) {
    for (const [name, spec] of [dependencies, devDependencies, optionalDependencies].flatMap((group) =>
      Object.entries(group ?? {}),
    )) {
      if (!found.has(name)) found.set(name, String(spec));
    }
  }
  return found;
}

/** The package behind an alias: `express` for `npm:express@4`; undefined for a plain version. */
export function aliased(spec: string): string | undefined {
  return /^npm:((?:@[^/]+\/)?[^@]+)/.exec(spec)?.[1];
}
