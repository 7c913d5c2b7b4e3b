import { ROOT, storage } from '../context.ts';
import { Clients } from '../databases/clients.ts';
import { databasesOf } from '../databases/databases.ts';
import { describeCommand } from '../databases/redis.ts';
import { defineLibrary, isExports } from './define.ts';
import { adopt } from './official.ts';

interface Redis {
  /** `wait`, `connecting`, `connect`, `ready`, `reconnecting`, `close`, `end` */
  readonly status: string;
  readonly options?: { readonly host?: string; readonly port?: number };
  sendCommand(command: object, ...rest: unknown[]): unknown;
  connect(...args: unknown[]): unknown;
}

type Exports = { readonly prototype: Redis };

/**
 * ioredis, commands through the official instrumentation.
 *
 * @see https://github.com/redis/ioredis
 */
export const ioredis = defineLibrary<Exports>({
  name: 'ioredis',
  gives: 'Commands by name, never a key or value: spans, durations, slow ones; health from the state of the connection.',
  packages: { ioredis: '>=4.17.3 <7.0.0' },
  accepts: (exports): exports is Exports =>
    typeof exports === 'function' && isExports(exports.prototype) && typeof exports.prototype.sendCommand === 'function',
  wire(exports, kit, copy) {
    const { prototype } = exports;
    const databases = databasesOf(kit);
    const clients = new Clients<Redis>(databases.targets, ({ status }) =>
      status === 'reconnecting' || status === 'close' ? `the connection is lost, the client is ${status}` : undefined,
    );
    const { connect, sendCommand } = prototype;
    const undo = adopt(kit, copy, exports, {
      name: 'ioredis',
      config: { requireParentSpan: false, dbStatementSerializer: describeCommand },
      tracerProvider: databases.drivers,
    });
    const [tracedConnect, tracedSend] = [prototype.connect, prototype.sendCommand];

    // A connection outlives the request that opened it, and what arrives on it later, a message to a subscriber for one,
    // belongs to no request.
    prototype.connect = function (this: Redis, ...args) {
      clients.watch(this, { system: 'redis', address: this.options?.host, port: this.options?.port, namespace: undefined });
      return storage.run(ROOT, () => connect.apply(this, args));
    };
    // What waited for the connection is sent by a second call with the same command.
    const sent = new WeakSet<object>();
    prototype.sendCommand = function (this: Redis, command, ...rest) {
      // Its handshake, with commands that older servers refuse, is no doing of the app's.
      const handshake = this.status === 'connect' && storage.getStore() === ROOT;
      if (handshake || !isExports(command) || sent.has(command)) return sendCommand.call(this, command, ...rest);
      sent.add(command);
      return toldOfRefusal(command, () => tracedSend.call(this, command, ...rest));
    };
    return () => {
      Object.assign(prototype, { connect: tracedConnect, sendCommand: tracedSend });
      undo();
    };
  },
});

/**
 * A command that cannot be sent (no connection and no queue for it, a client that was closed or is subscribed) is rejected
 * while `sendCommand` runs. The official instrumentation listens from then on only, so it is told once more.
 */
function toldOfRefusal<T>(command: Record<PropertyKey, unknown>, send: () => T): T {
  const { reject } = command;
  if (typeof reject !== 'function') return send();
  let refusal: { readonly error: unknown } | undefined;
  command.reject = (error: unknown) => {
    if (refusal !== undefined) return;
    refusal = { error };
    reject(error);
  };
  const result = send();
  if (refusal !== undefined) (command.reject as (error: unknown) => void)(refusal.error);
  return result;
}
