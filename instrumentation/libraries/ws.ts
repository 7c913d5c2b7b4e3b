import { createRequire } from 'node:module';
import { activeRequest, REQUEST, type RequestState, storage } from '../context.ts';
import { reason } from '../diagnostics.ts';
import type { Kit } from '../kit.ts';
import { CONNECTION, type Connection, createStreams } from '../messaging/streams.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';
import { type Method, once, patch } from './patch.ts';

interface WebSocket {
  readonly _isServer?: boolean;
  readonly url?: string;
  [CONNECTION]?: Connection;
}

interface Class {
  readonly prototype: Record<string, Method>;
  /** The server, on the class of the sockets; a module of its own for `import`. */
  readonly Server?: Class;
}

/** Events whose listeners belong to the connection as a whole. */
const OF_CONNECTION = new Set<unknown>(['close', 'error', 'ping', 'pong']);

/**
 * ws, on the server and on the client. The upgrade itself is a request like any other, whose span ends when the connection is
 * open; `http_server_open_streams` counts it.
 */
export const ws = defineLibrary<Class>({
  name: 'ws',
  gives:
    'Messages sent and received by route, or by host on a client; the correlation id of the connection in handlers; a trace of its own for each message that logs or calls somebody, linked to that of the connection.',
  packages: { ws: '>=8.0.0 <9.0.0' },
  accepts: (exports): exports is Class => hasMethod(exports, 'setSocket') || hasMethod(exports, 'handleUpgrade'),
  wire(exports, kit, { path }) {
    if (!hasMethod(exports, 'handleUpgrade')) return together([wireServer(exports.Server), wireSocket(exports, kit)]);
    // An ES module imports the files one by one, and those that a former one has required are not loaded any more.
    const socket: unknown = path === undefined ? undefined : createRequire(path)('./websocket.js');
    return together([wireServer(exports), hasMethod(socket, 'setSocket') ? wireSocket(socket as Class, kit) : () => {}]);
  },
});

function wireServer(server: Class | undefined): Undo {
  const prototype = server?.prototype;
  return prototype === undefined ? () => {} : once(prototype, () => patch(prototype, 'handleUpgrade', routed));
}

function wireSocket({ prototype }: Class, kit: Kit): Undo {
  const streams = createStreams(kit, 'websocket');

  function setSocket(original: Method): Method {
    return function (this: WebSocket, ...args) {
      try {
        this[CONNECTION] = streams.open(destinationOf(this));
      } catch (error) {
        kit.diagnostics.debug(`a WebSocket is not observed: ${reason(error)}`, 'ws');
      }
      return original.apply(this, args);
    };
  }

  function emit(original: Method): Method {
    return function (this: WebSocket, ...args) {
      const connection = this[CONNECTION];
      if (connection === undefined) return original.apply(this, args);
      if (args[0] === 'message') return streams.message(connection, () => original.apply(this, args));
      return OF_CONNECTION.has(args[0])
        ? storage.run(connection.context, () => original.apply(this, args))
        : original.apply(this, args);
    };
  }

  function send(original: Method): Method {
    return function (this: WebSocket, ...args) {
      const result = original.apply(this, args);
      const connection = this[CONNECTION];
      if (connection !== undefined) streams.sent(connection);
      return result;
    };
  }

  return once(prototype, () =>
    together([patch(prototype, 'setSocket', setSocket), patch(prototype, 'emit', emit), patch(prototype, 'send', send)]),
  );
}

function hasMethod(exports: unknown, name: string): boolean {
  return isExports(exports) && isExports(exports.prototype) && typeof exports.prototype[name] === 'function';
}

/** A server that takes one path only has a route, though no framework has matched it. */
function routed(original: Method): Method {
  return function (this: { options?: { path?: unknown } }, ...args) {
    const state: RequestState | undefined = args[0]?.[REQUEST];
    const path = this.options?.path;
    if (state !== undefined && state.route === undefined && typeof path === 'string') state.route = path;
    return original.apply(this, args);
  };
}

/** The route that the upgrade matched, if a framework routed it; the other side's host on a client. */
function destinationOf(socket: WebSocket): string {
  if (socket._isServer !== false) {
    // The upgrade has been answered by now, so its route is known if it ever will be.
    return activeRequest()?.template ?? '';
  }
  return socket.url === undefined ? '' : new URL(socket.url).host;
}
