import type { Kit } from '../kit.ts';

/** One copy of a package in the process: two of the same name are wired each for itself. */
export interface Copy {
  /** Name of the npm package, without a subpath. */
  readonly name: string;
  /** From the copy's own package.json; undefined where none was found (a bundled package). */
  readonly version: string | undefined;
  /** The file that was loaded. */
  readonly path: string | undefined;
}

export type Undo = () => void;

/** The ES modules of a package that matter, reported by a loader hook. */
export interface EsmPackage {
  /** Versions that ship ES modules. */
  readonly range: string;
  /** Relative to the package's folder, with forward slashes. */
  readonly files: readonly string[];
  /**
   * The hook is registered where the package is installed in reach of the app, or, if this is given, where the app
   * itself depends on one of these.
   */
  readonly ifDeclared?: readonly string[];
}

/**
 * How one library is wired. `E` is the shape of the exports that {@link accepts} lets through.
 *
 * The exports object itself is never replaced, only what hangs on it (prototypes, mostly): an ESM importer of a CommonJS
 * package has copied its named exports before anything else could look at them.
 */
export interface Library<E = unknown> {
  /** Name in `OTEL_NODE_ENABLED_INSTRUMENTATIONS` and `OTEL_NODE_DISABLED_INSTRUMENTATIONS`. */
  readonly name: string;
  /** What wiring it gives, in one sentence, for `docs/libraries.md` and `doctor`. */
  readonly gives?: string;
  /** Specifiers as an app writes them (`koa`, `hono/tiny`), with the versions that are supported (`>=2.0.0 <4.0.0`). */
  readonly packages: Readonly<Record<string, string>>;
  /** Packages that ship as ES modules, which hooks of `require` never see, by name. */
  readonly esm?: Readonly<Record<string, EsmPackage>>;
  /** Whether exports look like the library's entry: a deep import or a half-loaded cycle does not. */
  accepts?(exports: unknown): exports is E;
  /** Wires one copy. What it returns takes everything back. A throw costs this library, never the app. */
  wire?(exports: E, kit: Kit, copy: Copy): Undo | undefined;
  /** Not wired but watched for, whatever the switches say: another telemetry SDK. */
  readonly foreign?: true;
  /**
   * Binds a context to channels of the library, so that the app's code below runs in it, or leaves a hook where the library
   * looks for one. Called once at the start, since the first message would come too late; it costs nothing where the app
   * does not load the library.
   */
  bind?(kit: Kit): Undo;
  /** Diagnostics channels that the library publishes; a handler returns the library's version. */
  readonly channels?: Readonly<Record<string, (message: unknown, kit: Kit) => string | undefined>>;
}

/** The one way to declare a library; it gives `accepts` and `wire` the same idea of the exports. */
export function defineLibrary<E>(library: Library<E>): Library {
  return library as Library;
}

/** Whether a value can carry exports: an object or a function. */
export function isExports(value: unknown): value is Record<PropertyKey, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** Several undos as one, the last first. */
export function together(undos: readonly Undo[]): Undo {
  return () => {
    for (const undo of undos.toReversed()) undo();
  };
}
