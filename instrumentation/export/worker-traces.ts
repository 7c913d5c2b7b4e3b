import { type SpanContext, TraceFlags } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, TraceState } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type Span, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { Report, Sink, SinkSettings } from './sink.ts';
import type { LinkRecord, SpanRecord } from './span-record.ts';
import { exporterOptions } from './worker-http.ts';

/** The sending end for spans: OpenTelemetry's own batching, serialiser, retry and OTLP/HTTP exporter. */
export function createTraceSink(settings: SinkSettings, report: Report): Sink<SpanRecord> {
  const options = exporterOptions(settings);
  const exporter = settings.target.protocol === 'http/protobuf' ? new ProtobufExporter(options) : new OTLPTraceExporter(options);
  const resource = resourceFromAttributes({ ...settings.resource });
  const scopes = new Map<string, ReadableSpan['instrumentationScope']>();
  let pending = 0;
  let idle: (() => void) | undefined;

  const counting: SpanExporter = {
    export(spans, done) {
      const started = performance.now();
      exporter.export(spans, (result: ExportResult) => {
        const ok = result.code === ExportResultCode.SUCCESS;
        pending -= spans.length;
        report({
          exported: ok ? spans.length : 0,
          dropped: ok ? 0 : spans.length,
          error: ok ? undefined : (result.error?.message ?? 'export failed'),
          seconds: (performance.now() - started) / 1000,
        });
        done(result);
        if (pending === 0) idle?.();
      });
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
  const processor = new BatchSpanProcessor({
    exporter: counting,
    maxQueueSize: settings.queueSize,
    maxExportBatchSize: settings.batchSize,
    scheduledDelayMillis: settings.delayMs,
    // The exporter keeps the time itself, retries included; a second clock here would only race it.
    exportTimeoutMillis: settings.target.timeoutMs + 5000,
  });

  function scopeOf({ scope, scopeVersion }: SpanRecord): ReadableSpan['instrumentationScope'] {
    const key = `${scope}@${scopeVersion ?? ''}`;
    const known = scopes.get(key);
    if (known) return known;
    const made = { name: scope, version: scopeVersion };
    scopes.set(key, made);
    return made;
  }

  return {
    write(items) {
      pending += items.length;
      for (const item of items) processor.onEnd(readable(item, resource, scopeOf(item)) as Span);
    },
    async flush(timeoutMs) {
      if (pending === 0) return;
      const done = new Promise<void>((resolve) => {
        idle = resolve;
      });
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, timeoutMs).unref());
      processor.forceFlush().catch(() => {});
      await Promise.race([done, timeout]);
      idle = undefined;
    },
  };
}

function readable(
  record: SpanRecord,
  resource: Resource,
  instrumentationScope: ReadableSpan['instrumentationScope'],
): ReadableSpan {
  const { traceId, spanId, traceFlags, parentSpanId } = record;
  const traceState = record.traceState ? new TraceState(record.traceState) : undefined;
  const context: SpanContext = { traceId, spanId, traceFlags, traceState };
  return {
    name: record.name,
    kind: record.kind,
    spanContext: () => context,
    parentSpanContext: parentSpanId
      ? { traceId, spanId: parentSpanId, traceFlags: TraceFlags.SAMPLED, isRemote: record.parentIsRemote }
      : undefined,
    startTime: record.start,
    endTime: record.end,
    duration: [0, 0],
    ended: true,
    status: { code: record.statusCode, message: record.statusMessage },
    attributes: record.attributes,
    events: [...record.events],
    links: record.links.map(link),
    resource,
    instrumentationScope,
    droppedAttributesCount: record.droppedAttributes,
    droppedEventsCount: record.droppedEvents,
    droppedLinksCount: record.droppedLinks,
  };
}

function link({ context, ...rest }: LinkRecord) {
  return { ...rest, context: { ...context } };
}
