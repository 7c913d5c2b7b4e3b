import { CORRELATION_ID, LOG } from '../../instrumentation/names.ts';
import type { JsonAttributes, LogLevel, LogRow } from '../api-types.ts';
import type { LogRecord } from '../model.ts';
import { Arrivals, type Arrived } from './arrivals.ts';
import { FairQueue } from './fair-queue.ts';
import { Interner } from './interner.ts';
import { jsonAttributes, jsonValue, textBytes } from './json.ts';
import { toMillis } from './trace-record.ts';

/** A log record at rest. */
export interface LogLine extends Arrived {
  timeNs: bigint;
  severity: number;
  severityText: string;
  service: string;
  body: string;
  /** Attributes as JSON. */
  attributes: string;
  traceId: string;
  spanId: string;
  correlationId: string;
  scope: string;
  bytes: number;
}

/** Measured; see the budget's test. */
const LINE_BYTES = 400;

/** Log records within a limit of bytes; the chattiest service loses its oldest lines first. */
export class LogStore {
  evicted = 0;
  readonly #queue: FairQueue<LogLine>;
  readonly #arrivals = new Arrivals<LogLine>();
  readonly #byTrace = new Map<string, LogLine[]>();
  readonly #shared = new Interner(5_000, 200);
  readonly #gone: (line: LogLine) => void;

  constructor(maxBytes: number, gone: (line: LogLine) => void = () => {}) {
    this.#queue = new FairQueue(maxBytes);
    this.#gone = gone;
  }

  get bytes(): number {
    return this.#queue.bytes;
  }

  get size(): number {
    return this.#arrivals.size;
  }

  /** Number of the newest line. */
  get last(): number {
    return this.#arrivals.last;
  }

  newest(before?: number, after?: number): Generator<LogLine> {
    return this.#arrivals.newest(before, after);
  }

  /** Lines of a trace in the order of arrival. */
  ofTrace(traceId: string): readonly LogLine[] {
    return this.#byTrace.get(traceId) ?? [];
  }

  /** @param seq the number that the line had before a restart; above all numbers given so far */
  add(log: LogRecord, seq?: number): LogLine {
    const line = this.#pack(log, this.#arrivals.next(seq));
    this.#arrivals.add(line);
    this.#queue.add(line.service, line);
    if (line.traceId !== '') {
      const known = this.#byTrace.get(line.traceId);
      if (known) known.push(line);
      else this.#byTrace.set(line.traceId, [line]);
    }
    return line;
  }

  trim(): void {
    this.#queue.trim((line) => {
      this.evicted++;
      this.#arrivals.remove(line);
      this.#unlink(line);
      this.#gone(line);
    });
  }

  clear(): void {
    this.#queue.clear();
    this.#arrivals.clear();
    this.#byTrace.clear();
    this.#shared.clear();
    this.evicted = 0;
  }

  #pack(log: LogRecord, seq: number): LogLine {
    const body = typeof log.body === 'string' ? log.body : JSON.stringify(jsonValue(log.body));
    const attributes = JSON.stringify(jsonAttributes(log.attributes));
    const correlation = log.attributes[LOG.correlationId] ?? log.attributes[CORRELATION_ID];
    return {
      seq,
      gone: false,
      timeNs: log.timeNs,
      severity: log.severityNumber,
      severityText: this.#shared.share(log.severityText) ?? log.severityText,
      service: this.#shared.share(log.service) ?? log.service,
      body,
      attributes,
      traceId: log.traceId,
      spanId: log.spanId,
      correlationId: typeof correlation === 'string' ? correlation : '',
      scope: this.#shared.share(log.scope.name) ?? log.scope.name,
      bytes: LINE_BYTES + textBytes(body) + textBytes(attributes),
    };
  }

  /** The oldest goes first nearly always, so that this finds it at the start. */
  #unlink(line: LogLine): void {
    const lines = this.#byTrace.get(line.traceId);
    if (lines === undefined) return;
    lines.splice(lines.indexOf(line), 1);
    if (lines.length === 0) this.#byTrace.delete(line.traceId);
  }
}

/** A line as the API gives it. */
export function logRow(line: LogLine, hasTrace: boolean): LogRow {
  return {
    id: String(line.seq),
    at: toMillis(line.timeNs),
    timeNs: String(line.timeNs),
    level: levelOf(line.severity),
    severityText: line.severityText,
    service: line.service,
    body: line.body,
    attributes: JSON.parse(line.attributes) as JsonAttributes,
    traceId: line.traceId,
    spanId: line.spanId,
    correlationId: line.correlationId,
    scope: line.scope,
    hasTrace,
  };
}

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** OpenTelemetry has four severity numbers for each level; a record without one is shown as info. */
export function levelOf(severity: number): LogLevel {
  return severity > 0 ? LEVELS[Math.min(Math.floor((severity - 1) / 4), 5)] : 'info';
}

/** The lowest severity number of a level. */
export function severityOf(level: LogLevel): number {
  return LEVELS.indexOf(level) * 4 + 1;
}
