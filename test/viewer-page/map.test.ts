import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceMap } from '../../viewer/api-types.ts';
import { startViewerServer } from '../../viewer/viewer.ts';
import { newSpanId, newTraceId, type SentSpan, sendSpans } from './send.ts';

test('a call that is under way draws no stranger beside the service that answers there', async () => {
  const viewer = await startViewerServer({ port: 0, version: 'test' });
  try {
    const call = (port: number): SentSpan & { spanId: string } => ({
      traceId: newTraceId(),
      spanId: newSpanId(),
      service: 'gateway',
      kind: 3,
      attributes: { 'server.address': '127.0.0.1', 'server.port': port },
    });
    const answered = call(8080);
    await sendSpans(viewer.url, [
      answered,
      { traceId: answered.traceId, parentSpanId: answered.spanId, service: 'orders', kind: 2 },
      call(8080),
      call(9999),
    ]);
    const map = (await (await fetch(`${viewer.url}/api/map`)).json()) as ServiceMap;
    assert.deepEqual(map.nodes.map(({ label }) => label).sort(), ['127.0.0.1:9999', 'gateway', 'orders']);
  } finally {
    await viewer.close();
  }
});
