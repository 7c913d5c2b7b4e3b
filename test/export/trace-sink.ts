import { createSpanEncoder } from '../../instrumentation/export/otlp-json.ts';
import type { Outcome, SinkSettings, SpanRun } from '../../instrumentation/export/sink.ts';
import type { SpanRecord } from '../../instrumentation/export/span-record.ts';
import { createTraceSink } from '../../instrumentation/export/worker-traces.ts';
import type { TestViewer } from '../../viewer/testing.ts';

/** Settings of a sink that differ from the defaults. */
export type Options = Partial<Omit<SinkSettings, 'target'>> & { target?: Partial<SinkSettings['target']> };

/** A real sink that sends to the viewer, and the outcomes that it reports. */
export function openSink(viewer: TestViewer, { target, ...options }: Options = {}) {
  const outcomes: Outcome[] = [];
  const sink = createTraceSink(
    {
      target: {
        url: `${viewer.url}/v1/traces`,
        headers: {},
        timeoutMs: 5000,
        compression: 'gzip',
        protocol: 'http/json',
        ...target,
      },
      resource: { 'service.name': 'shop', 'service.version': '1.2.3' },
      queueSize: 2048,
      batchSize: 512,
      delayMs: 60_000,
      certificates: { ca: '', key: '', cert: '' },
      redactKeys: [],
      ...options,
    },
    (outcome) => void outcomes.push(outcome),
  );
  return { sink, outcomes };
}

const encode = createSpanEncoder();
let serial = 0;

/** Spans as the main thread hands them over. */
export function runOf(count: number, more: Partial<SpanRecord> = {}): SpanRun {
  const encoded = Array.from({ length: count }, () => {
    const id = (++serial).toString(16);
    return encode({
      traceId: id.padStart(32, '1'),
      spanId: id.padStart(16, '2'),
      parentSpanId: undefined,
      parentIsRemote: false,
      traceFlags: 1,
      traceState: undefined,
      name: `span ${serial}`,
      kind: 1,
      start: [1_800_000_000, 1],
      end: [1_800_000_001, 2],
      statusCode: 0,
      statusMessage: undefined,
      attributes: {},
      events: [],
      links: [],
      droppedAttributes: 0,
      droppedEvents: 0,
      droppedLinks: 0,
      scope: 'o11y-kit',
      scopeVersion: '1',
      ...more,
    });
  });
  return { scope: encoded[0].scope, spans: new TextEncoder().encode(encoded.map(({ json }) => json).join(',')), count };
}

export function total(outcomes: readonly Outcome[]) {
  const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((all, outcome) => all + pick(outcome), 0);
  return { exported: sum(({ exported }) => exported), dropped: sum(({ dropped }) => dropped) };
}
