/**
 * From a matched Express route to its full template, mount paths included. Nothing is computed before the response ends,
 * and a route's template is found once: later look-ups are one WeakMap read.
 */

export type Path = string | RegExp | readonly Path[];

export interface Route {
  readonly path: Path;
}

export interface Layer {
  readonly route?: Route;
  readonly handle?: unknown;
  /** The path as the app wrote it: router 2.3 and later. */
  readonly rawPath?: Path;
}

export interface Router {
  readonly stack: readonly Layer[];
}

export interface App {
  readonly handle: unknown;
  readonly set: unknown;
  /** Express 4. Absent until the app has its first route or middleware. */
  readonly _router?: Router;
  /** Express 5. In Express 4 reading it throws. */
  readonly router?: Router;
  readonly lazyrouter?: unknown;
}

export interface ExpressRequest {
  readonly route?: Route;
  readonly baseUrl?: string;
  readonly originalUrl?: string;
  readonly url: string;
}

/** What Express keeps to itself, noted as the app sets itself up. */
export interface Mounts {
  /** The paths of layers, where they have no {@link Layer.rawPath}. */
  readonly layers: WeakMap<Layer, Path>;
  /** The apps that were mounted in a router: Express hides them behind a closure. */
  readonly apps: WeakMap<Router, readonly { readonly app: App; readonly path: Path }[]>;
}

interface Template {
  readonly text: string;
  /** Made only where one route has several templates. */
  readonly pattern: RegExp | undefined;
}

const MOST_DEPTH = 12;

export function createTemplates(mounts: Mounts): (root: Router, req: ExpressRequest) => string {
  const cache = new WeakMap<Route, readonly Template[]>();

  return (root, req) => {
    const { route } = req;
    if (route === undefined) return '';
    let templates = cache.get(route);
    if (templates === undefined) {
      templates = findTemplates(root, route, mounts);
      // An empty list may only mean that the route is still being set up.
      if (templates.length > 0) cache.set(route, templates);
    }
    if (templates.length < 2) return templates[0]?.text ?? '';
    const path = (req.originalUrl ?? req.url).split('?', 1)[0];
    return (templates.find(({ pattern }) => pattern?.test(path)) ?? templates[0]).text;
  };
}

function findTemplates(root: Router, route: Route, mounts: Mounts): Template[] {
  const prefixes = new Set<string>();
  walk(root, '', 0);

  function walk(router: Router, prefix: string, depth: number): void {
    if (depth > MOST_DEPTH) return;
    for (const layer of router.stack) {
      if (layer.route === route) prefixes.add(prefix);
      const child = layer.route === undefined ? routerOf(layer.handle) : undefined;
      if (child === undefined) continue;
      for (const path of flatten(layer.rawPath ?? mounts.layers.get(layer) ?? '/')) walk(child, join(prefix, path), depth + 1);
    }
    for (const { app, path } of mounts.apps.get(router) ?? []) {
      const child = routerOf(app);
      if (child === undefined) continue;
      for (const part of flatten(path)) walk(child, join(prefix, part), depth + 1);
    }
  }

  const texts = [...prefixes].flatMap((prefix) => flatten(route.path).map((path) => join(prefix, path) || '/'));
  return texts.map((text) => ({ text, pattern: texts.length > 1 ? patternOf(text) : undefined }));
}

/** The router that a middleware function is or, for an app, has. */
export function routerOf(handle: unknown): Router | undefined {
  if (typeof handle !== 'function') return undefined;
  const candidate = handle as Partial<Router & App>;
  if (Array.isArray(candidate.stack)) return candidate as Router;
  if (typeof candidate.handle !== 'function' || typeof candidate.set !== 'function') return undefined;
  return candidate.lazyrouter === undefined ? candidate.router : candidate._router;
}

function flatten(path: Path): (string | RegExp)[] {
  return Array.isArray(path) ? path.flatMap(flatten) : [path as string | RegExp];
}

/** `/api/` and `/x` make `/api/x`; a router's own `/` adds nothing below a mount path. */
function join(prefix: string, path: string | RegExp): string {
  if (path instanceof RegExp) return prefix + String(path);
  const trimmed = path.replace(/\/+$/, '');
  return prefix + (trimmed === '' || trimmed.startsWith('/') || trimmed.startsWith('*') ? trimmed : `/${trimmed}`);
}

const TOKEN = /:[A-Za-z0-9_]+(?:\([^)]*\))?\??|\*[A-Za-z0-9_]*|[{}]|[.+$^|\\?()[\]]/g;

/** Close enough to tell the templates of one route apart: parameters, wildcards and optional parts of both path syntaxes. */
function patternOf(template: string): RegExp {
  const source = template.replace(TOKEN, (token) => {
    if (token[0] === ':') return '[^/]*';
    if (token[0] === '*') return '.*';
    if (token === '{') return '(?:';
    return token === '}' ? ')?' : `\\${token}`;
  });
  try {
    return new RegExp(`^${source}/?$`, 'i');
  } catch {
    // Braces that do not match: never the one that is meant.
    return /(?!)/;
  }
}
