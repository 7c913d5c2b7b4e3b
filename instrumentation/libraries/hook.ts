import Module from 'node:module';
import { reason } from '../diagnostics.ts';
import type { Kit } from '../kit.ts';
import { type Copy, isExports, type Library, type Undo } from './define.ts';
import { aliased, manifestOf, placeOf } from './packages.ts';
import { inRange } from './range.ts';

type Load = (request: string, parent: unknown, isMain: boolean) => unknown;

/** Node's own loader, as far as it is used: the same on Node 20 to 26, undocumented, and what every require goes through. */
const loader = Module as unknown as {
  _load: Load;
  _resolveFilename(request: string, parent: unknown): string;
  _cache: Record<string, { readonly exports: unknown; readonly loaded: boolean } | undefined>;
};

/** A library that is wired in this process. */
export interface Wired {
  /** The library's name. */
  readonly library: string;
  /** The npm package. */
  readonly name: string;
  readonly version: string | undefined;
}

/** Wires packages as they are loaded, each copy once. */
export interface Wiring {
  /** Offers the exports of a specifier or of a file. `path` is asked only if the exports are new. */
  offer(specifier: string, exports: unknown, path: () => string | undefined): void;
  /** Notes a library that announced itself over a channel. */
  note(wired: Wired): void;
  readonly wired: readonly Wired[];
  undo(): void;
}

/** @param table specifier to the libraries that want its exports */
export function createWiring(kit: Kit, table: ReadonlyMap<string, readonly Library[]>): Wiring {
  // Exports are held weakly, so that a cleared require cache can go.
  let settled = new WeakMap<object, Set<Library>>();
  const wired: Wired[] = [];
  const undos: Undo[] = [];

  function offer(specifier: string, exports: unknown, path: () => string | undefined): void {
    for (const library of table.get(specifier) ?? []) offerTo(library, specifier, exports, path);
  }

  function offerTo(library: Library, specifier: string, exports: unknown, path: () => string | undefined): void {
    if (library.wire === undefined || !isExports(exports) || settled.get(exports)?.has(library)) return;
    let copy: Copy = { name: bare(specifier), version: undefined, path: undefined };
    try {
      const file = path();
      // Required in a cycle, and not whole yet: looking into it would make Node warn the app. It will be offered again.
      if (file !== undefined && loader._cache[file]?.loaded === false) return;
      if (library.accepts && !library.accepts(exports)) return;
      settled.set(exports, (settled.get(exports) ?? new Set()).add(library));
      const manifest = file === undefined ? undefined : manifestOf(file);
      // Another package may be installed under a name that we know.
      if (manifest?.name !== undefined && manifest.name !== copy.name) return;
      copy = { ...copy, version: manifest?.version, path: file };
      if (copy.version !== undefined && !inRange(copy.version, library.packages[specifier])) {
        kit.diagnostics.debug(
          `${copy.name} ${copy.version} is left alone: ${library.packages[specifier]} is supported (${file}).`,
        );
        return;
      }
      const undo = library.wire(exports, kit, copy);
      if (undo) undos.push(undo);
      if (!library.foreign) note({ library: library.name, name: copy.name, version: copy.version });
    } catch (error) {
      kit.diagnostics.warn(
        `O11Y_INSTRUMENTATION: ${copy.name} ${copy.version ?? ''} could not be wired: ${reason(error)}. The app goes on without its telemetry.`,
      );
    }
  }

  function note(entry: Wired): void {
    if (!wired.some(({ name, version }) => name === entry.name && version === entry.version)) wired.push(entry);
  }

  return {
    offer,
    note,
    wired,
    undo() {
      for (const undo of undos.splice(0).reverse()) {
        try {
          undo();
        } catch (error) {
          kit.diagnostics.debug(`A library could not be taken back: ${reason(error)}.`);
        }
      }
      wired.length = 0;
      settled = new WeakMap();
    },
  };
}

/** The npm package of a specifier: `hono/tiny` is of `hono`, `@koa/router` of itself. */
export function bare(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/**
 * Names under which a package may be asked for: as the table of libraries knows it, and as the app's package.json
 * installs it (`"express4": "npm:express@4"`). Each maps to the table's.
 */
export function namesFor(specifiers: Iterable<string>, dependencies: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const specifier of specifiers) names.set(specifier, specifier);
  for (const [alias, spec] of dependencies) {
    const name = aliased(spec);
    if (name !== undefined && names.get(name) === name) names.set(alias, name);
  }
  return names;
}

/**
 * Sees every CommonJS package as it is loaded, from `require` and from `import` alike: both go through `Module._load`. A
 * `require` names the package, an `import` gives the file's absolute path.
 *
 * @param names see {@link namesFor}
 */
export function hookRequire(wiring: Wiring, names: ReadonlyMap<string, string>): Undo {
  const original = loader._load;
  let active = true;
  const hooked: Load = function _load(this: unknown, request, parent, isMain) {
    const exports = original.call(this, request, parent, isMain);
    if (!active || typeof request !== 'string') return exports;
    const named = names.get(request);
    if (named !== undefined) {
      wiring.offer(named, exports, () => loader._resolveFilename(request, parent));
    } else if (request.charCodeAt(0) === 47 || request.charCodeAt(1) === 58) {
      offerFile(request, exports);
    }
    return exports;
  };

  function offerFile(path: string, exports: unknown): void {
    const place = placeOf(path);
    const name = place && names.get(place.name);
    if (name !== undefined) wiring.offer(name, exports, () => path);
  }

  // What was loaded before the kit, by another preload or because the app imports the kit itself.
  for (const [path, module] of Object.entries(loader._cache)) {
    if (module?.loaded) offerFile(path, module.exports);
  }
  loader._load = hooked;
  return () => {
    active = false;
    // Someone may have wrapped it since: then ours stays below and does nothing.
    if (loader._load === hooked) loader._load = original;
  };
}
