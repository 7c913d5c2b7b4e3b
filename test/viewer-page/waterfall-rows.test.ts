import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogRow, TraceRows } from '../../viewer/api-types.ts';
import { ancestors, found, isLog, linesOf, nextRow, placeLogs, ticks } from '../../viewer/page/waterfall-rows.ts';

/** Rows from `id:depth:start`, as the server orders them. */
function rows(...texts: string[]): TraceRows {
  const parts = texts.map((text) => text.split(':'));
  const depth = parts.map(([, level]) => Number(level));
  const zeros = () => texts.map(() => 0);
  const parent = depth.map((level, row) => depth.lastIndexOf(level - 1, row));
  const below = depth.map((level, row) => {
    const end = depth.findIndex((one, at) => at > row && one <= level);
    return (end < 0 ? depth.length : end) - row - 1;
  });
  return {
    id: parts.map(([id]) => id),
    depth,
    parent,
    below,
    startUs: parts.map(([, , start]) => Number(start)),
    name: texts.map((_, row) => row),
    service: zeros(),
    kind: zeros(),
    durationUs: zeros(),
    mark: zeros(),
    events: zeros(),
    logs: zeros(),
  };
}

function log(spanId: string, atUs: number): LogRow {
  return { id: `${spanId}${atUs}`, spanId, timeNs: String(1_000_000 + atUs * 1000) } as LogRow;
}

const TREE = rows('root:0:0', 'a:1:10', 'a1:2:12', 'b:1:50', 'other:0:5');

function shown(collapsed: string[], logs: LogRow[]): string[] {
  const placed = placeLogs(TREE, '1000000', logs);
  return linesOf(TREE, new Set(collapsed), placed).map((line) => (isLog(line) ? `log ${placed[~line].atUs}` : TREE.id[line]));
}

test('log lines stand among the children of their span, by time; those without a span come last', () => {
  const logs = [log('root', 30), log('root', 5), log('a', 20), log('root', 99), log('gone', 1), log('a1', 13), log('b', 60)];
  assert.deepEqual(shown([], logs), [
    'root',
    'log 5',
    'a',
    'a1',
    'log 13',
    'log 20',
    'log 30',
    'b',
    'log 60',
    'log 99',
    'other',
    'log 1',
  ]);
});

test('a collapsed span hides what is below it, its log lines too', () => {
  assert.deepEqual(shown(['a'], [log('a', 20), log('a1', 13), log('root', 30)]), ['root', 'a', 'log 30', 'b', 'other']);
  assert.deepEqual(shown(['root', 'other'], [log('root', 1)]), ['root', 'other']);
});

test('what is sought is found by all its words, in name, service or span id', () => {
  const names = ['GET /a', 'query users', 'query orders', 'x', 'y'];
  assert.deepEqual(found(TREE, names, ['shop'], 'query'), new Set([1, 2]));
  assert.deepEqual(found(TREE, names, ['shop'], 'ORDERS query shop'), new Set([2]));
  assert.deepEqual(found(TREE, names, ['shop'], 'oth'), new Set([4]));
  assert.equal(found(TREE, names, ['shop'], '  '), null);
});

test('the next match is sought round the end, in both directions', () => {
  assert.equal(
    nextRow(5, 3, 1, (row) => row < 2),
    0,
  );
  assert.equal(
    nextRow(5, 0, -1, (row) => row === 0 || row === 3),
    3,
  );
  assert.equal(
    nextRow(5, -1, 1, (row) => row === 0),
    0,
  );
  assert.equal(
    nextRow(5, 0, 1, () => false),
    -1,
  );
});

test('ancestors are named from the parent up', () => {
  assert.deepEqual(ancestors(TREE, 2), ['a', 'root']);
  assert.deepEqual(ancestors(TREE, 4), []);
});

test('the axis has round steps within its range', () => {
  assert.deepEqual(ticks(0, 1000, 5), [0, 200, 400, 600, 800, 1000]);
  assert.deepEqual(ticks(130, 170, 4), [130, 140, 150, 160, 170]);
  assert.deepEqual(ticks(5, 5, 4), []);
});
