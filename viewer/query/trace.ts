import type { SpanView, TraceView } from '../api-types.ts';
import { KINDS } from '../model.ts';
import { type LogStore, logRow } from '../store/log-store.ts';
import { unpack } from '../store/span-record.ts';
import { toMillis } from '../store/trace-record.ts';
import type { TraceStore } from '../store/trace-store.ts';
import { layout } from './layout.ts';

/** The waterfall of a trace; undefined while nothing of it has arrived. */
export function viewTrace(traces: TraceStore, logs: LogStore, traceId: string): TraceView | undefined {
  const trace = traces.get(traceId);
  if (trace === undefined) return undefined;
  const lines = logs.ofTrace(traceId);
  const bySpan = new Map<string, number>();
  for (const { spanId } of lines) bySpan.set(spanId, (bySpan.get(spanId) ?? 0) + 1);
  return { summary: trace.summary(lines.length), version: trace.version, ...layout(trace, bySpan) };
}

/**
 * Everything of one span.
 *
 * @param twin where several spans have the id: which of them, in the order of arrival
 */
export function viewSpan(traces: TraceStore, logs: LogStore, traceId: string, spanId: string, twin = 0): SpanView | undefined {
  const found = traces.get(traceId)?.spans.filter((one) => one.spanId === spanId);
  const span = found?.[twin] ?? found?.[0];
  if (span === undefined) return undefined;
  const { a, e = [], l = [], s = ['', ''], c = ['unset', ''], t = '', d = [0, 0, 0] } = unpack(span);
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanId,
    name: span.name,
    service: span.service,
    kind: KINDS[span.kind],
    startedAt: toMillis(span.startNs),
    startNs: String(span.startNs),
    endNs: String(span.endNs),
    durationMs: Number(span.endNs - span.startNs) / 1e6,
    status: { code: c[0], message: c[1] },
    attributes: a,
    events: e.map(([timeNs, name, attributes]) => ({
      offsetUs: Number(BigInt(timeNs) - span.startNs) / 1000,
      name,
      attributes,
    })),
    links: l.map(([trace, id, attributes]) => ({
      traceId: trace,
      spanId: id,
      attributes,
      here: traces.get(trace) !== undefined,
    })),
    resource: JSON.parse(span.resource),
    scope: { name: s[0], version: s[1] },
    traceState: t,
    flags: span.flags,
    dropped: { attributes: d[0], events: d[1], links: d[2] },
    logs: logs
      .ofTrace(traceId)
      .filter((line) => line.spanId === spanId)
      .map((line) => logRow(line, true)),
  };
}
