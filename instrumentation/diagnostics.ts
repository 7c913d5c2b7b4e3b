import { writeSync } from 'node:fs';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import type { Config } from './config.ts';

const LEVELS = { none: 0, error: 1, warn: 2, info: 3, debug: 4, verbose: 5, all: 6 } as const;
const REPEAT_MS = 60_000;
const MOST_KEYS = 500;

/**
 * The kit's own messages, on stderr, each one line that starts with `o11y-kit:`. Nothing here throws, and a message that
 * repeats (same `key`, by default its text) is written once a minute with the number of times it was held back.
 */
export interface Diagnostics {
  error(message: string, key?: string): void;
  warn(message: string, key?: string): void;
  info(message: string, key?: string): void;
  debug(message: string, key?: string): void;
  /** Writes without level, prefix or repetition guard: the start line and the fatal line. */
  line(text: string): void;
}

type Write = (line: string) => void;

export function createDiagnostics(
  config: Pick<Config, 'logLevel'>,
  write: Write = toStderr,
  now: () => number = Date.now,
): Diagnostics {
  const threshold = LEVELS[config.logLevel];
  const seen = new Map<string, { at: number; held: number }>();

  function log(level: keyof typeof LEVELS, message: string, key = message): void {
    if (LEVELS[level] > threshold) return;
    const before = seen.get(key);
    if (before && now() - before.at < REPEAT_MS) {
      before.held++;
      return;
    }
    if (!before && seen.size >= MOST_KEYS) seen.clear();
    seen.set(key, { at: now(), held: 0 });
    const repeated = before?.held ? ` (and ${before.held} times more in the last minutes)` : '';
    line(`o11y-kit: ${level}: ${singleLine(message)}${repeated}`);
  }

  function line(text: string): void {
    try {
      write(text + '\n');
    } catch {
      // A closed or full stderr must not reach the app.
    }
  }

  return {
    error: (message, key) => log('error', message, key),
    warn: (message, key) => log('warn', message, key),
    info: (message, key) => log('info', message, key),
    debug: (message, key) => log('debug', message, key),
    line,
  };
}

/** Sends OpenTelemetry's own diagnostics the same way, but quieter: its errors are our warnings, what else it says is debug. */
export function routeOtelDiagnostics(diagnostics: Diagnostics): () => void {
  const text = (parts: unknown[]) => parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
  diag.setLogger(
    {
      error: (...parts) => diagnostics.warn(text(parts)),
      warn: (...parts) => diagnostics.debug(text(parts)),
      info: (...parts) => diagnostics.debug(text(parts)),
      debug: () => {},
      verbose: () => {},
    },
    { logLevel: DiagLogLevel.INFO, suppressOverrideMessage: true },
  );
  return () => diag.disable();
}

/** Short text of anything thrown. */
export function reason(error: unknown): string {
  if (error instanceof Error)
    return (error as NodeJS.ErrnoException).code && !error.message
      ? String((error as NodeJS.ErrnoException).code)
      : error.message;
  try {
    return String(error);
  } catch {
    return 'unknown error';
  }
}

function singleLine(message: string): string {
  return message.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

/** Past the stream: one whose reader has gone reports it as an 'error' event, which ends an app that has no listener for it. */
function toStderr(line: string): void {
  writeSync(2, line);
}
