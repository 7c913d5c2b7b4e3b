import { activeRequest, REQUEST, type RequestState } from '../context.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';

interface HonoContext {
  readonly env?: { readonly incoming?: { readonly [REQUEST]?: RequestState } };
  readonly error?: unknown;
  [LAST]?: string;
}

type Handler = (context: HonoContext, next: unknown) => unknown;

/** What Hono hands to its router for each route. */
type Entry = [handler: Handler, route: { readonly path: string; readonly method: string }];

interface HonoRouter {
  add(method: string, path: string, entry: Entry): void;
}

/** Path of the last handler of a route, not of a middleware, that ran. Hono runs them in the order of their registration. */
const LAST = Symbol('o11y-kit.hono.route');

const RANGE = '>=4.0.0 <5.0.0';
const ROUTERS = ['reg-exp-router', 'trie-router', 'linear-router', 'pattern-router'];

/**
 * Hono keeps its matched routes private, so a route's handlers tell when they run: they are wrapped where Hono registers
 * them in its router, on the router's prototype.
 */
export const hono = defineLibrary<Record<string, unknown>>({
  name: 'hono',
  gives: 'Route templates on spans and metrics, on @hono/node-server; errors.',
  packages: {
    hono: RANGE,
    'hono/tiny': RANGE,
    'hono/quick': RANGE,
    ...Object.fromEntries(ROUTERS.map((name) => [`hono/router/${name}`, RANGE])),
  },
  esm: {
    hono: {
      range: RANGE,
      files: [
        'dist/index.js',
        'dist/preset/tiny.js',
        'dist/preset/quick.js',
        ...ROUTERS.map((name) => `dist/router/${name}/index.js`),
      ],
    },
  },
  accepts: (exports): exports is Record<string, unknown> => isExports(exports) && routerClasses(exports).length > 0,
  wire(exports) {
    return together(routerClasses(exports).map(watch));
  },
});

/** The router classes that an entry of Hono leads to: those that it exports, and the one that its `Hono` makes. */
function routerClasses(exports: Record<string, unknown>): HonoRouter[] {
  const found: HonoRouter[] = [];
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value !== 'function') continue;
    if (name === 'Hono') found.push(Object.getPrototypeOf(new (value as new () => { router: object })().router));
    else if (name.endsWith('Router')) found.push(value.prototype);
  }
  return found.filter((prototype) => typeof prototype?.add === 'function');
}

const watched = new WeakSet<HonoRouter>();
const wrappers = new WeakSet<Handler>();

function watch(prototype: HonoRouter): Undo {
  // `hono` and `hono/quick` share their router class.
  if (watched.has(prototype)) return () => {};
  watched.add(prototype);
  const { add } = prototype;
  prototype.add = function (this: HonoRouter, method, path, entry) {
    // A router that chooses among others passes the same entry on to them.
    if (Array.isArray(entry) && typeof entry[0] === 'function' && isExports(entry[1]) && !wrappers.has(entry[0])) {
      entry[0] = wrap(entry[0], entry[1]);
    }
    return Reflect.apply(add, this, [method, path, entry]);
  };
  return () => {
    watched.delete(prototype);
    prototype.add = add;
  };
}

function routeOf(context: HonoContext, state: RequestState): string {
  // Set where handlers are composed; a single handler's error is noted where it is wrapped.
  state.error ??= context.error;
  return context[LAST] ?? '';
}

function wrap(handler: Handler, route: Entry[1]): Handler {
  const middleware = route.method === 'ALL' && route.path.endsWith('*');
  const wrapped = function (this: unknown, context: HonoContext, next: unknown): unknown {
    const state = context.env?.incoming?.[REQUEST] ?? activeRequest();
    if (state === undefined) return Reflect.apply(handler, this, [context, next]);
    if (!middleware) context[LAST] = route.path;
    if (state.route === undefined) {
      state.route = routeOf;
      state.routeSubject = context;
      state.routeRoot = state;
    }
    try {
      const result = Reflect.apply(handler, this, [context, next]);
      if (result instanceof Promise) result.then(undefined, (error) => (state.error ??= error));
      return result;
    } catch (error) {
      state.error ??= error;
      throw error;
    }
  };
  // Hono's own inspection looks for marks on handlers.
  Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(handler));
  wrappers.add(wrapped);
  return wrapped;
}
