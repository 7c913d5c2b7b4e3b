import { active, type KitContext, REQUEST, type RequestState, ROOT, storage } from '../context.ts';
import { reason } from '../diagnostics.ts';
import { uuidv7 } from '../ids.ts';
import type { Kit } from '../kit.ts';
import { CONNECTION, type Connection, createStreams, type Message } from '../messaging/streams.ts';
import { type Copy, defineLibrary, isExports, together, type Undo } from './define.ts';
import { loadedFile } from './official.ts';
import { type Method, patch } from './patch.ts';
import { watchEngines } from './socket-io-engine.ts';

interface Class {
  readonly prototype: Record<string, Method>;
}

interface Classes {
  readonly Namespace: Class;
  readonly Socket: Class;
  /** What `to` and `in` return. */
  readonly BroadcastOperator?: Class;
}

/** Before 4.1 only the server is exported. */
type SocketIo = { readonly Server: Class } & Partial<Classes>;

interface Client {
  /** The first request of the connection; none for WebTransport. */
  readonly request?: { readonly [REQUEST]?: RequestState } | null;
}

interface Namespace {
  readonly name: string;
  readonly server: { readonly parentNsps?: ReadonlyMap<unknown, { readonly children?: ReadonlySet<unknown> }> };
}

interface Socket {
  readonly nsp: Namespace;
  readonly client: Client;
  [CONNECTION]?: Connection;
  listenerCount(event: string): number;
}

/** `PacketType.EVENT` of socket.io-parser. */
const EVENT = 2;

/**
 * The server of Socket.IO. A connection may join several namespaces, each with a socket of its own; the frames and polls
 * below them are not counted as messages.
 *
 * @see https://socket.io/docs/v4/how-it-works/
 */
export const socketIo = defineLibrary<SocketIo>({
  name: 'socket.io',
  gives:
    'Events sent and received by namespace; the correlation id of the connection in handlers and middleware; a trace of its own for each event that logs or calls somebody, linked to that of the connection. Long polls count as open streams: they stay out of the latency histogram.',
  packages: { 'socket.io': '>=4.0.0 <5.0.0' },
  accepts: (exports): exports is SocketIo =>
    isExports(exports) && isExports(exports.Server) && isExports(exports.Server.prototype),
  wire(exports, kit, copy) {
    const classes = classesOf(exports, copy);
    const names = namespaceNames();
    const engines = watchEngines();
    return together([
      patch(exports.Server.prototype, 'of', names.noting),
      engines.undo,
      patch(exports.Server.prototype, 'bind', engines.noting),
      wireSockets(classes, kit, names.of),
    ]);
  },
});

/** @throws where they are not found: without them there is nothing to observe */
function classesOf(exports: SocketIo, copy: Copy): Classes {
  const files = ['namespace', 'socket', 'broadcast-operator'].map((name) => loadedFile(copy, `socket.io/dist/${name}.js`));
  const { Namespace, Socket, BroadcastOperator }: Partial<Classes> = Object.assign({}, ...files, exports);
  if (Namespace === undefined || Socket === undefined) throw new Error('its classes were not found');
  return { Namespace, Socket, BroadcastOperator };
}

