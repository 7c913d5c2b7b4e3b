import {
  type Context,
  isSpanContextValid,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';

const HEADER = 'uber-trace-id';
const SAMPLED_OR_DEBUG = 0x03;

/**
 * Jaeger's own trace context, `{trace}:{span}:{parent}:{flags}`. Written here because the published propagator excludes the
 * version of the API that the kit uses.
 *
 * @see https://www.jaegertracing.io/docs/1.76/architecture/sdk/#propagation-format
 */
export const jaegerPropagator: TextMapPropagator = {
  fields: () => [HEADER],

  inject(context: Context, carrier: unknown, setter: TextMapSetter) {
    const spanContext = trace.getSpanContext(context);
    if (!spanContext || !isSpanContextValid(spanContext) || isTracingSuppressed(context)) return;
    const flags = spanContext.traceFlags & TraceFlags.SAMPLED ? '01' : '00';
    setter.set(carrier, HEADER, `${spanContext.traceId}:${spanContext.spanId}:0:${flags}`);
  },

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const raw = getter.get(carrier, HEADER);
    const value = Array.isArray(raw) ? raw[0] : raw;
    if (typeof value !== 'string' || value.length > 100) return context;
    const [, traceId, spanId, flags] =
      /^([0-9a-f]{1,32})(?::|%3A)([0-9a-f]{1,16})(?::|%3A)[0-9a-f]{0,16}(?::|%3A)([0-9a-f]{1,2})$/i.exec(value) ?? [];
    if (!traceId) return context;
    const spanContext = {
      traceId: traceId.padStart(32, '0').toLowerCase(),
      spanId: spanId.padStart(16, '0').toLowerCase(),
      traceFlags: Number.parseInt(flags, 16) & SAMPLED_OR_DEBUG ? TraceFlags.SAMPLED : TraceFlags.NONE,
      isRemote: true,
    };
    return isSpanContextValid(spanContext) ? trace.setSpanContext(context, spanContext) : context;
  },
};
