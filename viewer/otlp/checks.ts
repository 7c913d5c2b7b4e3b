import type { Decoded, LogRecord, Span } from '../model.ts';

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;

/** Why a span cannot be kept, or an empty string. */
export function spanFault(span: Span): string {
  if (!TRACE_ID.test(span.traceId)) return idFault('trace', 32, span.traceId);
  if (!SPAN_ID.test(span.spanId)) return idFault('span', 16, span.spanId);
  // Some senders write a root's parent as zeros.
  if (!SPAN_ID.test(span.parentSpanId)) span.parentSpanId = '';
  return '';
}

/** A log line with a broken id is kept without it: the line itself is worth having. */
export function mendIds(log: LogRecord): void {
  if (!TRACE_ID.test(log.traceId)) log.traceId = '';
  if (!SPAN_ID.test(log.spanId)) log.spanId = '';
}

export function refuse(out: Decoded<unknown>, reason: string): void {
  if (out.rejected++ === 0) out.reason = reason;
}

function idFault(which: string, digits: number, id: string): string {
  const got = id === '' ? 'none' : `"${id.slice(0, 64)}"`;
  return `${which} id: ${digits} hex digits, not all zero, wanted; got ${got}`;
}
