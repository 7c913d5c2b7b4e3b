import { isatty } from 'node:tty';
import { inspect } from 'node:util';
import type { Redactor } from '../redaction.ts';
import { createConsoleLine } from './console-line.ts';
import type { Shipping } from './shipping.ts';

/** The methods that write, with pino's level. All others (table, trace, assert, count, timeEnd, group) call one of these. */
const WRITERS = { log: 30, info: 30, debug: 20, warn: 40, error: 50 } as const;
const TRACE = 10;
type Method = (...args: any[]) => void;
type Writer = keyof typeof WRITERS;
type Name = Writer | 'dir' | 'dirxml';

interface Dependencies {
  readonly mode: 'auto' | 'off' | 'ship' | 'json';
  readonly format: 'auto' | 'json' | 'pretty';
  readonly service: string;
  readonly redactor: Redactor;
  readonly shipping: Shipping;
  readonly categorize?: (error: unknown) => string;
  readonly isServer: () => boolean;
  /** Whether a text comes from a logger that ships its records itself. */
  readonly isShipped: (text: unknown) => boolean;
}

/**
 * Ships what the app writes to the global console, and writes it as JSON where that is wanted. What the app sees of its
 * console stays: return values, exceptions, formatting, the order of lines, consoles that it made itself.
 *
 * @returns what gives the methods back that are still ours.
 */
export function captureConsole(dependencies: Dependencies): () => void {
  const { mode, format, shipping, isServer, isShipped } = dependencies;
  if (mode === 'off') return () => {};
  const target = globalThis.console as unknown as Record<Name, Method>;
  const line = createConsoleLine(dependencies);
  const undo: (() => void)[] = [];
  let busy = false;

  /** Decided for each line: a process becomes a server some time after it has started. */
  function asJson(name: Writer): boolean {
    if (mode !== 'auto') return mode === 'json';
    if (format === 'pretty' || !isServer()) return false;
    // Asked of the descriptors: touching process.stdout would open a stream that the app may never use.
    return format === 'json' || !(isatty(1) || (isatty(2) && (name === 'warn' || name === 'error')));
  }

  function writer(name: Writer, original: Method): Method {
    return function (this: unknown, ...args) {
      if (busy || (args.length === 1 && isShipped(args[0]))) return original.apply(this, args);
      const level = levelOf(name, args);
      busy = true;
      try {
        if (!asJson(name)) {
          original.apply(this, args);
          capture(level, args);
          return;
        }
        const json = capture(level, args);
        if (json === undefined) original.apply(this, args);
        else original.call(this, json.trimEnd());
      } finally {
        busy = false;
      }
    };
  }

  function capture(level: number, args: unknown[]): string | undefined {
    try {
      const { json, level: found, time, messageKey } = line(level, args);
      shipping.ship(json, found, time, messageKey);
      return json;
    } catch {
      // An argument that cannot be formatted: the console itself says so, or writes it.
      return undefined;
    }
  }

  for (const name of Object.keys(WRITERS) as Writer[]) replace(name, (original) => writer(name, original));
  // The other methods that write by themselves.
  replace('dirxml', (original) => writer('log', original));
  replace('dir', (original) => {
    const print = writer('log', target.log);
    return function (this: unknown, object, options, ...rest) {
      if (busy) return original.call(this, object, options, ...rest);
      if (asJson('log')) return print(inspect(object, { customInspect: false, ...options }));
      original.call(this, object, options, ...rest);
      capture(WRITERS.log, [inspect(object, { customInspect: false, ...options, colors: false })]);
    };
  });

  function replace(name: Name, make: (original: Method) => Method): void {
    const original = target[name];
    if (typeof original !== 'function') return;
    const ours = make(original);
    Object.defineProperty(ours, 'name', { value: original.name, configurable: true });
    target[name] = ours;
    undo.push(() => {
      if (target[name] === ours) target[name] = original;
    });
  }

  return () => {
    for (const give of undo.splice(0)) give();
  };
}

/**
 * console.trace writes its stack through console.error, console.assert its failure through console.warn. They are told by
 * their text: wrapped, they would add a frame of ours to the stack.
 */
function levelOf(name: Writer, args: readonly unknown[]): number {
  const text = args[0];
  if (typeof text !== 'string') return WRITERS[name];
  if (name === 'error' && args.length === 1 && /^Trace(?::|\n {4}at )/.test(text)) return TRACE;
  if (name === 'warn' && text.startsWith('Assertion failed')) return WRITERS.error;
  return WRITERS[name];
}
