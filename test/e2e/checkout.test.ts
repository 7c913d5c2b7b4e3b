import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Service, startServices } from '../../examples/checkout/demo/service.ts';
import { startViewer, type TestViewer, type Trace } from '../../viewer/testing.ts';

let viewer: TestViewer;
let services: Service[];

before(async () => {
  viewer = await startViewer();
  const healthy = { SLOW_RATE: '0', FAILURE_RATE: '0', DECLINE_RATE: '0' };
  services = await startServices({ ...process.env, ...healthy, OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url }, 1);
});

after(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await viewer.close();
});

/** Five spans: a server span in each service, a client span between them. */
function checkoutTrace(correlationId: string): Promise<Trace> {
  const own = (trace: Trace) => trace.root?.attributes['correlation.id'] === correlationId;
  return viewer.waitForTrace(own, { spans: 5, timeout: 15_000 });
}

async function checkout(headers: Record<string, string> = {}) {
  const response = await fetch(`${services[0].url}/checkout`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ customer: 'ada', items: [{ sku: 'tea-green', quantity: 2 }] }),
  });
  return {
    status: response.status,
    id: response.headers.get('x-correlation-id'),
    body: (await response.json()) as { id: string },
  };
}

test('one trace runs through gateway, orders and payments, each span under its right parent', async () => {
  const { status, id } = await checkout();
  assert.equal(status, 201);
  assert.ok(id, 'the answer carries a correlation id');
  const trace = await checkoutTrace(id);
  // POST /checkout         gateway server
  //   POST                 gateway client
  //     POST /orders       orders server
  //       POST             orders client
  //         POST           payments server (plain node:http has no routes)
  const expected = [
    ['gateway', 'server', 'POST /checkout'],
    ['gateway', 'client', 'POST'],
    ['orders', 'server', 'POST /orders'],
    ['orders', 'client', 'POST'],
    ['payments', 'server', 'POST'],
  ];
  let span = trace.root;
  for (const [depth, row] of expected.entries()) {
    assert.ok(span, `a span at depth ${depth} of\n${trace}`);
    assert.deepEqual([span.service, span.kind, span.name], row, `${trace}`);
    assert.equal(span.attributes['correlation.id'], id);
    const children = trace.children(span);
    assert.ok(children.length <= 1, `${trace}`);
    span = children[0];
  }
  assert.equal(span, undefined, `nothing below payments in\n${trace}`);
});

test('the log lines of all three services carry the same correlation id and the trace of their request', async () => {
  const id = 'order-form-7:retry.1';
  const { status, id: returned, body } = await checkout({ 'x-correlation-id': id });
  assert.equal(status, 201);
  assert.equal(returned, id);
  const { traceId, spans } = await checkoutTrace(id);
  for (const [service, text] of [
    ['gateway', 'checkout done'],
    ['orders', 'order placed'],
    ['payments', `for order ${body.id}`],
  ]) {
    const filter = { service, body: new RegExp(text), attributes: { correlation_id: id } };
    const [record] = await viewer.waitForLogs(filter, { timeout: 15_000 });
    assert.equal(record.traceId, traceId);
    const server = spans.find((span) => span.service === service && span.kind === 'server');
    assert.equal(record.spanId, server?.spanId, `the line of ${service} belongs to its server span`);
  }
});

test('the lines on the services’ own stdout carry the ids, in the format that each service chose', async () => {
  const { id } = await checkout();
  assert.ok(id);
  const { traceId } = await checkoutTrace(id);
  for (const { name, output } of services) {
    const lines: Record<string, unknown>[] = output()
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))
      .filter((line) => line.correlation_id === id);
    assert.ok(lines.length > 0, `${name} wrote a line with the id:\n${output().join('\n')}`);
    for (const line of lines) assert.equal(line.trace_id, traceId);
  }
});

test('an error that a handler throws is on the span and in the log line, under one trace', async () => {
  const response = await fetch(`${services[0].url}/recommendations`);
  assert.equal(response.status, 500);
  const id = response.headers.get('x-correlation-id');
  const [span] = await viewer.waitForSpans((one) => one.attributes['correlation.id'] === id, { timeout: 15_000 });
  assert.equal(span.name, 'GET /recommendations');
  assert.equal(span.status.code, 'error');
  assert.equal(span.attributes['http.response.status_code'], 500);
  const [event] = span.events.filter(({ name }) => name === 'exception');
  assert.equal(event?.attributes['exception.type'], 'TypeError');
  const [record] = await viewer.waitForLogs({ service: 'gateway', body: 'request failed', traceId: span.traceId });
  assert.equal(record.severityNumber, 17);
});
