import { type Counter, hasQuery, type SpanClass } from './counts.ts';

/**
 * Counts an envelope: a header, then items, each a header and a payload of a line or of a given length.
 *
 * @throws a SyntaxError where it is no envelope.
 * @see https://develop.sentry.dev/sdk/foundations/transport/envelopes/
 */
export function countEnvelope(body: Buffer, counter: Counter): void {
  let at = lineEnd(body, 0) + 1;
  while (at < body.length) {
    const headerEnd = lineEnd(body, at);
    const header = body.toString('utf8', at, headerEnd).trim();
    if (header === '') break;
    const { type, length } = JSON.parse(header) as { type: string; length?: number };
    const start = headerEnd + 1;
    const end = length === undefined ? lineEnd(body, start) : start + length;
    countItem(type, body.toString('utf8', start, end), counter);
    at = end + 1;
  }
}

function countItem(type: string, payload: string, counter: Counter): void {
  if (type === 'transaction') {
    const { contexts, spans = [] } = JSON.parse(payload);
    const { op, span_id, data } = contexts.trace;
    for (const each of [{ op, span_id, data }, ...spans]) counter.span(classOf(each.op, each.data), each.span_id);
  } else if (type === 'span') {
    for (const { attributes = {}, span_id } of JSON.parse(payload).items) {
      counter.span(classOf(attributes['sentry.op']?.value, attributes), span_id);
    }
  } else if (type === 'log') {
    counter.otlpLogs(JSON.parse(payload).items.map((item: { trace_id?: string }) => ({ traceId: item.trace_id ?? '' })));
  }
}

function classOf(op: unknown, attributes: object = {}): SpanClass {
  if (op === 'http.server') return 'server';
  if (op === 'http.client') return 'fetch';
  return hasQuery(attributes) ? 'pg' : 'other';
}

function lineEnd(body: Buffer, from: number): number {
  const found = body.indexOf(10, from);
  return found === -1 ? body.length : found;
}
