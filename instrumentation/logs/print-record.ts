import { severityNumber, toRecord } from '../export/log-record.ts';
import type { LogItem } from '../export/sink.ts';
import type { Redactor } from '../redaction.ts';
import { levelName } from './levels.ts';
import { isoTime } from './time.ts';

/** A log record as it would be exported, as a line of JSON: what `OTEL_LOGS_EXPORTER=console` prints. */
export function printRecord(item: LogItem, redactor: Redactor): string {
  const { msg, trace_id, span_id, trace_flags, level, time: _, ...attributes } = toRecord(item, redactor);
  const record = {
    timestamp: isoTime(item.time),
    severityNumber: severityNumber(level),
    severityText: levelName(level),
    body: msg,
    traceId: trace_id,
    spanId: span_id,
    traceFlags: trace_flags,
    attributes,
  };
  return `${JSON.stringify(record)}\n`;
}
