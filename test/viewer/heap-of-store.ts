/** Fills a store of the default size with spans and logs of many forms, and prints what it takes. */
import { randomBytes } from 'node:crypto';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { Hub } from '../../viewer/hub.ts';
import { decoders } from '../../viewer/otlp/decode.ts';
import { sdkSpan } from './sdk-span.ts';
import { log } from './viewer-client.ts';

const hub = new Hub();
const settle = () => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

const before = settle();
for (let batch = 0; hub.dropped().evictedTraces === 0; batch++) {
  const service = `service-${batch % 7}`;
  const spans = [];
  for (let trace = 0; trace < 40; trace++) {
    const traceId = randomBytes(16).toString('hex');
    // Traces of one span and of many; attributes from none to many, Latin and not.
    for (let i = 0; i < 1 + (trace % 8); i++) {
      const attributes = Object.fromEntries(
        Array.from({ length: (trace * 3) % 14 }, (_, n) => [`some.attribute.${n}`, n % 2 ? n : `value ${n} of ${batch}`]),
      );
      if (trace % 9 === 0) attributes.wide = '値'.repeat(50);
      const events = trace % 5 === 0 ? [{ name: 'exception', attributes: { stack: 'x'.repeat(300) } }] : [];
      spans.push(sdkSpan({ service, traceId, attributes, events, kind: i % 3, name: `GET /route/${trace}` }));
    }
  }
  const protobuf = batch % 2 === 0;
  const serializer = protobuf ? ProtobufTraceSerializer : JsonTraceSerializer;
  const body = Buffer.from(serializer.serializeRequest(spans)!);
  const { records } = decoders.traces[protobuf ? 'protobuf' : 'json'](body);
  hub.addSpans(records);
  hub.addLogs(
    records.map(({ traceId, spanId }, i) =>
      log({
        service,
        traceId,
        spanId,
        body: `line ${i} of batch ${batch}: ${'y'.repeat(i % 200)}`,
        attributes: { correlation_id: traceId, n: i },
      }),
    ),
  );
}
const heap = settle() - before;
console.log(JSON.stringify({ used: hub.storage().usedBytes, heap }));
