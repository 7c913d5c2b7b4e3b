import {
  propagation as baggageApi,
  type Context,
  isSpanContextValid,
  type Span,
  type TextMapPropagator,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { CompositePropagator, isTracingSuppressed, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { CORRELATION_ID } from '../names.ts';
import { jaegerPropagator } from './jaeger.ts';

const BY_NAME: Record<string, () => TextMapPropagator> = {
  tracecontext: () => new W3CTraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
  b3: () => new B3Propagator(),
  b3multi: () => new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
  jaeger: () => jaegerPropagator,
};

/**
 * Trace context and baggage apart: trace context goes to every host, baggage only to those of `O11Y_PROPAGATION_TARGETS`.
 *
 * @see https://opentelemetry.io/docs/specs/otel/context/api-propagators/
 */
export interface Propagation {
  readonly all: TextMapPropagator;
  /** Headers, in lower case, without any of which a request carries no context. */
  readonly fields: readonly string[];
  /** Whether baggage is passed on at all. */
  readonly hasBaggage: boolean;
  /** Adds the trace context that makes `span` the parent of what is called. */
  injectTrace(parent: Context, span: Span, fields: Record<string, string>): void;
  /** Adds the caller's baggage, with the correlation id as one of its entries. */
  injectBaggage(parent: Context, correlationId: string | undefined, fields: Record<string, string>): void;
}

/** B3 is read in both of its forms, whichever of them is written. */
const READ_BY: Record<string, readonly string[]> = { b3: ['b3', 'x-b3-traceid'], b3multi: ['b3', 'x-b3-traceid'] };

const setter = {
  set(fields: Record<string, string>, key: string, value: string) {
    fields[key] = value;
  },
};

export function createPropagation(names: readonly string[]): Propagation {
  const wanted = names.includes('none') ? [] : [...new Set(names)];
  const make = (list: string[]) => new CompositePropagator({ propagators: list.map((name) => BY_NAME[name]()) });
  const traceNames = wanted.filter((name) => name !== 'baggage');
  const isW3C = traceNames.length === 1 && traceNames[0] === 'tracecontext';
  const traceContext = make(traceNames);
  const baggage = wanted.includes('baggage') ? make(['baggage']) : undefined;

  return {
    all: make(wanted),
    fields: [...new Set(wanted.flatMap((name) => READ_BY[name] ?? BY_NAME[name]().fields().slice(0, 1)))],
    hasBaggage: baggage !== undefined,
    injectTrace(parent, span, fields) {
      if (isTracingSuppressed(parent)) return;
      if (isW3C) writeTraceparent(span, fields);
      else traceContext.inject(trace.setSpan(parent, span), fields, setter);
    },
    injectBaggage(parent, id, fields) {
      if (baggage === undefined || isTracingSuppressed(parent)) return;
      // As a rule the id is all there is: the maps and entries that OpenTelemetry makes of it are a fifth of a call's cost.
      // Of the characters that an id may have, baggage encodes the colon alone.
      if (id !== undefined && baggageApi.getBaggage(parent) === undefined)
        fields.baggage = `${CORRELATION_ID}=${id.includes(':') ? encodeURIComponent(id) : id}`;
      else baggage.inject(withBaggageId(parent, id), fields, setter);
    },
  };
}

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
function writeTraceparent(span: Span, fields: Record<string, string>): void {
  const context = span.spanContext();
  if (!isSpanContextValid(context)) return;
  fields.traceparent = `00-${context.traceId}-${context.spanId}-${context.traceFlags & TraceFlags.SAMPLED ? '01' : '00'}`;
  const state = context.traceState?.serialize();
  if (state) fields.tracestate = state;
}

/** The context with the correlation id in its baggage, for whoever injects that context himself. */
export function withBaggageId(context: Context, id: string | undefined): Context {
  if (id === undefined) return context;
  const baggage = baggageApi.getBaggage(context) ?? baggageApi.createBaggage();
  return baggageApi.setBaggage(context, baggage.setEntry(CORRELATION_ID, { value: id }));
}
