import { createRequire } from 'node:module';
import type { Kit } from '../kit.ts';
import { resilienceOf } from '../recorders/resilience.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';

type Counted = (error: unknown, result: { readonly current: number }) => void;

interface Store {
  /** The last of `rest` is the limit of this request, in every version. */
  incr(key: string, done: Counted, ...rest: unknown[]): void;
  child(route: Route): Store;
}

interface Route {
  readonly routeInfo?: { readonly method?: unknown; readonly url?: unknown };
}

const STORES = ['./store/LocalStore', './store/RedisStore'];

/** The plugin is one closure, but counts in one of two stores, to which it tells the limit of each request. */
export const fastifyRateLimit = defineLibrary<object>({
  name: '@fastify/rate-limit',
  gives: 'Requests allowed and limited, by route where a route has a limit of its own; with its memory and Redis stores.',
  packages: { '@fastify/rate-limit': '>=8.0.0 <12.0.0' },
  accepts: (exports): exports is object => typeof exports === 'function',
  wire(_exports, kit, { path }) {
    if (path === undefined) return undefined;
    const require = createRequire(path);
    return together(STORES.map((file) => watch((require(file) as { prototype: Store }).prototype, kit)));
  },
});

function watch(prototype: Store, kit: Kit): Undo {
  const resilience = resilienceOf(kit);
  const names = new WeakMap<Store, string>();
  const { incr, child } = prototype;
  prototype.incr = function (this: Store, key, done, ...rest) {
    const max = rest.at(-1);
    const counted: Counted = (error, result) => {
      if (!error && typeof max === 'number' && isExports(result)) {
        const recorder = resilience.rateLimit(names.get(this) ?? '@fastify/rate-limit');
        if ((result.current as number) > max) recorder.limited();
        else recorder.allowed();
      }
      done(error, result);
    };
    return Reflect.apply(incr, this, [key, counted, ...rest]);
  };
  prototype.child = function (this: Store, route) {
    const made = child.call(this, route);
    const { method, url } = route?.routeInfo ?? {};
    if (typeof url === 'string') names.set(made, `${String(method)} ${url}`);
    return made;
  };
  return () => {
    prototype.incr = incr;
    prototype.child = child;
  };
}
