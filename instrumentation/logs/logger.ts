import { format } from 'node:util';
import { logFields } from '../context.ts';
import { LOG } from '../names.ts';
import type { Redactor } from '../redaction.ts';
import { loggedError } from './errors.ts';
import { LEVELS, type Level } from './levels.ts';
import { isoTime } from './time.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** pino's calling convention: a text, or an object (or an error) and a text; further arguments fill `%s`, `%d`, `%o`. */
export interface LogMethod {
  (message: string, ...args: unknown[]): void;
  (fields: Fields | Error | null | undefined, message?: string, ...args: unknown[]): void;
}

/**
 * The kit's own logger, for apps that have none. Each line carries the ids of its request; secrets are removed.
 *
 * @example
 * const log = logger.child({ component: 'billing' });
 * log.info({ operation: 'invoice', duration_ms: 12 }, 'invoice sent');
 * log.error(error, 'invoice failed');
 */
export interface Logger {
  readonly level: Level;
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  isLevelEnabled(level: Level): boolean;
  /** A logger whose lines all carry these fields; `component` names a part of the app. */
  child(fields: Fields): Logger;
}

/** Takes a finished line. */
export type Emit = (line: string, level: number, time: number) => void;

interface Dependencies {
  readonly level: Level;
  readonly service: string;
  readonly redactor: Redactor;
  readonly categorize?: (error: unknown) => string;
  readonly emit: Emit;
}

/** Members that the line has of itself: a field of that name is written under another. */
const OWN = new Set(['level', 'time', 'service', 'msg']);
const IDS: readonly string[] = Object.values(LOG);
const MOST_MESSAGE = 32_768;

export function createLogger(dependencies: Dependencies, bindings: Fields = {}): Logger {
  const { level: threshold, service, redactor, categorize, emit } = dependencies;
  const least = LEVELS[threshold];
  const bound = members(bindings);
  const serviceField = `,"service":${JSON.stringify(service)}`;

  function method(level: Level): LogMethod {
    const number = LEVELS[level];
    if (number < least) return () => {};
    return (first: unknown, ...rest: unknown[]) => {
      try {
        log(level, number, first, rest);
      } catch {
        // A hostile object must not reach the app through its own log line.
      }
    };
  }

  function log(level: Level, number: number, first: unknown, rest: unknown[]): void {
    const fields = typeof first === 'object' && first !== null ? (first as Fields) : undefined;
    const message = messageOf(fields, typeof first === 'object' || first === undefined ? rest : [first, ...rest]);
    const own = fields instanceof Error ? members({ err: fields }) : fields ? members(fields) : '';
    const time = Date.now();
    const ids = own === '' && bound === '' ? logFields() : freshIds(bindings, fields);
    const msg = JSON.stringify(redactor.text(message.slice(0, MOST_MESSAGE)));
    emit(`{"level":"${level}","time":"${isoTime(time)}"${ids}${serviceField}${bound}${own},"msg":${msg}}\n`, number, time);
  }

  /** The fields as a piece of JSON, each with a comma before it. */
  function members(fields: Fields): string {
    const readable: Record<string, unknown> = {};
    for (const key of Object.keys(fields)) {
      if (key === 'msg') continue;
      const value = fields[key];
      const name = OWN.has(key) ? `field.${key}` : key;
      readable[name] = value instanceof Error ? loggedError(value, categorize) : value;
    }
    const json = JSON.stringify(redactor.value(readable));
    return json.length > 2 ? `,${json.slice(1, -1)}` : '';
  }

  return {
    level: threshold,
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    isLevelEnabled: (level) => LEVELS[level] >= least,
    child: (fields) => createLogger(dependencies, { ...bindings, ...fields }),
  };
}

function messageOf(fields: Fields | Error | undefined, args: unknown[]): string {
  if (args.length > 0 && args[0] !== undefined) return args.length === 1 ? String(args[0]) : format(...args);
  if (fields instanceof Error) return fields.message;
  if (fields?.msg !== undefined) return String(fields.msg);
  const err = fields?.err;
  return err instanceof Error ? err.message : '';
}

/** The context's ids, unless the app gives ids of its own: no line carries a key twice. */
function freshIds(...given: (Fields | undefined)[]): string {
  const ids = logFields();
  if (!given.some((fields) => fields && IDS.some((key) => Object.hasOwn(fields, key)))) return ids;
  return '';
}
