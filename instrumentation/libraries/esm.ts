import { existsSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EsmPackage, Library, Undo } from './define.ts';
import type { Wiring } from './hook.ts';
import { ancestors, placeOf, readManifest } from './packages.ts';
import { inRange } from './range.ts';

/**
 * ES modules never pass `Module._load`. A loader hook appends two statements to the few files that matter: the module
 * imports itself and hands its namespace to the kit, after its own last statement and before its importer's first. What
 * is exported stays as it is, so nothing has to be parsed or wrapped; prototypes are all that the kit changes anyway.
 */
const MARK = 'o11y-kit.module-loaded';
const REPORT = Symbol.for(MARK);

/** Folder name under node_modules to what is watched there. */
type Watched = Readonly<Record<string, { readonly name: string; readonly files: readonly string[] }>>;

interface LoadResult {
  readonly format?: string | null;
  readonly source?: string | Uint8Array | null;
}

interface Registered {
  deregister(): void;
}

interface RegisterHooks {
  registerHooks?(hooks: {
    load(url: string, context: unknown, next: (url: string, context: unknown) => LoadResult): LoadResult;
  }): Registered;
}

/**
 * Registers the hook if a package that needs it is in reach; otherwise this costs a few `stat` calls.
 *
 * @param names see `namesFor`
 * @param folder of the app's entry file
 * @param dependencies what the app declares
 * @returns undefined where nothing needs the hook
 */
export function hookImport(
  wiring: Wiring,
  libraries: readonly Library[],
  names: ReadonlyMap<string, string>,
  folder: string,
  dependencies: ReadonlyMap<string, string>,
  nodeVersion: string = process.versions.node,
): Undo | undefined {
  const watched = watchedFrom(folder, libraries, names, dependencies);
  if (Object.keys(watched).length === 0) return undefined;

  const target = globalThis as unknown as Record<symbol, unknown>;
  target[REPORT] = (name: string, url: string, namespace: unknown) => wiring.offer(name, namespace, () => fileURLToPath(url));
  const { registerHooks } = Module as unknown as RegisterHooks;
  const registered =
    registerHooks && synchronousHooksWork(nodeVersion)
      ? registerHooks({ load: (url, context, next) => report(url, next(url, context), watched) })
      : registerThread(watched);
  return () => {
    registered?.deregister();
    delete target[REPORT];
  };
}

/** What is installed in reach of the app, in a version that ships ES modules. */
function watchedFrom(
  folder: string,
  libraries: readonly Library[],
  names: ReadonlyMap<string, string>,
  dependencies: ReadonlyMap<string, string>,
): Watched {
  const wanted = new Map<string, EsmPackage>(libraries.flatMap(({ esm }) => Object.entries(esm ?? {})));
  const watched: Record<string, { name: string; files: readonly string[] }> = {};
  for (const [installedAs, name] of names) {
    const esm = wanted.get(name);
    if (esm === undefined) continue;
    if (esm.ifDeclared?.some((other) => dependencies.has(other)) === false) continue;
    const version = installedVersion(folder, installedAs);
    if (version !== undefined && inRange(version, esm.range)) watched[installedAs] = { name, files: esm.files };
  }
  return watched;
}

function installedVersion(folder: string, name: string): string | undefined {
  for (const at of ancestors(folder)) {
    // pnpm hoists what the app does not name itself into a folder of its own.
    for (const modules of ['node_modules', 'node_modules/.pnpm/node_modules']) {
      const installed = join(at, modules, name);
      if (existsSync(installed)) return readManifest(installed)?.version;
    }
  }
  return undefined;
}

function report(url: string, result: LoadResult, watched: Watched): LoadResult {
  if (!url.includes('/node_modules/') || result.format !== 'module' || result.source == null) return result;
  const place = placeOf(url);
  if (place === undefined) return result;
  const found = Object.hasOwn(watched, place.name) ? watched[place.name] : undefined;
  if (!found?.files.includes(url.slice(place.folder.length + 1))) return result;
  const source = typeof result.source === 'string' ? result.source : new TextDecoder().decode(result.source);
  // An earlier start of the kit may have left its hook below: twice would be one declaration too many.
  return source.includes(MARK) ? result : { ...result, source: source + statements(found.name, url) };
}

function statements(name: string, url: string): string {
  return `\n;import * as $o11yKit from ${JSON.stringify(url)};globalThis[Symbol.for('${MARK}')]?.(${JSON.stringify(name)}, ${JSON.stringify(url)}, $o11yKit);\n`;
}

/**
 * Before 22.22.3, 24.11.1 and 25.1 a load hook breaks CommonJS that is required below ES modules.
 *
 * @see https://github.com/nodejs/node/pull/59929
 */
export function synchronousHooksWork(version: string): boolean {
  return inRange(version, '>=22.22.3 <23.0.0 || >=24.11.1 <25.0.0 || >=25.1.0');
}

/**
 * The same hook for older versions, in Node's loader thread. It is text, so that it needs no file of its own and takes
 * nothing of the kit into that thread; it is never taken back, but without {@link REPORT} it does nothing.
 */
function registerThread(watched: Watched): undefined {
  const source = `
let watched;
export function initialize(data) { watched = data; }
export async function load(url, context, next) {
  const result = await next(url, context);
  if (!url.includes('/node_modules/') || result.format !== 'module' || result.source == null) return result;
  const parts = url.slice(url.lastIndexOf('/node_modules/') + 14).split('/');
  const name = parts.splice(0, parts[0].startsWith('@') ? 2 : 1).join('/');
  const found = Object.hasOwn(watched, name) ? watched[name] : undefined;
  if (!found || !found.files.includes(parts.join('/'))) return result;
  const text = typeof result.source === 'string' ? result.source : new TextDecoder().decode(result.source);
  if (text.includes('${MARK}')) return result;
  const [quotedName, quotedUrl] = [JSON.stringify(found.name), JSON.stringify(url)];
  return {
    ...result,
    source: text + "\\n;import * as $o11yKit from " + quotedUrl +
      ";globalThis[Symbol.for('${MARK}')]?.(" + quotedName + ", " + quotedUrl + ", $o11yKit);\\n",
  };
}`;
  Module.register(`data:text/javascript,${encodeURIComponent(source)}`, { parentURL: 'data:', data: watched });
  return undefined;
}
