import { LOG } from '../names.ts';
import type { Redactor } from '../redaction.ts';
import type { LogItem } from './sink.ts';

/** The member in which pino-opentelemetry-transport finds the message: pino's own default, so that most lines stay as they are. */
export const BODY = 'msg';

/** What pino-opentelemetry-transport maps to an OpenTelemetry log record. */
export interface PinoRecord {
  level: number;
  /** Seconds and nanoseconds. As milliseconds it would be taken for an offset where it is older than the thread. */
  time: [number, number];
  [member: string]: unknown;
}

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;
const FLAGS = /^[0-9a-f]{2}$/;

/**
 * Reads a finished line, whatever its logger made of level, time and message, and removes secrets. A line that is no JSON
 * object becomes the body of its record. Never throws.
 */
export function toRecord({ line, level, time, messageKey }: LogItem, redactor: Redactor): PinoRecord {
  let record = parse(redactor.line(line)) as PinoRecord;
  if (messageKey !== BODY) {
    const { [messageKey]: body, [BODY]: field, ...rest } = record;
    record = {
      ...rest,
      ...(body !== undefined && { [BODY]: body }),
      ...(field !== undefined && { [`field.${BODY}`]: field }),
    } as PinoRecord;
  }
  record.level = level;
  const seconds = Math.floor(time / 1000);
  record.time = [seconds, Math.round((time - seconds * 1000) * 1e6)];
  adoptIds(record);
  return record;
}

/**
 * OpenTelemetry's severity of a level of pino's: four for each of the six standard levels, so that a level of the app's
 * keeps its place between them. @see https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
 */
export function severityNumber(level: number): number {
  return Math.max(1, Math.min(24, 1 + Math.floor(((level - 10) / 10) * 4)));
}

function parse(line: string): object {
  try {
    const value: unknown = JSON.parse(line);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value;
  } catch {
    // It is no JSON: kept as it is.
  }
  return { [BODY]: line.trimEnd() };
}

/**
 * The transport makes the three ids the record's own context, unread: one that is no id would have the whole batch refused,
 * so it becomes an attribute of another name. Lines of other libraries have no flags: unknown means not sampled.
 */
function adoptIds(record: PinoRecord): void {
  const traceId = record[LOG.traceId];
  const spanId = record[LOG.spanId];
  const flags = record[LOG.traceFlags];
  if (traceId === undefined && spanId === undefined && flags === undefined) return;
  if (typeof traceId === 'string' && TRACE_ID.test(traceId) && typeof spanId === 'string' && SPAN_ID.test(spanId)) {
    record[LOG.traceFlags] = typeof flags === 'string' && FLAGS.test(flags) ? Number.parseInt(flags, 16) : flags === 1 ? 1 : 0;
    return;
  }
  for (const key of [LOG.traceId, LOG.spanId, LOG.traceFlags]) {
    if (record[key] !== undefined) record[`original.${key}`] = record[key];
    delete record[key];
  }
}
