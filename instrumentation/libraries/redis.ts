import { SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { ROOT, storage } from '../context.ts';
import { Clients } from '../databases/clients.ts';
import { databasesOf } from '../databases/databases.ts';
import { describeCommand } from '../databases/redis.ts';
import { follow } from '../settles.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';
import { adopt, loadedFile } from './official.ts';

interface Client {
  readonly options?: { readonly socket?: { readonly host?: string; readonly port?: number } };
  readonly isOpen: boolean;
  readonly isReady: boolean;
  connect(...args: unknown[]): unknown;
}

type Prototype = Client & { [method: string]: unknown };
type Executor = (this: Client, ...args: unknown[]) => unknown;

const FILES = '@redis/client/dist/lib/client';

/**
 * node-redis: its client is `@redis/client`, which `redis` and all its modules share. Through the official instrumentation;
 * that one patches version 4 while its files load, so for it each command is wrapped here.
 *
 * @see https://github.com/redis/node-redis
 */
export const redis = defineLibrary<Record<string, unknown>>({
  name: 'redis',
  gives: 'Commands by name, never a key or value: spans, durations, slow ones; health from the state of the connection.',
  packages: { '@redis/client': '>=1.1.0 <2.0.0 || >=5.0.0 <7.0.0' },
  accepts: (exports): exports is Record<string, unknown> => isExports(exports) && typeof exports.createClient === 'function',
  wire(exports, kit, copy) {
    const prototype = prototypeIn(loadedFile(copy, `${FILES}/index.js`));
    if (typeof prototype?.connect !== 'function') throw new Error(`${FILES}/index.js has no class with connect`);
    const databases = databasesOf(kit);
    const clients = new Clients<Client>(databases.targets, ({ isOpen, isReady }) =>
      isOpen && !isReady ? 'the connection is lost, the client is reconnecting' : undefined,
    );
    const { connect } = prototype;
    const undo = adopt(kit, copy, exports, {
      name: 'redis',
      config: { requireParentSpan: false, dbStatementSerializer: describeCommand },
      tracerProvider: databases.drivers,
    });
    const commands = loadedFile(copy, `${FILES}/commands.js`) as { default?: object } | undefined;
    const unwrap = copy.version?.startsWith('1.')
      ? wrapCommands(prototype, Object.keys(commands?.default ?? {}), databases.drivers.getTracer(''))
      : () => {};

    const multi = prototypeIn(loadedFile(copy, `${FILES}/multi-command.js`));
    const tracedAdd = multi?.addCommand as Executor | undefined;
    if (multi !== undefined && tracedAdd !== undefined)
      multi.addCommand = function (this: Client, ...args: unknown[]) {
        return databases.batched(() => tracedAdd.apply(this, args));
      };

    // See ioredis.ts: a connection, and what arrives on it, belongs to no request.
    prototype.connect = function (this: Client, ...args) {
      const { host = 'localhost', port = 6379 } = this.options?.socket ?? {};
      clients.watch(this, { system: 'redis', address: host, port, namespace: undefined });
      return storage.run(ROOT, () => connect.apply(this, args));
    };
    return together([
      undo,
      unwrap,
      () => {
        if (multi !== undefined && tracedAdd !== undefined) multi.addCommand = tracedAdd;
        prototype.connect = connect;
      },
    ]);
  },
});

/** Of the class that a file exports by default. */
function prototypeIn(file: unknown): Prototype | undefined {
  return (file as { default?: { prototype?: Prototype } } | undefined)?.default?.prototype;
}

/** `hSet` and `HSET` are two methods of one command, neither of which calls the other. */
function wrapCommands(prototype: Prototype, names: readonly string[], tracer: Tracer): Undo {
  const originals = new Map<string, Executor>();
  for (const name of names) {
    const original = prototype[name];
    if (typeof original !== 'function') continue;
    const command = name.replace('_', ' ').toUpperCase();
    originals.set(name, original as Executor);
    (prototype as Record<string, unknown>)[name] = function (this: Client, ...args: unknown[]) {
      const { host, port } = this.options?.socket ?? {};
      const span = tracer.startSpan(command, {
        kind: SpanKind.CLIENT,
        attributes: {
          'db.system.name': 'redis',
          'db.operation.name': command,
          'db.query.text': describeCommand(command, args.some(blocks) ? ['BLOCK'] : []),
          'server.address': host,
          'server.port': port,
        },
      });
      const result = (original as Executor).apply(this, args);
      return follow(result, (error) => {
        if (error !== undefined) {
          span.recordException(error as Error);
          span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
        }
        span.end();
      });
    };
  }
  return () => Object.assign(prototype, Object.fromEntries(originals));
}

/** `XREAD` takes `{ BLOCK: milliseconds }`. */
function blocks(argument: unknown): boolean {
  return isExports(argument) && argument.BLOCK !== undefined;
}
