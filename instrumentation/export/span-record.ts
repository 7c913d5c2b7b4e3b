import type { Attributes, SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { HrTime } from '../clock.ts';

export interface EventRecord {
  readonly name: string;
  readonly time: HrTime;
  readonly attributes?: Attributes;
  readonly droppedAttributesCount?: number;
}

export interface LinkRecord {
  readonly context: Pick<SpanContext, 'traceId' | 'spanId' | 'traceFlags'>;
  readonly attributes?: Attributes;
  readonly droppedAttributesCount?: number;
}

/**
 * A finished span as plain data, in the form that crosses to the export thread. Only what the structured clone algorithm
 * copies may stand in it.
 */
export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly parentIsRemote: boolean;
  readonly traceFlags: number;
  /** W3C `tracestate`, serialised. */
  readonly traceState: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly start: HrTime;
  readonly end: HrTime;
  readonly statusCode: SpanStatusCode;
  readonly statusMessage: string | undefined;
  readonly attributes: Attributes;
  readonly events: readonly EventRecord[];
  readonly links: readonly LinkRecord[];
  readonly droppedAttributes: number;
  readonly droppedEvents: number;
  readonly droppedLinks: number;
  /** Instrumentation scope. */
  readonly scope: string;
  readonly scopeVersion: string | undefined;
}
