import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import fc from 'fast-check';
import type { Decoded } from '../../viewer/model.ts';
import { decoders } from '../../viewer/otlp/decode.ts';
import { expectedLog, expectedMetric, expectedSpan, logs, metrics, plain, spans } from './sdk-records.ts';

const RUNS = { numRuns: 150 };

describe('decoders give back what the official serialisers were given', () => {
  it('traces, protobuf', () => {
    fc.assert(
      fc.property(spans, (input) => {
        const body = ProtobufTraceSerializer.serializeRequest(input)!;
        same(decoders.traces.protobuf(Buffer.from(body)), input.map(expectedSpan));
      }),
      RUNS,
    );
  });

  it('traces, JSON', () => {
    fc.assert(
      fc.property(spans, (input) => {
        const body = JsonTraceSerializer.serializeRequest(input)!;
        same(decoders.traces.json(Buffer.from(body)), input.map(expectedSpan), jsonNumbers);
      }),
      RUNS,
    );
  });

  it('logs, protobuf', () => {
    fc.assert(
      fc.property(logs, (input) => {
        const body = ProtobufLogsSerializer.serializeRequest(input)!;
        same(decoders.logs.protobuf(Buffer.from(body)), input.map(expectedLog));
      }),
      RUNS,
    );
  });

  it('logs, JSON', () => {
    fc.assert(
      fc.property(logs, (input) => {
        const body = JsonLogsSerializer.serializeRequest(input)!;
        same(decoders.logs.json(Buffer.from(body)), input.map(expectedLog), jsonNumbers);
      }),
      RUNS,
    );
  });

  it('metrics, protobuf', () => {
    fc.assert(
      fc.property(metrics, (input) => {
        const body = ProtobufMetricsSerializer.serializeRequest(input)!;
        same(decoders.metrics.protobuf(Buffer.from(body)), expectedMetric(input));
      }),
      RUNS,
    );
  });

  it('metrics, JSON', () => {
    fc.assert(
      fc.property(metrics, (input) => {
        const body = JsonMetricsSerializer.serializeRequest(input)!;
        same(decoders.metrics.json(Buffer.from(body)), expectedMetric(input), jsonNumbers);
      }),
      RUNS,
    );
  });
});

function same(decoded: Decoded<unknown>, expected: unknown[], seen: (value: unknown) => unknown = (value) => value): void {
  assert.equal(decoded.rejected, 0, decoded.reason);
  assert.deepEqual(decoded.records.map(plain).map(seen), expected.map(plain).map(seen));
}

/** What JSON cannot say: the serialiser writes null for NaN and infinities, and -0 becomes 0. */
function jsonNumbers(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null;
  if (Array.isArray(value)) return value.map(jsonNumbers);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, jsonNumbers(item)]));
  return value;
}
