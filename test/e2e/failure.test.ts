import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Service, startServices } from '../../examples/checkout/demo/service.ts';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';

let viewer: TestViewer;
let services: Service[];

before(async () => {
  viewer = await startViewer();
  const broken = { FAILURE_RATE: '1', DECLINE_RATE: '0', SLOW_RATE: '0' };
  services = await startServices({ ...process.env, ...broken, OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url }, 1);
});

after(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await viewer.close();
});

test('a failure in payments is an error on every span above it and an error line in its service', async () => {
  const response = await fetch(`${services[0].url}/checkout`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-correlation-id': 'will-fail' },
    body: JSON.stringify({ customer: 'ada', items: [{ sku: 'pot-clay', quantity: 1 }] }),
  });
  assert.equal(response.status, 502);
  const trace = await viewer.waitForTrace((one) => one.root?.attributes['correlation.id'] === 'will-fail', {
    spans: 5,
    timeout: 15_000,
  });
  const shape = trace.spans.map((span) => [
    span.service,
    span.kind,
    span.status.code,
    span.attributes['http.response.status_code'],
  ]);
  assert.deepEqual(
    shape,
    [
      ['gateway', 'server', 'error', 502],
      ['gateway', 'client', 'error', 502],
      ['orders', 'server', 'error', 502],
      ['orders', 'client', 'error', 503],
      ['payments', 'server', 'error', 503],
    ],
    `${trace}`,
  );
  for (const span of trace.spans)
    assert.equal(span.attributes['error.type'], String(span.attributes['http.response.status_code']));

  const [line] = await viewer.waitForLogs({ service: 'payments', body: /charge failed/, minSeverity: 17 }, { timeout: 15_000 });
  assert.equal(line.traceId, trace.traceId);
  assert.equal(line.attributes.correlation_id, 'will-fail');
  assert.match(
    JSON.stringify([line.body, line.attributes]),
    /the bank closed the connection/,
    'the error itself is in the record',
  );
});

test('the failure is in the RED metrics of all three, with its error type', async () => {
  for (const [service, status] of [
    ['gateway', '502'],
    ['orders', '502'],
    ['payments', '503'],
  ]) {
    const [span] = await viewer.waitForSpans({ service, kind: 'server' }, { timeout: 15_000 });
    const page = await (await fetch(String(span.resource['o11y.metrics.url']))).text();
    const failed = page.split('\n').filter((line) => line.startsWith('http_server_request_duration_seconds_count'));
    assert.equal(failed.length, 1, page);
    assert.match(failed[0], new RegExp(`http_response_status_code="${status}"`));
    assert.match(failed[0], new RegExp(`error_type="${status}"`));
    assert.match(failed[0], / 1$/);
  }
});
