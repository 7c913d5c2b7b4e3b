import { active, callIn } from '../context.ts';
import { type Databases, databasesOf, type Server, serverName } from '../databases/databases.ts';
import { describeMongo } from '../databases/mongo.ts';
import type { PoolState } from '../databases/pools.ts';
import { settles } from '../settles.ts';
import { telling, tellNext } from '../traces/call-tracer.ts';
import { type Copy, defineLibrary, isExports, together, type Undo } from './define.ts';
import { adopt, loadedFile } from './official.ts';
import { inRange } from './range.ts';

type Method = (this: any, ...args: any[]) => any;
type Prototype = Record<string, Method>;

interface Pool {
  readonly address?: string;
  readonly poolState?: string;
  readonly closed?: boolean;
  readonly options?: { readonly maxPoolSize?: number };
  readonly currentCheckedOutCount: number;
  readonly availableConnectionCount: number;
  readonly waitQueueSize: number;
}

/**
 * The MongoDB driver, and with it Mongoose, whose every call is one of the driver. Commands through the official
 * instrumentation.
 *
 * @see https://www.mongodb.com/docs/drivers/node/current/
 */
export const mongodb = defineLibrary<object>({
  name: 'mongodb',
  gives: 'Commands by collection, of Mongoose too, never a value: spans, durations, slow ones, health; the pool.',
  packages: { mongodb: '>=4.1.0 <8.0.0' },
  accepts: (exports): exports is object => isExports(exports) && typeof exports.MongoClient === 'function',
  wire(exports, kit, copy) {
    const databases = databasesOf(kit);
    const connection = classIn(copy, 'mongodb/lib/cmap/connection.js', 'Connection');
    const pool = classIn(copy, 'mongodb/lib/cmap/connection_pool.js', 'ConnectionPool');
    const topology = classIn(copy, 'mongodb/lib/sdam/topology.js', 'Topology');
    if (connection === undefined) throw new Error('mongodb/lib/cmap/connection.js has no class Connection');
    const callbacks = copy.version !== undefined && inRange(copy.version, WITH_CALLBACKS);
    return together([
      wrap(connection, 'command', callbacks ? watchCallback : watchPromise),
      adopt(kit, copy, exports, {
        name: 'mongodb',
        config: { requireParentSpan: false, dbStatementSerializer: describeMongo },
        tracerProvider: databases.drivers,
      }),
      // On top of the official instrumentation, which reads the namespace.
      wrap(connection, 'command', nameCollection),
      pool === undefined ? () => {} : wrap(pool, 'checkOut', (original) => watchCheckOut(original, databases)),
      topology === undefined ? () => {} : wrap(topology, 'selectServer', (original) => watchSelection(original, databases)),
    ]);
  },
});

function classIn(copy: Copy, file: string, name: string): Prototype | undefined {
  return (loadedFile(copy, file) as Record<string, { prototype?: Prototype } | undefined> | undefined)?.[name]?.prototype;
}

function wrap(prototype: Prototype, name: string, make: (original: Method) => Method): Undo {
  const original = prototype[name];
  prototype[name] = make(original);
  return () => {
    prototype[name] = original;
  };
}

/** Commands whose first member is the name of a collection, and which the driver sends to `$cmd` all the same. */
const NAMING = new Set(['aggregate', 'count', 'distinct', 'findAndModify', 'create', 'drop', 'createIndexes', 'listIndexes']);

/** The driver's own namespaces, by those that the official instrumentation is shown. */
const namespaces = new WeakMap<object, object>();

function nameCollection(original: Method): Method {
  return function (this: unknown, ...args) {
    const [namespace, command] = args;
    const [operation] = isExports(command) ? Object.keys(command) : [];
    const collection = NAMING.has(operation) ? command[operation] : undefined;
    if (typeof collection === 'string' && isExports(namespace) && namespace.collection === '$cmd') {
      args[0] = { db: namespace.db, collection };
      namespaces.set(args[0], namespace);
    }
    return Reflect.apply(original, this, args);
  };
}

/** Until 6.4 a command's answer came to a callback. The official instrumentation draws the same line. */
const WITH_CALLBACKS = '>=4.0.0 <6.4.0';

