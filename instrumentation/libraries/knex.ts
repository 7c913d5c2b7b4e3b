import { type Databases, databasesOf, poolName, type Server, serverName } from '../databases/databases.ts';
import type { PoolState } from '../databases/pools.ts';
import { settles } from '../settles.ts';
import { defineLibrary, isExports } from './define.ts';
import { loadedFile } from './official.ts';

/** Of `tarn`, on which knex's own pool is built. */
interface TarnPool {
  readonly max?: number;
  readonly destroyed?: boolean;
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
}

interface Client {
  readonly pool?: Partial<TarnPool>;
  readonly driverName?: string;
  readonly connectionSettings?: { readonly host?: string; readonly port?: number | string; readonly database?: string };
  acquireConnection(this: Client): Promise<unknown>;
}

/** `db.system.name` by knex's names of drivers. */
const SYSTEMS: Readonly<Record<string, string>> = {
  pg: 'postgresql',
  pgnative: 'postgresql',
  mysql: 'mysql',
  mysql2: 'mysql',
  mssql: 'microsoft.sql_server',
  oracledb: 'oracle.db',
  sqlite3: 'sqlite',
  'better-sqlite3': 'sqlite',
};
const PORTS: Readonly<Record<string, number>> = { postgresql: 5432, mysql: 3306 };

/**
 * The pool of knex. Its queries are those of the driver below, `pg` or `mysql2`: a span of knex around each would say the
 * same once more.
 *
 * @see https://knexjs.org/guide/#pool
 */
export const knex = defineLibrary<object>({
  name: 'knex',
  gives: 'The pool: used, idle, maximum, waiting, wait time, timeouts. Queries are those of the driver (pg, mysql2).',
  packages: { knex: '>=0.95.0 <4.0.0' },
  accepts: (exports): exports is object => isExports(exports) && typeof exports.knex === 'function',
  wire(_exports, kit, copy) {
    const prototype = (loadedFile(copy, 'knex/lib/client.js') as { prototype?: Client } | undefined)?.prototype;
    if (typeof prototype?.acquireConnection !== 'function') throw new Error('knex/lib/client.js has no acquireConnection');
    const databases = databasesOf(kit);
    const servers = new WeakMap<object, Server>();
    const { acquireConnection } = prototype;
    prototype.acquireConnection = function (this: Client) {
      const server = serverOf(this, servers, databases);
      const startedAt = performance.now();
      const result = acquireConnection.call(this);
      if (server === undefined) return result;
      const pool = this.pool as TarnPool;
      return settles(result, (error) => {
        if (error === undefined) databases.pools.waited(pool, (performance.now() - startedAt) / 1000);
        else if (isExports(error) && error.name === 'KnexTimeoutError') databases.pools.timedOut(pool);
        databases.connected(server, startedAt, error);
      });
    };
    return () => {
      prototype.acquireConnection = acquireConnection;
    };
  },
});

/** Undefined where the pool is one of a driver's own, which is watched by itself. */
function serverOf({ pool, driverName = '', connectionSettings }: Client, servers: WeakMap<object, Server>, databases: Databases) {
  if (pool === undefined || typeof pool.numUsed !== 'function') return undefined;
  const known = servers.get(pool);
  if (known !== undefined) return known;
  const { host, port, database } = connectionSettings ?? {};
  const system = SYSTEMS[driverName] ?? (driverName || 'other_sql');
  const server: Server = { system, address: host, port: Number(port) || PORTS[system], namespace: database };
  servers.set(pool, server);
  databases.pools.watch(pool as TarnPool, poolName(server), read);
  databases.targets.describe(serverName(server), () => databases.pools.waiting(poolName(server)));
  return server;
}

function read(pool: TarnPool): PoolState | undefined {
  return pool.destroyed
    ? undefined
    : { used: pool.numUsed(), idle: pool.numFree(), max: pool.max, pending: pool.numPendingAcquires() };
}