function wireSockets(
  { Socket, Namespace, BroadcastOperator }: Classes,
  kit: Kit,
  nameOf: (namespace: Namespace) => string,
): Undo {
  const streams = createStreams(kit, 'socket.io');
  const contexts = new WeakMap<Client, KitContext>();
  /** Messages that have not reached their handlers yet, by the context in which they are on the way. */
  const underWay = new WeakMap<object, Message>();
  const prototype = Socket.prototype;

  /** That of the first request, which the socket outlives. */
  function contextOf(client: Client): KitContext {
    let context = contexts.get(client);
    if (context === undefined) {
      context = client.request?.[REQUEST]?.context ?? ROOT.withCorrelationId(uuidv7());
      contexts.set(client, context);
    }
    return context;
  }

  /** Undefined where it failed: the socket is not observed then. */
  function connectionOf(socket: unknown): Connection | undefined {
    if (!(socket instanceof (Socket as unknown as new () => Socket))) return undefined;
    try {
      return (socket[CONNECTION] ??= streams.open(nameOf(socket.nsp), contextOf(socket.client)));
    } catch (error) {
      kit.diagnostics.debug(`a socket of Socket.IO is not observed: ${reason(error)}`, 'socket.io');
      return undefined;
    }
  }

  /** An event comes from a client, which may send any name: only those that the app listens to are told. */
  function begin(connection: Connection, socket: Socket, event: unknown): Message {
    return streams.begin(connection, typeof event === 'string' && socket.listenerCount(event) > 0 ? event : undefined);
  }

  /** Middleware and catch-all listeners, on the way to the handlers. */
  function onevent(original: Method): Method {
    return function (this: Socket, ...args) {
      const connection = connectionOf(this);
      if (connection === undefined) return original.apply(this, args);
      const message = begin(connection, this, args[0]?.data?.[0]);
      underWay.set(message.context, message);
      return storage.run(message.context, () => original.apply(this, args));
    };
  }

  function emitUntyped(original: Method): Method {
    return function (this: Socket, ...args) {
      const connection = connectionOf(this);
      if (connection === undefined) return original.apply(this, args);
      // Middleware may have lost the context.
      const message = arrived() ?? begin(connection, this, args[0]);
      return streams.handle(message, () => original.apply(this, args));
    };
  }

  function arrived(): Message | undefined {
    const context = active();
    const message = underWay.get(context);
    underWay.delete(context);
    return message;
  }

  function onError(original: Method): Method {
    return function (this: Socket, ...args) {
      const message = arrived();
      if (message !== undefined) streams.refuse(message, args[0]);
      const context = message?.context ?? connectionOf(this)?.context ?? active();
      return storage.run(context, () => original.apply(this, args));
    };
  }

  /** `connection`, told to a namespace, and what becomes of the socket as a whole. */
  function emitReserved(original: Method): Method {
    return function (this: unknown, ...args) {
      const connection = connectionOf(this) ?? connectionOf(args[1]);
      if (connection === undefined || args[0] === 'error') return original.apply(this, args);
      return storage.run(connection.context, () => original.apply(this, args));
    };
  }

  /** The middleware of a namespace. */
  function add(original: Method): Method {
    return function (this: unknown, ...args) {
      return isExports(args[0]) ? storage.run(contextOf(args[0]), () => original.apply(this, args)) : original.apply(this, args);
    };
  }

  function counted(socket: Socket): void {
    const connection = connectionOf(socket);
    if (connection !== undefined) streams.sent(connection);
  }

  /** Called for each event to each receiver, also of a broadcast. */
  function notifyOutgoingListeners(original: Method): Method {
    return function (this: Socket, ...args) {
      counted(this);
      return original.apply(this, args);
    };
  }

  /** The same before 4.5; a broadcast has encoded its packet already. */
  function packet(original: Method): Method {
    return function (this: Socket, ...args) {
      if (args[0]?.type === EVENT || args[1]?.preEncoded === true) counted(this);
      return original.apply(this, args);
    };
  }

  // The classes have one parent, whose methods they call by `super`.
  const parent = Object.getPrototypeOf(prototype);
  return together([
    patch(prototype, 'onevent', onevent),
    patch(parent, 'emitUntyped', emitUntyped),
    patch(parent, 'emitReserved', emitReserved),
    patch(prototype, '_onerror', onError),
    patch(Namespace.prototype, '_add', add),
    patch(prototype, 'emit', acknowledged),
    BroadcastOperator === undefined ? () => {} : patch(BroadcastOperator.prototype, 'emit', acknowledged),
    typeof prototype.notifyOutgoingListeners === 'function'
      ? patch(prototype, 'notifyOutgoingListeners', notifyOutgoingListeners)
      : patch(prototype, 'packet', packet),
  ]);
}

/** The answer to an event comes with a later packet, but belongs to whoever sent the event. */
function acknowledged(original: Method): Method {
  return function (this: unknown, ...args) {
    const last = args.length - 1;
    const acknowledge: unknown = args[last];
    if (typeof acknowledge !== 'function') return original.apply(this, args);
    const context = active();
    args[last] = function (this: unknown, ...answer: unknown[]) {
      return storage.run(context, () => acknowledge.apply(this, answer));
    };
    return original.apply(this, args);
  };
}

/** Names of namespaces as labels. Those that are made by a pattern are named by it: their names come from clients. */
function namespaceNames() {
  const patterns = new WeakMap<object, string>();
  const names = new WeakMap<Namespace, string>();

  function noting(original: Method): Method {
    return function (this: unknown, ...args) {
      const namespace = original.apply(this, args);
      if (isExports(namespace) && args[0] instanceof RegExp) patterns.set(namespace, String(args[0]));
      return namespace;
    };
  }

  function find(namespace: Namespace): string {
    for (const parent of namespace.server.parentNsps?.values() ?? [])
      if (parent.children?.has(namespace)) return patterns.get(parent) ?? '/*';
    return namespace.name;
  }

  return {
    noting,
    of(namespace: Namespace): string {
      const name = names.get(namespace) ?? find(namespace);
      names.set(namespace, name);
      return name;
    },
  };
}
