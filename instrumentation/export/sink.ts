import type { OtlpTarget } from '../config.ts';
import type { DropReason } from './stats.ts';

/** One log line on its way out: the finished JSON line with what the worker must know to read it. */
export interface LogItem {
  /** A JSON object, with or without a line break at its end. */
  readonly line: string;
  /** pino's numeric level (10 trace … 60 fatal); the line's own `level` may be anything. */
  readonly level: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The member of the line that holds the message. */
  readonly messageKey: string;
}

/** Plain data that the export thread starts with. */
export interface SinkSettings {
  readonly target: OtlpTarget;
  readonly resource: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly queueSize: number;
  readonly batchSize: number;
  /** Milliseconds that an item waits for its batch to fill. */
  readonly delayMs: number;
  readonly certificates: { readonly ca: string; readonly key: string; readonly cert: string };
  /** Keys whose values are removed, beside the built-in ones. */
  readonly redactKeys: readonly string[];
}

/** What became of one export request. */
export interface Outcome {
  readonly exported: number;
  readonly dropped: number;
  readonly reason?: DropReason;
  readonly error?: string;
  readonly seconds: number;
}

/** Called after each finished export request; `spent` is memory that the main thread may use again. */
export type Report = (outcome: Outcome, spent?: readonly ArrayBuffer[]) => void;

/** Some finished spans of one instrumentation scope, as JSON in UTF-8: bytes change threads without being copied. */
export interface SpanRun {
  /** OTLP's `InstrumentationScope`. */
  readonly scope: string;
  /** Elements of OTLP's `spans`, joined by commas. */
  readonly spans: Uint8Array<ArrayBuffer>;
  readonly count: number;
}

/** The sending end of one signal, inside the export thread. */
export interface Sink<T> {
  write(items: readonly T[]): void;
  /** Sends what it holds; resolves when all of it was reported, or after `timeoutMs`. Never rejects. */
  flush(timeoutMs: number): Promise<void>;
}
