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
import { DecodeError, decoders } from '../../viewer/otlp/decode.ts';
import { logs, metrics, spans } from './sdk-records.ts';

/** Mutations of each of the six body kinds: 200,000 in all. */
const MUTATIONS = 33_334;
const SEEDS = 40;
const MAX_BYTES = 1500;

const kinds: [string, (body: Buffer) => unknown, fc.Arbitrary<any>, (input: any) => Uint8Array | undefined][] = [
  ['traces, protobuf', decoders.traces.protobuf, spans, ProtobufTraceSerializer.serializeRequest],
  ['traces, JSON', decoders.traces.json, spans, JsonTraceSerializer.serializeRequest],
  ['logs, protobuf', decoders.logs.protobuf, logs, ProtobufLogsSerializer.serializeRequest],
  ['logs, JSON', decoders.logs.json, logs, JsonLogsSerializer.serializeRequest],
  ['metrics, protobuf', decoders.metrics.protobuf, metrics, ProtobufMetricsSerializer.serializeRequest],
  ['metrics, JSON', decoders.metrics.json, metrics, JsonMetricsSerializer.serializeRequest],
];

describe('a mutilated body is decoded or refused, and nothing else happens', () => {
  for (const [name, decode, arbitrary, serialize] of kinds) {
    it(name, { timeout: 120_000 }, () => {
      const random = generator(20_260_801);
      const seeds = fc
        .sample(arbitrary, { numRuns: 4 * SEEDS, seed: 7 })
        .map((input) => Buffer.from(serialize(input)!))
        .filter((body) => body.length <= MAX_BYTES)
        .slice(0, SEEDS);
      const outcome = { decoded: 0, refused: 0 };
      for (let i = 0; i < MUTATIONS; i++) {
        const body = mutate(seeds[i % seeds.length], seeds[random(seeds.length)], random);
        try {
          decode(body);
          outcome.decoded++;
        } catch (error) {
          if (!(error instanceof DecodeError)) {
            assert.fail(`${error} for body ${body.toString('base64')}`);
          }
          outcome.refused++;
        }
      }
      // Mutations that all fail at the first byte, or all do nothing, would prove nothing.
      assert.ok(outcome.decoded > MUTATIONS / 200, JSON.stringify(outcome));
      assert.ok(outcome.refused > MUTATIONS / 20, JSON.stringify(outcome));
    });
  }
});

function mutate(seed: Buffer, other: Buffer, random: (below: number) => number): Buffer {
  let body = Buffer.from(seed);
  for (let n = 1 + random(4); n > 0 && body.length > 0; n--) {
    const at = random(body.length);
    const length = 1 + random(Math.min(16, body.length - at));
    switch (random(7)) {
      case 0:
        body[at] ^= 1 << random(8);
        break;
      case 1:
        body[at] = random(256);
        break;
      case 2:
        body = body.subarray(0, at);
        break;
      case 3:
        body = Buffer.concat([body.subarray(0, at), body.subarray(at + length)]);
        break;
      case 4:
        body = Buffer.concat([body.subarray(0, at + length), body.subarray(at)]);
        break;
      case 5:
        body = Buffer.concat([body.subarray(0, at), other.subarray(random(other.length + 1)), body.subarray(at)]);
        break;
      default:
        // Lengths and numbers as large as they get.
        body.fill(0xff, at, at + length);
    }
  }
  return body;
}

/** mulberry32: the same mutations in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
