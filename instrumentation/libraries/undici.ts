import { ROOT, storage } from '../context.ts';
import { httpConnectionsOf, type PoolReading, whereIs } from '../recorders/http-connections.ts';
import { WeakList } from '../weak-list.ts';
import { defineLibrary, isExports, together } from './define.ts';
import { patch } from './patch.ts';

type Symbols = Record<symbol, unknown>;

interface Exports {
  readonly Pool: { readonly prototype: object };
  readonly Client: { readonly prototype: object };
}

/** A call that waits in a pool, where it is not yet a request. */
interface Queued {
  readonly since: number;
  readonly context: ReturnType<typeof storage.getStore>;
}

/**
 * The queue in front of undici's pools (those of its agents too), which no channel tells of. What is on a connection or waits
 * for a single client is seen without this, see http/undici.ts.
 *
 * @see https://undici.nodejs.org/#/docs/api/Pool
 */
export const undici = defineLibrary<Exports>({
  name: 'undici',
  gives:
    'Pools and agents with `connections`: their maximum, and the calls that wait, each in the trace of its caller. Requests, connections and wait times need no library.',
  packages: { undici: '>=5.0.0 <9.0.0' },
  accepts: (exports): exports is Exports =>
    isExports(exports) && typeof exports.Pool === 'function' && typeof exports.Client === 'function',
  wire({ Pool, Client }, kit) {
    const base = Object.getPrototypeOf(Pool.prototype) as Symbols;
    const dispatch = symbolOf(base, 'dispatch');
    if (dispatch === undefined || !Object.hasOwn(Client.prototype, dispatch)) throw new Error('its pools have no dispatch');
    const connections = httpConnectionsOf(kit);
    const pools = new WeakList<Symbols>();
    // A pool hands its clients the handler that it was given, and no two calls that wait have the same.
    const queued = new WeakMap<object, Queued>();
    let count: symbol | undefined;

    return together([
      connections.gather(() => pools.read(readingOf)),
      patch(
        base,
        dispatch,
        (original) =>
          function (this: Symbols, options, handler) {
            pools.add(this);
            count ??= symbolOf(this, 'queued');
            const before = count && this[count];
            const result = original.call(this, options, handler);
            if (count && (this[count] as number) > (before as number) && !queued.has(handler))
              queued.set(handler, { since: performance.now(), context: storage.getStore() });
            return result;
          },
      ),
      patch(
        Client.prototype,
        dispatch,
        (original) =>
          function (this: unknown, options, handler) {
            const call = queued.get(handler);
            if (call === undefined) return original.call(this, options, handler);
            queued.delete(handler);
            connections.queuedAt = call.since;
            try {
              // Here runs the end of somebody else's request, which made room.
              return storage.run(call.context ?? ROOT, () => original.call(this, options, handler));
            } finally {
              connections.queuedAt = undefined;
            }
          },
      ),
    ]);
  },
});

/** Undefined where there is nothing to ask, or nothing any more. */
function readingOf(pool: Symbols & { readonly destroyed?: boolean }): PoolReading | undefined {
  const read = (description: string) => {
    const symbol = symbolOf(pool, description);
    return symbol && pool[symbol];
  };
  // A BalancedPool goes to several; its pools are seen by themselves.
  const url = read('url');
  if (pool.destroyed === true || !(url instanceof URL)) return undefined;
  return {
    ...whereIs(url),
    waiting: Number(read('queued')) || 0,
    max: Number(read('connections')) || Infinity,
  };
}

/** Its symbols are private to each copy, and have kept their descriptions since version 5. */
function symbolOf(holder: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(holder).find((symbol) => symbol.description === description);
}
