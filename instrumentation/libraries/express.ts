import { REQUEST, type RequestState } from '../context.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';
import {
  type App,
  createTemplates,
  type ExpressRequest,
  type Layer,
  type Mounts,
  type Path,
  type Router,
  routerOf,
} from './express-routes.ts';

interface Request extends ExpressRequest {
  readonly [REQUEST]?: RequestState;
  readonly [SEEN_ERRORS]?: ReadonlySet<unknown>;
}

type Callback = (error?: unknown) => void;

interface RouterPrototype {
  handle(this: Router, req: Request, res: unknown, callback: Callback): unknown;
  use(this: Router, ...args: unknown[]): unknown;
}

type HandleError = (error: unknown, req: Request, res: unknown, next: unknown) => unknown;

interface LayerPrototype {
  handleError?: HandleError;
  handle_error?: HandleError;
}

interface Exports {
  readonly Router?: RouterPrototype & { readonly prototype?: RouterPrototype } & (() => Router & RouterPrototype);
  readonly application?: { use(this: App, ...args: unknown[]): unknown };
  readonly prototype?: RouterPrototype;
}

/** Errors that a request has met, kept on it by router 2.3 and later whether anyone traces or not. */
const SEEN_ERRORS = Symbol.for('router.tracing.publishedErrors');

const mounts: Mounts = { layers: new WeakMap(), apps: new WeakMap() };
const templateOf = createTemplates(mounts);
const watched = new WeakSet<RouterPrototype>();

/**
 * Express 4 and 5, what is built on it (NestJS among others), and router 2 alone. On a request's path there is one
 * wrapped call, of the first router that sees it; the template is found when the response ends.
 */
export const express = defineLibrary<Exports>({
  name: 'express',
  gives: 'Route templates, also of mounted routers, on spans and metrics; errors that reach error handlers.',
  packages: { express: '>=4.0.0 <6.0.0', router: '>=2.0.0 <3.0.0' },
  accepts: (exports): exports is Exports => typeof exports === 'function' && prototypeOf(exports as Exports) !== undefined,
  wire(exports) {
    return together([watchMounts(exports.application), watchRouter(exports)]);
  },
});

/** Express 4's `Router` is itself the prototype of routers; that of router 2, which Express 5 exports, has one. */
function prototypeOf({ Router, prototype }: Exports): RouterPrototype | undefined {
  return [Router?.prototype, Router, prototype].find(
    (candidate) => isExports(candidate) && typeof candidate.handle === 'function',
  );
}

/** Notes apps that are mounted in another app. */
function watchMounts(application: Exports['application']): Undo {
  if (application === undefined) return () => {};
  const { use } = application;
  application.use = function (this: App, ...args) {
    const result = Reflect.apply(use, this, args);
    const apps = flatten(args).filter((arg): arg is App => isExports(arg) && typeof arg.set === 'function' && 'handle' in arg);
    const router = routerOf(this);
    if (router !== undefined && apps.length > 0) {
      const path = mountPath(args);
      mounts.apps.set(router, [...(mounts.apps.get(router) ?? []), ...apps.map((app) => ({ app, path }))]);
    }
    return result;
  };
  return () => {
    application.use = use;
  };
}

function watchRouter(exports: Exports): Undo {
  const prototype = prototypeOf(exports);
  if (prototype === undefined || watched.has(prototype)) return () => {};
  watched.add(prototype);
  const { handle, use } = prototype;
  const sample = sampleLayer(exports);
  const keepsErrors = sample !== undefined && 'rawPath' in sample;

  prototype.handle = function (this: Router, req, res, callback) {
    const state = req[REQUEST];
    if (state === undefined || state.route !== undefined) return handle.call(this, req, res, callback);
    state.route = routeOf;
    state.routeSubject = req;
    state.routeRoot = this;
    return handle.call(this, req, res, keepsErrors ? callback : noting(state, callback));
  };

  if (keepsErrors) return restore;

  prototype.use = function (this: Router, ...args) {
    const before = this.stack.length;
    const result = Reflect.apply(use, this, args);
    for (const layer of this.stack.slice(before)) mounts.layers.set(layer, mountPath(args));
    return result;
  };
  const restoreLayer = watchLayer(sample);

  return () => {
    restore();
    restoreLayer();
  };

  function restore(): void {
    watched.delete(prototype as RouterPrototype);
    Object.assign(prototype as RouterPrototype, { handle, use });
  }
}

/** Layer classes are not exported; a router that we make ourselves has one. */
function sampleLayer(exports: Exports): Layer | undefined {
  const make = exports.Router ?? (exports as unknown as NonNullable<Exports['Router']>);
  const router = make();
  router.use(() => {});
  return router.stack[0];
}

/** Errors that reach an app's error handler, for routers that do not keep them. Runs for failed requests alone. */
function watchLayer(sample: Layer | undefined): Undo {
  const prototype: LayerPrototype | undefined = sample && Object.getPrototypeOf(sample);
  const name = prototype?.handleError ? 'handleError' : 'handle_error';
  const original = prototype?.[name];
  if (prototype === undefined || original === undefined) return () => {};
  prototype[name] = function (this: unknown, error, req, res, next) {
    const state = req[REQUEST];
    if (state !== undefined) noteError(state, error);
    return original.call(this, error, req, res, next);
  };
  return () => {
    prototype[name] = original;
  };
}

/** Errors that no handler took, which end in Express's final handler. */
function noting(state: RequestState, callback: Callback): Callback {
  if (typeof callback !== 'function') return callback;
  return (error) => {
    if (error) noteError(state, error);
    return callback(error);
  };
}

function noteError(state: RequestState, error: unknown): void {
  // These two are signals for the router.
  if (error !== 'route' && error !== 'router') state.error ??= error;
}

function routeOf(req: Request, root: Router): string {
  const seen = req[SEEN_ERRORS];
  const state = req[REQUEST] as RequestState;
  if (seen !== undefined && seen.size > 0) state.error ??= seen.values().next().value;
  // After the outermost router has given up, `req.route` still names the last route that passed the request on.
  if (req.baseUrl === undefined && state.error === undefined) return '';
  return templateOf(root, req);
}

/** The path of a `use` call: the first argument unless that is a handler already. */
function mountPath(args: readonly unknown[]): Path {
  let first = args[0];
  while (Array.isArray(first) && first.length > 0) first = first[0];
  return typeof first === 'function' ? '/' : (args[0] as Path);
}

function flatten(values: readonly unknown[]): unknown[] {
  return values.flatMap((value) => (Array.isArray(value) ? flatten(value) : [value]));
}
