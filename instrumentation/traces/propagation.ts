import type { TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
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
  readonly trace: TextMapPropagator;
  readonly baggage: TextMapPropagator | undefined;
  readonly all: TextMapPropagator;
  /** Headers, in lower case, without any of which a request carries no context. */
  readonly fields: readonly string[];
}

/** B3 is read in both of its forms, whichever of them is written. */
const READ_BY: Record<string, readonly string[]> = { b3: ['b3', 'x-b3-traceid'], b3multi: ['b3', 'x-b3-traceid'] };

export function createPropagation(names: readonly string[]): Propagation {
  const wanted = names.includes('none') ? [] : [...new Set(names)];
  const make = (list: string[]) => new CompositePropagator({ propagators: list.map((name) => BY_NAME[name]()) });
  return {
    trace: make(wanted.filter((name) => name !== 'baggage')),
    baggage: wanted.includes('baggage') ? make(['baggage']) : undefined,
    all: make(wanted),
    fields: [...new Set(wanted.flatMap((name) => READ_BY[name] ?? BY_NAME[name]().fields().slice(0, 1)))],
  };
}
