import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defaultTextMapSetter, propagation, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import fc from 'fast-check';
import { createPropagation } from '../../instrumentation/traces/propagation.ts';

const ours = createPropagation(['tracecontext', 'baggage']);

it('a correlation id becomes the baggage that OpenTelemetry makes of it, whatever characters it has', () => {
  const id = fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/);
  fc.assert(
    fc.property(id, (value) => {
      const entry = propagation.createBaggage({ 'correlation.id': { value } });
      const [made, expected] = [{}, {}];
      ours.injectBaggage(ROOT_CONTEXT, value, made);
      new W3CBaggagePropagator().inject(propagation.setBaggage(ROOT_CONTEXT, entry), expected, defaultTextMapSetter);
      assert.deepEqual(made, expected);
      assert.notDeepEqual(made, {});
    }),
  );
});

it('a span becomes the traceparent that OpenTelemetry makes of it', () => {
  const id = (length: number) =>
    fc.string({ minLength: length, maxLength: length, unit: fc.constantFrom(...'0123456789abcdef') });
  fc.assert(
    fc.property(id(32), id(16), fc.constantFrom(TraceFlags.NONE, TraceFlags.SAMPLED), (traceId, spanId, traceFlags) => {
      const span = trace.wrapSpanContext({ traceId, spanId, traceFlags });
      const [made, expected] = [{}, {}];
      ours.injectTrace(ROOT_CONTEXT, span, made);
      new W3CTraceContextPropagator().inject(trace.setSpan(ROOT_CONTEXT, span), expected, defaultTextMapSetter);
      assert.deepEqual(made, expected);
    }),
  );
});
