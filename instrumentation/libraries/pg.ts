import { active, callIn } from '../context.ts';
import { databasesOf, poolName, type Server, serverName } from '../databases/databases.ts';
import type { PoolState } from '../databases/pools.ts';
import type { Kit } from '../kit.ts';
import { settles } from '../settles.ts';
import { defineLibrary, isExports, type Undo } from './define.ts';
import { loadedFile } from './official.ts';
import { watchQueries } from './pg-queries.ts';

type ClientClass = { readonly prototype: object } & (new (options?: object) => object);

interface PgExports {
  readonly Client: ClientClass;
}

type Connected = (error: unknown, ...rest: unknown[]) => unknown;

interface Pool {
  readonly Client: ClientClass;
  readonly options: {
    readonly host?: string;
    readonly port?: number | string;
    readonly database?: string;
    readonly max?: number;
  };
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly ended?: boolean;
  connect(callback?: Connected): unknown;
}

type PoolExports = { readonly prototype: Pool };

/** How node-postgres reads its options: connection strings, defaults and the environment. */
type Parameters = new (options: object) => { readonly host?: string; readonly port?: number; readonly database?: string };

const parametersOf = new WeakMap<ClientClass, Parameters>();

/**
 * node-postgres: its queries, and its pool, which is a package of its own.
 *
 * @see https://node-postgres.com/apis/pool
 */
export const pg = defineLibrary<PgExports | PoolExports>({
  name: 'pg',
  gives:
    'Queries by operation and table: spans, durations, slow ones, health; the pool: used, idle, waiting, wait time, timeouts.',
  packages: { pg: '>=8.0.3 <9.0.0', 'pg-pool': '>=2.0.0 <4.0.0' },
  accepts: (exports): exports is PgExports | PoolExports =>
    isExports(exports) && (typeof exports.Client === 'function' || isPool(exports)),
  wire(exports, kit, copy) {
    if (isPool(exports)) return watchConnect(exports.prototype, kit);
    const Parameters = loadedFile(copy, 'pg/lib/connection-parameters.js');
    if (typeof Parameters === 'function') parametersOf.set(exports.Client, Parameters as Parameters);
    return watchQueries(exports.Client.prototype, databasesOf(kit).drivers);
  },
});

function isPool(exports: unknown): exports is PoolExports {
  return typeof exports === 'function' && typeof exports.prototype?.connect === 'function';
}

const TIMEOUT = /timeout exceeded when trying to connect/;

function watchConnect(prototype: Pool, kit: Kit): Undo {
  const databases = databasesOf(kit);
  const servers = new WeakMap<Pool, Server>();
  const { connect } = prototype;

  prototype.connect = function (this: Pool, callback) {
    const server = serverOf(this);
    const startedAt = performance.now();
    const ended = (error?: unknown) => {
      if (error === undefined || error === null) databases.pools.waited(this, (performance.now() - startedAt) / 1000);
      else if (TIMEOUT.test(String((error as Partial<Error>).message))) databases.pools.timedOut(this);
      databases.connected(server, startedAt, error);
    };
    if (typeof callback === 'function') {
      // A caller that waited is called from where a connection was given back, which is in another request.
      const context = active();
      return connect.call(this, (error, ...rest) => {
        const proceed = () => {
          ended(error);
          return callback(error, ...rest);
        };
        return callIn(context, proceed, undefined, []);
      });
    }
    return settles(connect.call(this), ended);
  };
  return () => {
    prototype.connect = connect;
  };

  function serverOf(pool: Pool): Server {
    let server = servers.get(pool);
    if (server === undefined) {
      servers.set(pool, (server = describe(pool)));
      const name = poolName(server);
      databases.pools.watch(pool, name, read);
      databases.targets.describe(serverName(server), () => databases.pools.waiting(name));
    }
    return server;
  }
}

function describe(pool: Pool): Server {
  const options = pool.options ?? {};
  let { host, port, database } = options;
  try {
    const Parameters = parametersOf.get(pool.Client);
    if (Parameters !== undefined) ({ host, port, database } = new Parameters(options));
  } catch {
    // What it cannot read, no connection can be made with either.
  }
  return { system: 'postgresql', address: host, port: Number(port) || 5432, namespace: database };
}

function read(pool: Pool): PoolState | undefined {
  const { totalCount, idleCount, waitingCount, options, ended } = pool;
  if (ended) return undefined;
  return { used: totalCount - idleCount, idle: idleCount, max: options.max, pending: waitingCount };
}
