import { TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { correlationIdOf } from '../context.ts';
import { linkedContext, type SpanRecord } from '../export/span-record.ts';
import { CORRELATION_ID } from '../names.ts';

/** Takes the spans of the SDK's own tracers: the app's manual ones and those of official instrumentations. */
export function createProcessor(push: (record: SpanRecord) => void): SpanProcessor {
  return {
    onStart(span, parentContext) {
      const id = correlationIdOf(parentContext);
      if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
    },
    onEnd(span) {
      if (span.spanContext().traceFlags & TraceFlags.SAMPLED) push(record(span));
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  };
}

function record(span: ReadableSpan): SpanRecord {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    parentIsRemote: span.parentSpanContext?.isRemote === true,
    traceFlags,
    traceState: traceState?.serialize(),
    name: span.name,
    kind: span.kind,
    start: [...span.startTime],
    end: [...span.endTime],
    statusCode: span.status.code,
    statusMessage: span.status.message,
    attributes: span.attributes,
    shared: undefined,
    events: span.events.map(({ name, time, attributes, droppedAttributesCount }) => ({
      name,
      time: [...time],
      attributes,
      droppedAttributesCount,
    })),
    links: span.links.map(({ context, attributes, droppedAttributesCount }) => ({
      context: linkedContext(context),
      attributes,
      droppedAttributesCount,
    })),
    droppedAttributes: span.droppedAttributesCount,
    droppedEvents: span.droppedEventsCount,
    droppedLinks: span.droppedLinksCount,
    scope: span.instrumentationScope.name,
    scopeVersion: span.instrumentationScope.version,
  };
}
