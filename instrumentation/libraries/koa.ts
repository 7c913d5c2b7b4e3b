import { REQUEST, type RequestState } from '../context.ts';
import { defineLibrary, isExports } from './define.ts';

interface KoaContext {
  /** Set by @koa/router and koa-router once a route has matched. */
  readonly _matchedRoute?: string | RegExp;
  readonly req: { readonly [REQUEST]?: RequestState };
}

interface KoaPrototype {
  createContext(req: { readonly [REQUEST]?: RequestState }, res: unknown): KoaContext;
  emit(event: string, ...args: unknown[]): boolean;
}

/** Koa with @koa/router or koa-router. */
export const koa = defineLibrary<{ prototype: KoaPrototype }>({
  name: 'koa',
  gives: 'Route templates of @koa/router and koa-router on spans and metrics; errors.',
  packages: { koa: '>=2.0.0 <4.0.0' },
  accepts: (exports): exports is { prototype: KoaPrototype } =>
    isExports(exports) && isExports(exports.prototype) && typeof exports.prototype.createContext === 'function',
  wire({ prototype }) {
    const { createContext } = prototype;
    prototype.createContext = function (this: KoaPrototype, req, res) {
      const context = createContext.call(this, req, res);
      const state = req[REQUEST];
      if (state !== undefined && state.route === undefined) {
        state.route = routeOf;
        state.routeSubject = context;
      }
      return context;
    };

    // An application emits nothing but errors: Koa's own handler does, and so do apps that answer errors themselves.
    const own = Object.getOwnPropertyDescriptor(prototype, 'emit');
    const { emit } = prototype;
    prototype.emit = function (this: KoaPrototype, event, ...args) {
      if (event === 'error') noteError(args[0], args[1]);
      return Reflect.apply(emit, this, [event, ...args]);
    };
    return () => {
      prototype.createContext = createContext;
      if (own) Object.defineProperty(prototype, 'emit', own);
      else delete (prototype as Partial<KoaPrototype>).emit;
    };
  },
});

function routeOf(context: KoaContext): string {
  return context._matchedRoute === undefined ? '' : String(context._matchedRoute);
}

function noteError(error: unknown, context: unknown): void {
  const state = isExports(context) && isExports(context.req) ? (context as unknown as KoaContext).req[REQUEST] : undefined;
  if (state !== undefined) state.error ??= error;
}
