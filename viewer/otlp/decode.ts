import type { Decoded, LogRecord, Metric, Signal, Span } from '../model.ts';
import { decodeLogsJson } from './json-logs.ts';
import { decodeMetricsJson } from './json-metrics.ts';
import { decodeTracesJson } from './json-traces.ts';
import { decodeLogs } from './proto-logs.ts';
import { decodeMetrics } from './proto-metrics.ts';
import { decodeTraces } from './proto-traces.ts';

export { DecodeError } from './errors.ts';

/** The two encodings of OTLP/HTTP. */
export type Encoding = 'protobuf' | 'json';

interface Records {
  traces: Span;
  logs: LogRecord;
  metrics: Metric;
}

type Decoders = { readonly [S in Signal]: { readonly [E in Encoding]: (body: Buffer) => Decoded<Records[S]> } };

/**
 * The decoder of every signal in both encodings.
 *
 * @throws {DecodeError} if the body is not what its encoding says; no other error, whatever the body.
 */
export const decoders: Decoders = {
  traces: { protobuf: decodeTraces, json: decodeTracesJson },
  logs: { protobuf: decodeLogs, json: decodeLogsJson },
  metrics: { protobuf: decodeMetrics, json: decodeMetricsJson },
};
