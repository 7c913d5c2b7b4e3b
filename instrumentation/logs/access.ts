import type { Context } from '@opentelemetry/api';
import { KitContext, logFields } from '../context.ts';
import { redactUrl } from '../redact-url.ts';
import type { Redactor } from '../redaction.ts';
import { LEVELS, type Level } from './levels.ts';
import type { Emit } from './logger.ts';
import { isoTime } from './time.ts';

const MOST_PATH = 2_048;
const MOST_AGENT = 512;

/** One finished request. */
export interface AccessLine {
  readonly method: string;
  /** Route template; empty where none matched. */
  readonly route: string;
  /** Path as it was asked for, with its query. */
  readonly path: string;
  /** Status code; 0 where the client went away before there was one. */
  readonly status: number;
  readonly durationMs: number;
  /** Address of the client. */
  readonly client: string | undefined;
  readonly userAgent: string | undefined;
  /** The request's context: a line is often written after it has ended. */
  readonly context: Context;
}

interface Dependencies {
  readonly mode: 'auto' | 'on' | 'off';
  readonly level: Level;
  readonly service: string;
  readonly redactor: Redactor;
  readonly emit: Emit;
}

/** Writes one line a request, unless the app has logged it itself. Errors of the server are `error`, all else is `info`. */
export function createAccessLog({ mode, level, service, redactor, emit }: Dependencies): (line: AccessLine) => void {
  const least = LEVELS[level];
  const head = `,"service":${JSON.stringify(service)},"component":"http"`;

  return (line) => {
    if (mode === 'off') return;
    const { context, method, status } = line;
    if (mode === 'auto' && context instanceof KitContext && context.request?.logged) return;
    const failed = status >= 500;
    const number = failed ? LEVELS.error : LEVELS.info;
    if (number < least) return;
    const time = Date.now();
    const path = redactUrl(line.path.slice(0, MOST_PATH), redactor);
    const json =
      `{"level":"${failed ? 'error' : 'info'}","time":"${isoTime(time)}"${logFields(context)}${head}` +
      `,"http.method":${JSON.stringify(method)},"http.route":${JSON.stringify(line.route)},"http.status":${status}` +
      `,"duration_ms":${Math.round(line.durationMs * 1000) / 1000}` +
      (line.client ? `,"client":${JSON.stringify(line.client)}` : '') +
      (line.userAgent ? `,"user_agent":${JSON.stringify(redactor.text(line.userAgent.slice(0, MOST_AGENT)))}` : '') +
      `,"msg":${JSON.stringify(`${method} ${path} ${status || 'aborted'}`)}}\n`;
    emit(json, number, time);
  };
}
