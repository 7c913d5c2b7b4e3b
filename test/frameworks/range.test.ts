import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIBRARIES } from '../../instrumentation/libraries/index.ts';
import { inRange } from '../../instrumentation/libraries/range.ts';

test('a version is compared part by part, as numbers', () => {
  assert.equal(inRange('4.10.0', '>=4.9.0'), true);
  assert.equal(inRange('4.9.9', '>=4.10.0'), false);
  assert.equal(inRange('5.0.0', '>=4.0.0 <5.0.0'), false);
  assert.equal(inRange('4.99.99', '>=4.0.0 <5.0.0'), true);
  assert.equal(inRange('1.2.3', '=1.2.3'), true);
  assert.equal(inRange('1.2.3', '>1.2.3'), false);
  assert.equal(inRange('1.2.3', '<=1.2.3'), true);
});

test('a caret reaches up to the next change of the first part that is not zero', () => {
  const inside = (range: string, ...versions: string[]) => versions.map((version) => inRange(version, range));
  assert.deepEqual(inside('^1.2.3', '1.2.2', '1.2.3', '1.9.0', '2.0.0'), [false, true, true, false]);
  assert.deepEqual(inside('^0.2.3', '0.2.2', '0.2.3', '0.2.9', '0.3.0'), [false, true, true, false]);
  assert.deepEqual(inside('^0.0.3', '0.0.2', '0.0.3', '0.0.4'), [false, true, false]);
});

test('one alternative is enough', () => {
  const range = '>=22.22.3 <23.0.0 || >=24.11.1';
  assert.deepEqual(
    ['22.22.2', '22.22.3', '23.11.0', '24.11.0', '24.11.1', '26.0.0'].map((version) => inRange(version, range)),
    [false, true, false, false, true, true],
  );
});

test('a pre-release counts as its release, a missing part as zero, and what is no version is in no range', () => {
  assert.equal(inRange('5.0.0-beta.1', '>=5.0.0'), true);
  assert.equal(inRange('v5', '>=5.0.0'), true);
  assert.equal(inRange('workspace:*', '>=0.0.0'), false);
  assert.equal(inRange('', '>=0.0.0'), false);
});

test('a comparator that is none is refused, so that a typing error in the table shows', () => {
  assert.throws(() => inRange('1.0.0', '~1.0.0'), /"~1\.0\.0" is no comparator/);
});

test('every range in the table of libraries can be read', () => {
  const ranges = LIBRARIES.flatMap(({ packages, esm }) => [
    ...Object.values(packages),
    ...Object.values(esm ?? {}).map(({ range }) => range),
  ]);
  assert.ok(ranges.length > 10);
  for (const range of ranges) assert.equal(inRange('0.0.0', range), false, range);
});
