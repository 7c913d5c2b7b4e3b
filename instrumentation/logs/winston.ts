import { logIds } from '../context.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import { LOG } from '../names.ts';
import { loggedError } from './errors.ts';
import { levelNumber } from './levels.ts';
import type { Shipping } from './shipping.ts';

// winston's triple-beam registers its symbols globally.
const LEVEL = Symbol.for('level');
const MESSAGE = Symbol.for('message');

const IDS: readonly string[] = [LOG.traceId, LOG.spanId, LOG.correlationId];
const MOST_META = 65_536;

type Info = Record<string | symbol, unknown>;
type Prototype = {
  write(this: any, info: Info, ...rest: unknown[]): boolean;
  push(this: any, info: unknown, ...rest: unknown[]): boolean;
};

/**
 * Gives every record of winston 3 the ids of its context, before the app's formats run, and ships what they made of it.
 * Formats and transports are the app's.
 */
export class WinstonWiring {
  readonly #shipping: Shipping;
  readonly #diagnostics: Diagnostics;
  readonly #undo: (() => void)[] = [];
  readonly #wired = new WeakSet<object>();
  #lastText: unknown;

  constructor(shipping: Shipping, diagnostics: Diagnostics) {
    this.#shipping = shipping;
    this.#diagnostics = diagnostics;
  }

  /** Whether this text was just shipped: winston's console transport can write through the console. */
  wrote(text: unknown): boolean {
    return text !== undefined && text === this.#lastText;
  }

  adopt(exported: unknown): void {
    try {
      const prototype = (exported as { Logger?: { prototype?: Prototype } })?.Logger?.prototype;
      if (typeof prototype?.write !== 'function' || typeof prototype.push !== 'function' || this.#wired.has(prototype)) return;
      this.#wired.add(prototype);
      this.#wire(prototype);
    } catch (error) {
      this.#diagnostics.warn(
        `O11Y_INSTRUMENTATION: winston could not be wired: its lines carry no ids and are not shipped. ${reason(error)}`,
        'winston',
      );
    }
  }

  stop(): void {
    for (const undo of this.#undo.splice(0)) undo();
    this.#lastText = undefined;
  }

  #wire(prototype: Prototype): void {
    const { write, push } = prototype;
    const ship = (logger: any, info: Info) => this.#ship(logger, info);

    // `write` runs in the caller's context; what follows may wait for a slow transport.
    replace(
      prototype,
      'write',
      function (this: any, info, ...rest) {
        try {
          addIds(info);
        } catch {
          // A frozen record goes without ids.
        }
        return write.call(this, info, ...rest);
      } satisfies Prototype['write'],
      this.#undo,
    );
    replace(
      prototype,
      'push',
      function (this: any, info, ...rest) {
        try {
          if (info !== null && typeof info === 'object' && (info as Info)[LEVEL]) ship(this, info as Info);
        } catch {
          // A record that cannot be shipped is still written.
        }
        return push.call(this, info, ...rest);
      } satisfies Prototype['push'],
      this.#undo,
    );
  }

  #ship(logger: any, info: Info): void {
    const level = String(info[LEVEL]);
    if (!logger.isLevelEnabled?.(level)) return;
    const { level: _, message, ...meta } = info;
    // A logged error is the record itself; what tells of it is not enumerable.
    const err = info instanceof Error ? { err: loggedError(info) } : undefined;
    const msg = typeof message === 'string' ? message : plain({ message }).message;
    const line = JSON.stringify({ level, ...plain(meta), ...err, msg });
    this.#lastText = info[MESSAGE];
    this.#shipping.ship(line, levelNumber(level), Date.now(), 'msg');
  }
}

function addIds(info: Info): void {
  if (info === null || typeof info !== 'object' || !Object.isExtensible(info)) return;
  if (IDS.some((key) => key in info)) return;
  Object.assign(info, logIds());
}

/** The record's further members as they can be written; those that cannot are left out. */
function plain(members: Info): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const key of Object.keys(members)) {
    const value = members[key];
    if (typeof value === 'function' || value === undefined) continue;
    if (value instanceof Error) kept[key] = loggedError(value);
    else if (typeof value !== 'object' || value === null) kept[key] = typeof value === 'bigint' ? String(value) : value;
    else {
      try {
        const json = JSON.stringify(value);
        kept[key] = json.length > MOST_META ? '[truncated]' : JSON.parse(json);
      } catch {
        kept[key] = '[unreadable]';
      }
    }
  }
  return kept;
}

function replace<K extends keyof Prototype>(prototype: Prototype, key: K, ours: Prototype[K], undo: (() => void)[]): void {
  const own = Object.getOwnPropertyDescriptor(prototype, key);
  Object.defineProperty(prototype, key, { value: ours, writable: true, configurable: true });
  undo.push(() => {
    if (prototype[key] !== ours) return;
    if (own) Object.defineProperty(prototype, key, own);
    else delete (prototype as Partial<Prototype>)[key];
  });
}
