import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { severityNumber, toRecord } from '../../instrumentation/export/log-record.ts';
import { createRedactor } from '../../instrumentation/redaction.ts';
import { IDS } from './harness.ts';

const redactor = createRedactor();
const read = (line: string, messageKey = 'msg') => toRecord({ line, level: 30, time: 1_700_000_000_123, messageKey }, redactor);

const FLAGS: [written: string, read: number][] = [
  ['"01"', 1],
  ['"00"', 0],
  ['"03"', 3],
  ['1', 1],
  ['"x"', 0],
  ['null', 0],
];
for (const [written, flags] of FLAGS) {
  test(`trace flags ${written} are the number ${flags}, as OTLP wants them`, () => {
    const { trace_flags } = read(`{"trace_id":"${IDS.trace_id}","span_id":"${IDS.span_id}","trace_flags":${written}}`);
    assert.equal(trace_flags, flags);
  });
}

test('the time is seconds and nanoseconds: milliseconds would be read as an offset by a younger thread', () => {
  assert.deepEqual(read('{}').time, [1_700_000_000, 123_000_000]);
});

test('severities keep the order of levels, from 1 to 24', () => {
  fc.assert(
    fc.property(fc.integer({ min: -100, max: 1000 }), fc.integer({ min: -100, max: 1000 }), (a, b) => {
      assert.ok(severityNumber(a) >= 1 && severityNumber(a) <= 24);
      assert.ok(a > b || severityNumber(a) <= severityNumber(b));
    }),
  );
});

test('any text, and any JSON, is a record', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (line, messageKey) => void assert.equal(read(line, messageKey).level, 30)));
  fc.assert(fc.property(fc.json(), (line) => void assert.equal(read(line).level, 30)));
});