/**
 * The official instrumentation, which is on top of this, hands on an error's message only; and a write that was refused
 * (a duplicate key) is no error to it, since the server reports it inside of an answer.
 */
function watchCallback(original: Method): Method {
  return function (this: unknown, ...args) {
    args[0] = namespaces.get(args[0]) ?? args[0];
    const callback = args[3];
    if (typeof callback === 'function')
      args[3] = (error: unknown, answer: unknown, ...rest: unknown[]) => {
        const told = error || refusal(args[1], answer);
        const proceed = () => callback(error, answer, ...rest);
        return told ? telling(told, proceed) : proceed();
      };
    return Reflect.apply(original, this, args);
  };
}

/** As {@link watchCallback}. */
function watchPromise(original: Method): Method {
  return function (this: unknown, ...args) {
    args[0] = namespaces.get(args[0]) ?? args[0];
    const result = Reflect.apply(original, this, args);
    result?.then?.((answer: unknown) => {
      const told = refusal(args[1], answer);
      if (told !== undefined) tellNext(told);
    }, tellNext);
    return result;
  };
}

/** Why the server did not make a write, if it says so. */
function refusal(command: unknown, answer: unknown): unknown {
  const writes = isExports(command) && ('insert' in command || 'update' in command || 'delete' in command);
  return writes ? writeErrorOf(answer) : undefined;
}

function writeErrorOf(answer: unknown): unknown {
  if (!isExports(answer)) return undefined;
  // Since 6.7 an answer may be one that is not read before somebody asks.
  const read = typeof answer.toObject === 'function' ? (answer.toObject as () => Record<string, unknown>)() : answer;
  const [first] = Array.isArray(read.writeErrors) ? read.writeErrors : [];
  return isExports(first) ? { name: 'MongoServerError', code: first.code, message: first.errmsg } : undefined;
}

function watchCheckOut(original: Method, databases: Databases): Method {
  const servers = new WeakMap<Pool, Server>();
  return function (this: Pool, ...args) {
    let server = servers.get(this);
    if (server === undefined) {
      servers.set(this, (server = serverAt(this.address)));
      const name = String(this.address);
      databases.pools.watch(this, name, read);
      const pool = new WeakRef(this);
      databases.targets.describe(serverName(server), () =>
        pool.deref()?.poolState === 'paused'
          ? { status: 'fail', output: 'the server cannot be reached, its pool is paused' }
          : databases.pools.waiting(name),
      );
    }
    const startedAt = performance.now();
    const known = server;
    const ended = (error?: unknown) => {
      if (!error) databases.pools.waited(this, (performance.now() - startedAt) / 1000);
      else if (isExports(error) && error.name === 'MongoWaitQueueTimeoutError') databases.pools.timedOut(this);
      databases.connected(known, startedAt, error || undefined);
    };
    const at = args.findLastIndex((arg) => typeof arg === 'function');
    if (at >= 0) {
      const callback = args[at];
      const context = active();
      args[at] = (error: unknown, ...rest: unknown[]) => {
        const proceed = () => {
          ended(error);
          return callback(error, ...rest);
        };
        return callIn(context, proceed, undefined, []);
      };
    }
    return settles(Reflect.apply(original, this, args), ended);
  };
}

/** No server was found in time: nothing was sent, so nothing else tells. */
function watchSelection(original: Method, databases: Databases): Method {
  return function (this: { s?: { seedlist?: readonly unknown[] } }, ...args) {
    const startedAt = performance.now();
    return settles(Reflect.apply(original, this, args), (error) => {
      if (error !== undefined) databases.connected(serverAt(String(this.s?.seedlist?.[0] ?? '')), startedAt, error);
    });
  };
}

function serverAt(address = ''): Server {
  const at = address.lastIndexOf(':');
  const port = Number(address.slice(at + 1)) || 27_017;
  return { system: 'mongodb', address: at > 0 ? address.slice(0, at) : address, port, namespace: undefined };
}

function read({
  currentCheckedOutCount: used,
  availableConnectionCount: idle,
  waitQueueSize: pending,
  options,
  closed,
}: Pool): PoolState | undefined {
  return closed ? undefined : { used, idle, max: options?.maxPoolSize || undefined, pending };
}
