import { REQUEST, type RequestState } from '../context.ts';
import { CONNECTION, type Connection } from '../messaging/streams.ts';
import { isExports, together, type Undo } from './define.ts';
import { type Method, patch } from './patch.ts';

interface Request {
  readonly method?: string;
  /** The parsed query. */
  readonly _query?: { readonly sid?: unknown };
  readonly [REQUEST]?: RequestState;
}

interface Engine {
  readonly opts?: { readonly path?: unknown };
}

/**
 * The servers of engine.io that Socket.IO is bound to: their requests get a route, long polls are known as such, and their
 * WebSockets are left alone.
 */
export function watchEngines(): { noting(original: Method): Method; undo: Undo } {
  const engines = new WeakSet<object>();
  const prototypes = new WeakSet<object>();
  const undos: Undo[] = [];

  function noting(original: Method): Method {
    return function (this: unknown, ...args) {
      const engine: unknown = args[0];
      if (isExports(engine)) note(engine);
      return original.apply(this, args);
    };
  }

  function note(engine: object): void {
    engines.add(engine);
    const prototype = Object.getPrototypeOf(engine);
    if (prototypes.has(prototype)) return;
    prototypes.add(prototype);
    const methods = { handleRequest: routed, handleUpgrade: routed, verify: polled, onWebSocket: unwatched };
    for (const [name, wrap] of Object.entries(methods)) undos.push(patch(prototype, name, (original) => ours(original, wrap)));
  }

  /** engine.io serves without Socket.IO too. */
  function ours(original: Method, wrap: (original: Method) => Method): Method {
    const wrapped = wrap(original);
    return function (this: object, ...args) {
      return (engines.has(this) ? wrapped : original).apply(this, args);
    };
  }

  return { noting, undo: () => together(undos)() };
}

function routed(original: Method): Method {
  return function (this: Engine, ...args) {
    const state: RequestState | undefined = args[0]?.[REQUEST];
    const path = this.opts?.path;
    if (state !== undefined && state.route === undefined && typeof path === 'string') state.route = `${path.replace(/\/$/, '')}/`;
    return original.apply(this, args);
  };
}

/** Of a known client, a GET waits until there is something to send. One that is turned down is a request like any other. */
function polled(original: Method): Method {
  return function (this: unknown, request: Request, upgrade: unknown, done: Method, ...rest) {
    if (upgrade || request?.method !== 'GET' || !request._query?.sid || typeof done !== 'function')
      return original.call(this, request, upgrade, done, ...rest);
    const verified: Method = function (this: unknown, ...args) {
      if (args[0] === undefined || args[0] === null) request[REQUEST]?.hold();
      return done.apply(this, args);
    };
    return original.call(this, request, upgrade, verified, ...rest);
  };
}

/** Its frames are those of Socket.IO, which counts events. */
function unwatched(original: Method): Method {
  return function (this: unknown, ...args) {
    // The last argument of every version.
    const socket: { [CONNECTION]?: Connection } | undefined = args.at(-1);
    if (isExports(socket)) socket[CONNECTION] = undefined;
    return original.apply(this, args);
  };
}
