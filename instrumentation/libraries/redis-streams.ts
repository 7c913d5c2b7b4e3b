import type { Kit } from '../kit.ts';
import { createRedisStreams, isStreamCommand, type Sender } from '../messaging/redis-streams.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';
import { loadedFile } from './official.ts';
import { type Method, patch } from './patch.ts';

/** ioredis' `Command`, and its client. */
interface Command {
  readonly name: string;
  readonly args: unknown[];
  resolve(answer: unknown): void;
}

interface IoRedis {
  readonly status: string;
  readonly options?: { readonly host?: string; readonly port?: number; readonly db?: number; readonly keyPrefix?: string };
  call(...words: string[]): Promise<unknown>;
}

/** node-redis' client. */
interface NodeRedis {
  readonly isReady: boolean;
  readonly options?: {
    readonly url?: string;
    readonly database?: number;
    readonly socket?: { readonly host?: string; readonly port?: number; readonly path?: string };
  };
  sendCommand(words: readonly string[]): Promise<unknown>;
}

type Exports = Record<string, unknown>;

/**
 * Redis Streams through ioredis and node-redis.
 *
 * An entry has no place for a context but its fields: those that are written inside a trace get two more, `traceparent` and
 * the correlation header, at their end. A reader that runs with the kit does not see them; any other one does. Whoever
 * minds puts `redis-streams` into `OTEL_NODE_DISABLED_INSTRUMENTATIONS`, which leaves the commands themselves visible.
 */
export const redisStreams = defineLibrary<Exports>({
  name: 'redis-streams',
  gives:
    'Length of the streams in use, lag and pending entries of their groups; entries written inside a trace carry it in two more fields (`traceparent`, the correlation header), which readers with the kit do not see, and reads link to them.',
  packages: { ioredis: '>=4.17.3 <7.0.0', '@redis/client': '>=5.0.0 <7.0.0' },
  accepts: (exports): exports is Exports =>
    isExports(exports) &&
    ((isExports(exports.prototype) && typeof exports.prototype.sendCommand === 'function') ||
      typeof exports.createClient === 'function'),
  wire(exports, kit, copy) {
    if (copy.name === 'ioredis') return wireIoRedis(exports.prototype as object, kit);
    const file = loadedFile(copy, '@redis/client/dist/lib/client/index.js') as { default?: { prototype?: object } } | undefined;
    if (file?.default?.prototype === undefined) throw new Error('@redis/client has no class of clients');
    return wireNodeRedis(file.default.prototype, kit);
  },
});

function wireIoRedis(prototype: object, kit: Kit): Undo {
  const streams = createRedisStreams(kit);
  // A command is sent once more after a reconnect, and what waited for the connection comes here twice.
  const seen = new WeakSet<object>();

  function sendCommand(original: Method): Method {
    return function (this: IoRedis, ...args) {
      const command: Command | undefined = args[0];
      if (isExports(command) && !seen.has(command)) observe(this, command);
      return original.apply(this, args);
    };
  }

  function observe(client: IoRedis, command: Command): void {
    const name = String(command.name).toUpperCase();
    if (!isStreamCommand(name)) return;
    seen.add(command);
    const { add, onAnswer } = streams.command(ioRedisSender(client), name, command.args);
    command.args.push(...add);
    if (onAnswer === undefined) return;
    const { resolve } = command;
    command.resolve = function (this: Command, answer) {
      onAnswer(answer);
      resolve.call(this, answer);
    };
  }

  return together([patch(prototype, 'sendCommand', sendCommand), () => streams.stop()]);
}

function ioRedisSender(client: IoRedis): Sender {
  const { host = 'localhost', port = 6379, db = 0 } = client.options ?? {};
  return { owner: client, server: `${host}:${port}/${db}`, client: askIoRedis };
}

function askIoRedis(owner: object) {
  const client = owner as IoRedis;
  const { host = 'localhost', port = 6379, db = 0, keyPrefix = '' } = client.options ?? {};
  return {
    server: `${host}:${port}/${db}`,
    ready: client.status === 'ready',
    // The client puts its prefix before keys, and the key that was seen has it already.
    ask: (...words: string[]) => {
      const key = words[words.length - 1];
      const own = key.startsWith(keyPrefix) ? key.slice(keyPrefix.length) : key;
      return client.call(...words.slice(0, -1), own);
    },
  };
}

function wireNodeRedis(prototype: object, kit: Kit): Undo {
  const streams = createRedisStreams(kit);

  function sendCommand(original: Method): Method {
    return function (this: NodeRedis, ...args) {
      const words: unknown = args[0];
      const name = Array.isArray(words) ? String(words[0]).toUpperCase() : '';
      if (!isStreamCommand(name)) return original.apply(this, args);
      const { add, onAnswer } = streams.command(nodeRedisSender(this), name, (words as unknown[]).slice(1));
      const sent = add.length === 0 ? args : [[...(words as unknown[]), ...add], ...args.slice(1)];
      const result = original.apply(this, sent);
      if (onAnswer === undefined) return result;
      return (result as Promise<unknown>).then((answer) => {
        onAnswer(answer);
        return answer;
      });
    };
  }

  return together([patch(prototype, 'sendCommand', sendCommand), () => streams.stop()]);
}

function nodeRedisSender(client: NodeRedis): Sender {
  return { owner: client, server: serverOf(client), client: askNodeRedis };
}

function askNodeRedis(owner: object) {
  const client = owner as NodeRedis;
  return { server: serverOf(client), ready: client.isReady, ask: (...words: string[]) => client.sendCommand(words) };
}

function serverOf({ options }: NodeRedis): string {
  const { host = 'localhost', port = 6379, path } = options?.socket ?? {};
  return `${path ?? `${host}:${port}`}/${options?.database ?? 0}`;
}
