import { randomBytes } from 'node:crypto';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { sdkSpan } from '../../test/viewer/sdk-span.ts';
import type { Encoding } from '../../viewer/otlp/decode.ts';

/** Spans of one request: the server's, two queries and an outgoing call. */
export const SPANS_PER_TRACE = 4;

export interface Batch {
  readonly body: Buffer;
  readonly traceIds: readonly string[];
}

/** So many requests of a service, as OpenTelemetry's own serialiser writes them. Each is a trace of its own. */
export function batch(encoding: Encoding, service: string, traces: number): Batch {
  const traceIds = Array.from({ length: traces }, () => randomBytes(16).toString('hex'));
  const serializer = encoding === 'json' ? JsonTraceSerializer : ProtobufTraceSerializer;
  const body = serializer.serializeRequest(traceIds.flatMap((traceId, n) => requestSpans(service, traceId, n)))!;
  return { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), traceIds };
}

function requestSpans(service: string, traceId: string, n: number) {
  const startMs = Date.now() - 20;
  const root = randomBytes(8).toString('hex');
  const child = { service, traceId, parentSpanId: root, startMs: startMs + 2, kind: 2 };
  const query = (text: string) => ({
    'db.system.name': 'postgresql',
    'db.namespace': 'shop',
    'db.query.text': text,
    'db.operation.name': text.split(' ', 1)[0],
    'server.address': 'localhost',
    'server.port': 5432,
  });
  return [
    sdkSpan({
      service,
      traceId,
      spanId: root,
      startMs,
      durationMs: 18,
      kind: 1,
      name: 'GET /orders/:id',
      error: n % 50 === 49 ? 'the payment was refused' : undefined,
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/orders/:id',
        'http.response.status_code': n % 50 === 49 ? 500 : 200,
        'url.scheme': 'http',
        'url.path': `/orders/${n}`,
        'server.address': 'localhost',
        'server.port': 3000,
        'network.protocol.version': '1.1',
        'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
        'correlation.id': traceId,
      },
    }),
    sdkSpan({ ...child, durationMs: 4, name: 'SELECT orders', attributes: query('SELECT * FROM orders WHERE id = $1') }),
    sdkSpan({ ...child, durationMs: 2, name: 'SELECT items', attributes: query('SELECT * FROM items WHERE order_id = $1') }),
    sdkSpan({
      ...child,
      durationMs: 9,
      name: 'POST',
      attributes: {
        'http.request.method': 'POST',
        'http.response.status_code': 201,
        'url.full': `http://payments:3001/payments?order=${n}`,
        'server.address': 'payments',
        'server.port': 3001,
      },
    }),
  ];
}
