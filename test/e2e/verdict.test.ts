import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sent } from '../../examples/checkout/demo/traffic.ts';
import { type Evidence, judge, passed } from '../../examples/checkout/demo/verdict.ts';
import type { LogRecord, Span } from '../../viewer/testing.ts';

const SERVICES = ['gateway', 'orders', 'payments'] as const;

/** One checkout, observed without a gap. */
function perfect() {
  const sent: Sent = {
    step: { method: 'POST', path: '/checkout', route: '/checkout', statuses: [201], services: SERVICES },
    path: '/checkout',
    status: 201,
    durationMs: 12,
    sentId: 'id-1',
    correlationId: 'id-1',
  };
  const span = (service: string, kind: string, spanId: string, parentSpanId: string, name = 'POST') => {
    return { service, kind, spanId, parentSpanId, name, traceId: 't1', attributes: { 'correlation.id': 'id-1' } };
  };
  return {
    sent,
    spans: [
      span('gateway', 'server', 's1', '', 'POST /checkout'),
      span('gateway', 'client', 's2', 's1'),
      span('orders', 'server', 's3', 's2', 'POST /orders'),
      span('orders', 'client', 's4', 's3'),
      span('payments', 'server', 's5', 's4'),
    ],
    logs: SERVICES.map((service) => ({
      service,
      traceId: 't1',
      attributes: { correlation_id: 'id-1' } as Record<string, string>,
    })),
    pages: new Map<string, string>(SERVICES.map((service) => [service, page(1)])),
  };
}

function page(requests: number, dropped = 0): string {
  return `# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_route="/a} b",le="+Inf"} 900
http_server_request_duration_seconds_count{http_route="/a} b"} ${requests}
o11y_dropped_total{signal="traces",reason="queue_full"} ${dropped}
`;
}

function verdict({ sent, spans, logs, pages }: ReturnType<typeof perfect>) {
  const evidence: Evidence = { sent: [sent], spans: spans as unknown as Span[], logs: logs as unknown as LogRecord[], pages };
  return judge(evidence);
}

test('a round without a gap passes', () => {
  const checks = verdict(perfect());
  assert.ok(passed(checks), JSON.stringify(checks, undefined, 1));
});

const gaps: [name: string, expected: RegExp, make: (round: ReturnType<typeof perfect>) => void][] = [
  ['a request that nobody answered', /answered/, (round) => void (round.sent = { ...round.sent, status: 0 })],
  ['an answer that was not allowed', /answered/, (round) => void (round.sent = { ...round.sent, status: 418 })],
  [
    'an answer without a correlation id',
    /correlation id/,
    (round) => {
      round.sent = { ...round.sent, correlationId: undefined };
    },
  ],
  [
    'an id that the client sent and did not get back',
    /correlation id/,
    (round) => void (round.sent = { ...round.sent, sentId: 'mine' }),
  ],
  ['a missing server span', /complete trace/, (round) => void round.spans.pop()],
  ['a missing client span', /complete trace/, (round) => void round.spans.splice(1, 1)],
  ['a server span twice', /complete trace/, (round) => void round.spans.push({ ...round.spans[4], spanId: 's9' })],
  ['a trace that breaks off between two services', /across all three/, (round) => void (round.spans[2].parentSpanId = '')],
  ['a call under the wrong span', /complete trace/, (round) => void (round.spans[3].parentSpanId = 's1')],
  ['a client span of another trace', /complete trace/, (round) => void (round.spans[1].traceId = 't2')],
  ['a name that is no route template', /complete trace/, (round) => void (round.spans[0].name = 'POST')],
  ['a service that logged nothing', /log lines/, (round) => void round.logs.pop()],
  ['a log line with the wrong trace', /log lines/, (round) => void (round.logs[1].traceId = 't2')],
  ['a log line with another correlation id', /log lines/, (round) => void (round.logs[1].attributes = { correlation_id: 'x' })],
  ['a request that was not counted', /metrics of orders/, (round) => void round.pages.set('orders', page(0))],
  ['a request that was counted twice', /metrics of orders/, (round) => void round.pages.set('orders', page(2))],
  ['a metrics page that was not found', /metrics of payments/, (round) => void round.pages.delete('payments')],
  ['a dropped span', /dropped/, (round) => void round.pages.set('gateway', page(1, 3))],
];

for (const [name, expected, make] of gaps) {
  test(`a round fails for ${name}`, () => {
    const round = perfect();
    make(round);
    const failed = verdict(round).filter((check) => check.seen !== check.expected);
    assert.ok(
      failed.some((check) => expected.test(check.what)),
      `failed: ${failed.map((check) => check.what).join('; ') || 'nothing'}`,
    );
  });
}
