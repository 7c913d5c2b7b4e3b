import { format, stripVTControlCharacters } from 'node:util';
import { logFields } from '../context.ts';
import type { Redactor } from '../redaction.ts';
import { loggedError } from './errors.ts';
import { levelName, levelNumber } from './levels.ts';
import { withoutOwn } from './own-ids.ts';
import { isoTime } from './time.ts';

const MOST_MESSAGE = 32_768;
const MOST_JSON = 65_536;

/** A console call as a log line. */
export interface ConsoleLine {
  /** With a line break at its end. */
  readonly json: string;
  readonly level: number;
  readonly time: number;
  readonly messageKey: string;
}

interface Dependencies {
  readonly service: string;
  readonly redactor: Redactor;
  readonly categorize?: (error: unknown) => string;
}

export function createConsoleLine({ service, redactor, categorize }: Dependencies) {
  const serviceField = `,"service":${JSON.stringify(service)}`;

  /** Formats as the console does; an error among the arguments stands in full under `err`, and by its text in the message. */
  return (level: number, args: readonly unknown[]): ConsoleLine => {
    const time = Date.now();
    const ready = args.length === 1 ? structured(args[0], level, time) : undefined;
    if (ready) return ready;
    const error = args.find((arg) => arg instanceof Error);
    const readable = error
      ? args.map((arg) => (arg instanceof Error ? (args.length === 1 ? arg.message : String(arg)) : arg))
      : args;
    const message = stripVTControlCharacters(format(...readable)).slice(0, MOST_MESSAGE);
    const err = error ? `,"err":${JSON.stringify(redactor.value(loggedError(error, categorize)))}` : '';
    const head = `{"level":"${levelName(level)}","time":"${isoTime(time)}"${logFields()}${serviceField}${err}`;
    return { json: `${head},"msg":${JSON.stringify(redactor.text(message))}}\n`, level, time, messageKey: 'msg' };
  };
}

/** A text that is a JSON line already keeps its own shape; it gains the ids, and its own level counts. */
function structured(text: unknown, fallback: number, time: number): ConsoleLine | undefined {
  if (typeof text !== 'string' || text.length > MOST_JSON || text[0] !== '{') return undefined;
  let own: Record<string, unknown>;
  try {
    own = JSON.parse(text);
  } catch {
    return undefined;
  }
  const given = own.level ?? own.severity;
  const level = typeof given === 'number' ? given : typeof given === 'string' ? levelNumber(given) : fallback;
  const fields = withoutOwn(logFields(), text, () => text);
  const inner = text.trimEnd().slice(1);
  const json = fields === '' || inner === '}' ? text.trimEnd() : `{${fields.slice(1)},${inner}`;
  return { json: `${json}\n`, level, time, messageKey: 'msg' in own ? 'msg' : 'message' };
}
