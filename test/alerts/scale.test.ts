import assert from 'node:assert/strict';
import test from 'node:test';
import { scaleDurations } from './scale.ts';

test('every duration is divided: ranges, steps of subqueries, offsets, times to wait', () => {
  const given = `
      - alert: A
        expr: rate(a_seconds[5m] offset 1d) > 0.5 and count_over_time(b[6h:1m]) > 300
        for: 2m
route: { x: 1 }
  group_wait: 30s
  repeat_interval: 4h
`;
  const expected = `
      - alert: A
        expr: rate(a_seconds[10000ms] offset 2880000ms) > 0.5 and count_over_time(b[720000ms:2000ms]) > 300
        for: 4000ms
route: { x: 1 }
  group_wait: 1000ms
  repeat_interval: 480000ms
`;
  assert.equal(scaleDurations(given, 30), expected);
});

test('names, numbers, labels and texts that hold a duration stay', () => {
  const kept = `
      - record: job:http_server_requests:rate5m
        expr: 0.5
        labels:
          window: 1h
          description: in the last 5m
`;
  assert.equal(scaleDurations(kept, 30), kept);
});
