import { randomBytes } from 'node:crypto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

export interface SpanInput {
  name?: string;
  service?: string;
  resource?: Record<string, string>;
  traceId?: string;
  spanId?: string;
  parentSpanId?: string;
  /** As OpenTelemetry's API numbers them: 0 internal, 1 server, 2 client. */
  kind?: number;
  startMs?: number;
  durationMs?: number;
  error?: string;
  attributes?: Record<string, unknown>;
  events?: { name: string; attributes?: Record<string, unknown> }[];
}

const resources = new Map<string, unknown>();

/** A span as the SDK hands it to its exporters. */
export function sdkSpan(input: SpanInput = {}): ReadableSpan {
  const { service = 'shop', startMs = Date.now(), durationMs = 5, parentSpanId } = input;
  const traceId = input.traceId ?? randomBytes(16).toString('hex');
  const context = { traceId, spanId: input.spanId ?? randomBytes(8).toString('hex'), traceFlags: 1 };
  const attributes = { 'service.name': service, ...input.resource };
  const key = JSON.stringify(attributes);
  if (!resources.has(key)) resources.set(key, resourceFromAttributes(attributes));
  return {
    name: input.name ?? 'work',
    kind: input.kind ?? 0,
    spanContext: () => context,
    parentSpanContext: parentSpanId === undefined ? undefined : { traceId, spanId: parentSpanId, traceFlags: 1 },
    startTime: hrTime(startMs),
    endTime: hrTime(startMs + durationMs),
    status: input.error === undefined ? { code: 0 } : { code: 2, message: input.error },
    attributes: input.attributes ?? {},
    events: (input.events ?? []).map((event) => ({ time: hrTime(startMs), attributes: {}, ...event })),
    links: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    duration: hrTime(durationMs),
    ended: true,
    resource: resources.get(key),
    instrumentationScope: { name: 'test', version: '1' },
  } as unknown as ReadableSpan;
}

function hrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
