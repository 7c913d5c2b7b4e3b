import { createRequire } from 'node:module';
import type { Diagnostics } from '../diagnostics.ts';

/** Bytes that a reader of stdout may be behind before lines are left out, where stdout is not written synchronously. */
const MOST_BEHIND = 4 * 1024 * 1024;

/** stdout for the kit's own lines. */
export interface Output {
  /** Writes at once, after what waits. */
  write(line: string): void;
  /** Writes a text as it is, after what waits. */
  print(text: string): void;
  /** Writes with the other lines of this turn of the event loop: one write for many requests. */
  batch(line: string): void;
  stop(): void;
}

type Stream = NodeJS.WriteStream;

/** Control characters but tab and line feed, as JSON writes them; an escaped backslash is matched to be passed over. */
const CONTROL = /\\\\|\\(?:u00(?:0[0-8bcef]|1[0-9a-f])|[bfr])|[\u007f-\u009f]/g;

/** A log line may say anything, but not move the cursor of a terminal. */
function visible(sequence: string): string {
  return sequence === '\\\\' ? sequence : '\ufffd';
}

/**
 * @param format `auto` is pretty on a terminal and JSON otherwise.
 * @param link makes the address under which the viewer shows a trace.
 */
export function createOutput(
  format: 'auto' | 'json' | 'pretty',
  diagnostics: Diagnostics,
  link?: (traceId: string) => string,
  stream: () => Stream = () => process.stdout,
): Output {
  let waiting = '';
  let scheduled: NodeJS.Immediate | undefined;
  let pretty: ((line: string) => string) | undefined;
  let listening = false;

  function present(line: string): string {
    if (format === 'json' || (format === 'auto' && !stream().isTTY)) return line;
    pretty ??= loadPretty(stream().isTTY === true, diagnostics, link);
    return pretty(line);
  }

  function flush(): void {
    if (scheduled) clearImmediate(scheduled);
    scheduled = undefined;
    if (waiting === '') return;
    const text = waiting;
    waiting = '';
    send(text);
  }

  function send(text: string): void {
    try {
      const target = stream();
      if (target.destroyed || target.writableEnded) return;
      if (target.writableLength > MOST_BEHIND) {
        diagnostics.warn('stdout is read too slowly: log lines are left out there. They are still shipped.', 'stdout slow');
        return;
      }
      // A reader that has gone (`| head`) must not end the app, as an 'error' event without a listener would.
      target.once('error', ignore);
      try {
        target.write(text, (error) => {
          // Also beside other listeners: that of a stream piped into stdout passes the error on if it is the only one.
          if (error && !target.listeners('error').includes(ignore)) target.once('error', ignore);
        });
      } finally {
        target.removeListener('error', ignore);
      }
    } catch {
      // The app's stdout may be anything; our lines are not worth an exception.
    }
  }

  return {
    write(line) {
      waiting += present(line);
      flush();
    },
    print(text) {
      waiting += text;
      flush();
    },
    batch(line) {
      waiting += present(line);
      scheduled ??= setImmediate(flush).unref();
      if (!listening) {
        listening = true;
        process.on('exit', flush);
      }
    },
    stop() {
      flush();
      process.removeListener('exit', flush);
      listening = false;
    },
  };
}

function ignore(): void {}

function loadPretty(colorize: boolean, diagnostics: Diagnostics, link?: (traceId: string) => string): (line: string) => string {
  try {
    const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
    const print = prettyFactory({
      colorize,
      translateTime: 'SYS:HH:MM:ss.l',
      ignore:
        'service,component,trace_id,span_id,trace_flags,correlation_id,http.method,http.route,http.status,user_agent,client',
      errorLikeObjectKeys: ['err'],
      messageFormat: (log, key) => {
        const { component, trace_id: traceId, level } = log;
        const scope = typeof component === 'string' && component !== 'http' ? `${component}: ` : '';
        const telling = log['http.status'] !== undefined || level === 'warn' || level === 'error' || level === 'fatal';
        const address = link && telling && typeof traceId === 'string' ? `  ${link(traceId)}` : '';
        return `${scope}${log[key] ?? ''}${address}`;
      },
    });
    return (line) => print(line.replace(CONTROL, visible)) ?? line;
  } catch (error) {
    diagnostics.warn(`pino-pretty could not be loaded, log lines stay JSON: ${String(error)}`, 'pretty');
    return (line) => line;
  }
}
