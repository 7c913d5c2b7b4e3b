import { type Attributes, type SpanContext, TraceFlags } from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { HrTime } from '../clock.ts';
import type { SpanRun } from './sink.ts';

const IS_REMOTE = 0x200;

/** The spans of a run as OpenTelemetry's exporters take them: the way back of otlp-json.ts. */
export function readSpans(run: SpanRun, resource: Resource): ReadableSpan[] {
  const instrumentationScope = JSON.parse(run.scope);
  return JSON.parse(`[${Buffer.from(run.spans)}]`).map((json: any) => readSpan(json, resource, instrumentationScope));
}

function readSpan(json: any, resource: Resource, instrumentationScope: ReadableSpan['instrumentationScope']): ReadableSpan {
  const { traceId, spanId, parentSpanId, flags } = json;
  const context: SpanContext = { traceId, spanId, traceFlags: flags & 0xff, traceState: readState(json) };
  return {
    name: json.name,
    kind: json.kind - 1,
    spanContext: () => context,
    parentSpanContext: parentSpanId
      ? { traceId, spanId: parentSpanId, traceFlags: TraceFlags.SAMPLED, isRemote: (flags & IS_REMOTE) !== 0 }
      : undefined,
    startTime: time(json.startTimeUnixNano),
    endTime: time(json.endTimeUnixNano),
    duration: [0, 0],
    ended: true,
    status: { code: json.status.code, message: json.status.message },
    attributes: readAttributes(json.attributes),
    events: (json.events ?? []).map((event: any) => ({
      name: event.name,
      time: time(event.timeUnixNano),
      attributes: readAttributes(event.attributes),
      droppedAttributesCount: event.droppedAttributesCount,
    })),
    links: (json.links ?? []).map((link: any) => ({
      context: {
        traceId: link.traceId,
        spanId: link.spanId,
        traceFlags: link.flags & 0xff,
        isRemote: (link.flags & IS_REMOTE) !== 0,
        traceState: readState(link),
      },
      attributes: readAttributes(link.attributes),
      droppedAttributesCount: link.droppedAttributesCount,
    })),
    resource,
    instrumentationScope,
    droppedAttributesCount: json.droppedAttributesCount ?? 0,
    droppedEventsCount: json.droppedEventsCount ?? 0,
    droppedLinksCount: json.droppedLinksCount ?? 0,
  };
}

function readState({ traceState }: { traceState?: string }): TraceState | undefined {
  return traceState ? new TraceState(traceState) : undefined;
}

function time(nanos: string): HrTime {
  return [Number(nanos.slice(0, -9)), Number(nanos.slice(-9))];
}

function readAttributes(list: readonly { key: string; value: any }[] = []): Attributes {
  return Object.fromEntries(list.map(({ key, value }) => [key, readValue(value)]));
}

function readValue(value: any): any {
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.arrayValue !== undefined) return value.arrayValue.values.map(readValue);
  if (value.bytesValue !== undefined) return new Uint8Array(Buffer.from(value.bytesValue, 'base64'));
  return value.kvlistValue === undefined ? null : readAttributes(value.kvlistValue.values);
}
