import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, bytes, duration, percent, quantity, uptime } from '../../viewer/page/format.ts';
import { bridged, cut, firstKnown } from '../../viewer/page/known.ts';

test('durations have one unit and at most three digits', () => {
  const texts = [null, 0, 0.0004, 0.34, 1, 12.34, 999.4, 999.7, 1240, 59_990, 65_000, 7_200_000, -3].map(duration);
  assert.deepEqual(texts, [
    '–',
    '0 ms',
    '400 ns',
    '340 µs',
    '1 ms',
    '12.3 ms',
    '999 ms',
    '1 s',
    '1.24 s',
    '1 min',
    '1.08 min',
    '2 h',
    '-3 ms',
  ]);
});

test('shares never round to none or all', () => {
  assert.deepEqual([null, 0, 0.0004, 0.021, 0.9996, 1].map(percent), ['–', '0 %', '< 0.1 %', '2.1 %', '> 99.9 %', '100 %']);
});

test('quantities, sizes and ages', () => {
  assert.deepEqual([0, 0.25, 4210, 1.2e6, Number.NaN].map(quantity), ['0', '0.25', '4,210', '1.2 M', '–']);
  assert.deepEqual([512, 999_600, 67_100_000].map(bytes), ['512 B', '1 MB', '67.1 MB']);
  assert.deepEqual(
    [1000, 13_000, 200_000].map((age) => ago(0, age)),
    ['just now', '13 s ago', '3 min ago'],
  );
  assert.deepEqual([12, 3700, 90_000].map(uptime), ['12 s', '1 h 1 min', '1 d 1 h']);
});

test('one empty slot is bridged, two are a gap', () => {
  assert.deepEqual(bridged([null, 1, null, 3, null, null, 4, null]), [null, 1, 1, 3, null, null, 4, null]);
});

test('a window is drawn from a slot before the first that is known, and never becomes too short', () => {
  const late = Array.from({ length: 60 }, (_, at) => (at < 30 ? null : at));
  assert.equal(firstKnown([late]), 29);
  assert.equal(firstKnown([Array.from({ length: 60 }, (_, at) => (at < 58 ? null : at))]), 48);
  assert.equal(firstKnown([[null, null]]), 0);
  assert.deepEqual(cut({ from: 1000, stepMs: 100, rate: [null, null, 3], exemplars: [1] }, 2), {
    from: 1200,
    stepMs: 100,
    rate: [3],
    exemplars: [1],
  });
});
