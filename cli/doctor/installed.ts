import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ancestors, type Manifest, manifestsAround, readManifest } from '../../instrumentation/libraries/packages.ts';

/** A copy of a package that the app can load. */
export interface Installed {
  /** Its own name, also where it is installed under another. */
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  /** The dependency of the app that brings it; undefined where the app names it itself. */
  readonly through: string | undefined;
}

export interface Installation {
  readonly packages: readonly Installed[];
  /** Dependencies that package.json names and that are nowhere. */
  readonly missing: readonly string[];
  /** The nearest package.json from the app's folder upwards; undefined where there is none. */
  readonly manifest: Manifest | undefined;
}

/** What is only there for the kit itself says nothing about the app. */
const KIT = 'o11y-kit';
const MOST_PACKAGES = 20_000;

/**
 * Every package that an app in a folder can load, found as Node finds it: from the folder of whoever wants it upwards,
 * through links. So nested copies, hoisted workspaces and pnpm's layout are seen as they are.
 *
 * Dependencies for development are listed, but not what they bring: an app does not load that.
 */
export function installation(folder: string): Installation {
  const found = new Map<string, Installed>();
  const missing: string[] = [];
  const [own, ...above] = manifestsAround(folder).filter(({ name }, index) => index === 0 || name !== KIT);
  const queue: { from: string; manifest: Manifest; through: string | undefined }[] = [];

  function add(from: string, name: string, through: string | undefined): { folder: string; manifest: Manifest } | undefined {
    const copy = find(from, name);
    if (copy === undefined || found.has(copy.folder) || found.size >= MOST_PACKAGES) return copy && { ...copy };
    const { manifest } = copy;
    found.set(copy.folder, { name: manifest.name ?? name, version: manifest.version ?? '', folder: copy.folder, through });
    if (name !== KIT) queue.push({ from: copy.folder, manifest, through: through ?? name });
    return copy;
  }

  // A workspace's app may use what the packages above it declare, as Node's look-up lets it.
  for (const manifest of [own, ...above]) {
    const { dependencies, optionalDependencies } = manifest ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const copy = add(folder, name, undefined);
      if (copy === undefined && manifest === own && !(name in (optionalDependencies ?? {}))) missing.push(name);
    }
  }
  const brought = queue.splice(0);
  for (const name of Object.keys(own?.devDependencies ?? {})) add(folder, name, undefined);
  queue.splice(0, queue.length, ...brought);

  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { peerDependencies } = next.manifest as { peerDependencies?: Record<string, string> };
    const wanted = { ...next.manifest.dependencies, ...next.manifest.optionalDependencies, ...peerDependencies };
    for (const name of Object.keys(wanted)) if (name !== KIT) add(next.from, name, next.through);
  }
  return { packages: [...found.values()], missing, manifest: own };
}

/** The copy of a package that code in a folder gets. */
export function find(from: string, name: string): { folder: string; manifest: Manifest } | undefined {
  for (const at of ancestors(from)) {
    const folder = join(at, 'node_modules', name);
    const manifest = readManifest(folder);
    if (manifest !== undefined) return { folder: realpathSync(folder), manifest };
  }
  return undefined;
}
