import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawLine, drawScreen, type Picture } from '../../examples/checkout/demo/screen.ts';

const picture: Picture = {
  seconds: 83,
  rows: [
    { service: 'gateway', requests: 312, rate: 4.04, errorRatio: 0.0833, p50: 3.27, p95: 889.6, logs: 424 },
    { service: 'orders', requests: 0, rate: 0, errorRatio: null, p50: null, p95: null, logs: 0 },
  ],
  evictedTraces: 0,
  viewer: 'http://localhost:4318',
  gateway: 'http://127.0.0.1:41234',
  metrics: ['http://127.0.0.1:9464/metrics', 'http://127.0.0.1:9465/metrics'],
  slow: { url: 'http://localhost:4318/t/abc', what: 'POST /checkout, 1012 ms, 201' },
  failed: undefined,
};

test('the screen shows each service in columns, and where to look', () => {
  assert.equal(
    drawScreen(picture).join('\n'),
    `checkout demo  01:23  Ctrl-C ends it

service         requests  per second      errors         p50         p95   log lines
gateway              312         4.0       8.3 %      3.3 ms      890 ms         424
orders                 0         0.0           –           –           –           0

Viewer        http://localhost:4318
A slow one    http://localhost:4318/t/abc  POST /checkout, 1012 ms, 201
A failed one  none yet
Metrics       http://127.0.0.1:9464/metrics
              http://127.0.0.1:9465/metrics
Try           curl -i http://127.0.0.1:41234/products/tea-green`,
  );
});

test('traces that the viewer gave up are told', () => {
  assert.ok(drawScreen({ ...picture, evictedTraces: 7 }).includes('7 older traces made room for newer ones'));
});

test('where the output is no terminal, the same is one line', () => {
  const line = '01:23  gateway 312 requests, 8.3 % failed, p95 890 ms; orders 0 requests, – failed, p95 –';
  assert.equal(drawLine(picture), line);
  assert.equal(drawLine({ ...picture, rows: [] }), '01:23  nothing yet');
});
