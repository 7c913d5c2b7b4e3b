import { active, callIn } from '../context.ts';
import { type Databases, databasesOf, poolName, type Server, serverName } from '../databases/databases.ts';
import type { PoolState } from '../databases/pools.ts';
import { telling } from '../traces/call-tracer.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';
import { adopt, loadedFile } from './official.ts';
import { once } from './patch.ts';

type Callback = (error: unknown, ...rest: unknown[]) => unknown;

interface Connection {
  query(this: unknown, ...args: unknown[]): unknown;
  execute(this: unknown, ...args: unknown[]): unknown;
}

interface Pool {
  readonly config?: {
    readonly connectionLimit?: number;
    readonly connectionConfig?: { readonly host?: string; readonly port?: number | string; readonly database?: string };
  };
  readonly _closed?: boolean;
  readonly _allConnections: { readonly length: number };
  readonly _freeConnections: { readonly length: number };
  readonly _connectionQueue: { readonly length: number };
  getConnection(callback?: Callback): unknown;
}

/** Where the prototypes are: the two lay in `lib/` before 3.11, in `lib/base/` since. */
const CONNECTION = ['mysql2/lib/base/connection.js', 'mysql2/lib/connection.js'];
const POOL = ['mysql2/lib/base/pool.js', 'mysql2/lib/pool.js'];

/**
 * mysql2, for MySQL and MariaDB: queries through the official instrumentation, and its pool.
 *
 * @see https://sidorares.github.io/node-mysql2/docs
 */
export const mysql2 = defineLibrary<object>({
  name: 'mysql2',
  gives: 'Queries by operation and table: spans, durations, slow ones, health; the pool: used, idle, waiting, wait time.',
  packages: { mysql2: '>=2.0.0 <4.0.0', 'mysql2/promise': '>=2.0.0 <4.0.0' },
  accepts: (exports): exports is object =>
    isExports(exports) && typeof exports.createPool === 'function' && typeof exports.createConnection === 'function',
  wire(exports, kit, copy) {
    const find = <T>(files: readonly string[], method: string): T | undefined =>
      files
        .map((file) => (loadedFile(copy, file) as { prototype?: Record<string, unknown> } | undefined)?.prototype)
        .find((prototype) => typeof prototype?.[method] === 'function') as T | undefined;
    const connection = find<Connection>(CONNECTION, 'query');
    const pool = find<Pool>(POOL, 'getConnection');
    if (connection === undefined) throw new Error(`none of ${CONNECTION.join(', ')} has a class with query`);
    // `mysql2` and `mysql2/promise` are two entries to the same classes.
    return once(connection, () => {
      const databases = databasesOf(kit);
      return together([
        watchCallbacks(connection, 'query'),
        watchCallbacks(connection, 'execute'),
        adopt(kit, copy, exports, {
          name: 'mysql2',
          // The statement as it is: it is reduced to its shape here, with the placeholders of its values left in.
          config: { maskStatement: true, maskStatementHook: (query: string) => query },
          tracerProvider: databases.drivers,
        }),
        pool === undefined ? () => {} : watchPool(pool, databases),
      ]);
    });
  },
});

/**
 * The official instrumentation hands on an error's message only, and mysql2 calls back in the context of its connection,
 * which is that of whoever opened it.
 */
function watchCallbacks(prototype: Connection, name: 'query' | 'execute'): Undo {
  const original = prototype[name];
  prototype[name] = function (...args) {
    const context = active();
    const watch = (callback: Callback): Callback =>
      function (this: unknown, error, ...rest) {
        const proceed = () => callIn(context, callback, this, [error, ...rest]);
        return error ? telling(error, proceed) : proceed();
      };
    const at = args.findLastIndex((arg) => typeof arg === 'function');
    const [first] = args;
    if (at >= 0) args[at] = watch(args[at] as Callback);
    else if (isExports(first) && typeof first.onResult === 'function') first.onResult = watch(first.onResult as Callback);
    return Reflect.apply(original, this, args);
  };
  return () => {
    prototype[name] = original;
  };
}

function watchPool(prototype: Pool, databases: Databases): Undo {
  const servers = new WeakMap<Pool, Server>();
  // A caller that waited is taken from the queue by a second call with the same callback.
  const watched = new WeakSet<Callback>();
  const { getConnection } = prototype;

  prototype.getConnection = function (this: Pool, callback) {
    if (typeof callback !== 'function' || watched.has(callback)) return getConnection.call(this, callback);
    const server = serverOf(this);
    const startedAt = performance.now();
    const context = active();
    const called: Callback = (error, ...rest) => {
      const proceed = () => {
        if (!error) databases.pools.waited(this, (performance.now() - startedAt) / 1000);
        databases.connected(server, startedAt, error || undefined);
        return callback(error, ...rest);
      };
      return callIn(context, proceed, undefined, []);
    };
    watched.add(called);
    return getConnection.call(this, called);
  };
  return () => {
    prototype.getConnection = getConnection;
  };

  function serverOf(pool: Pool): Server {
    let server = servers.get(pool);
    if (server === undefined) {
      const { host, port, database } = pool.config?.connectionConfig ?? {};
      server = { system: 'mysql', address: host, port: Number(port) || 3306, namespace: database };
      servers.set(pool, server);
      const name = poolName(server);
      databases.pools.watch(pool, name, read);
      databases.targets.describe(serverName(server), () => databases.pools.waiting(name));
    }
    return server;
  }
}

function read({
  _closed: closed,
  _allConnections: all,
  _freeConnections: free,
  _connectionQueue: queue,
  config,
}: Pool): PoolState | undefined {
  return closed
    ? undefined
    : { used: all.length - free.length, idle: free.length, max: config?.connectionLimit, pending: queue.length };
}
