import type { Attributes, SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { HrTime } from '../clock.ts';

export interface EventRecord {
  readonly name: string;
  readonly time: HrTime;
  readonly attributes?: Attributes;
  readonly droppedAttributesCount?: number;
}

export interface LinkRecord {
  readonly context: Pick<SpanContext, 'traceId' | 'spanId' | 'traceFlags' | 'isRemote'> & {
    /** W3C `tracestate`, serialised. */
    readonly traceState?: string;
  };
  readonly attributes?: Attributes;
  readonly droppedAttributesCount?: number;
}

/** What is kept of the context that a link leads to. Apps may give anything for one. */
export function linkedContext({ traceId, spanId, traceFlags, isRemote, traceState }: SpanContext): LinkRecord['context'] {
  const state = typeof traceState?.serialize === 'function' ? traceState.serialize() : undefined;
  return { traceId, spanId, traceFlags, isRemote, traceState: state };
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
  /** More of them, none of whose keys is among the others: one object for many spans, never changed. */
  readonly shared?: Attributes | undefined;
  readonly events: readonly EventRecord[];
  readonly links: readonly LinkRecord[];
  readonly droppedAttributes: number;
  readonly droppedEvents: number;
  readonly droppedLinks: number;
  /** Instrumentation scope. */
  readonly scope: string;
  readonly scopeVersion: string | undefined;
}
