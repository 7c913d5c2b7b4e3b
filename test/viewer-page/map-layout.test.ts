import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RedNumbers, ServiceMap } from '../../viewer/api-types.ts';
import { layOut } from '../../viewer/page/map-layout.ts';

const total: RedNumbers = { rate: 1, count: 1, errors: 0, errorRatio: 0, p50: 1, p95: 1, p99: 1 };

function map(text: string): ServiceMap {
  const edges = text.split(' ').map((edge) => edge.split('>'));
  const ids = [...new Set(edges.flat())];
  return {
    nodes: ids.map((id) => ({ id, kind: 'service', label: id, total })),
    edges: edges.filter((edge) => edge.length === 2).map(([from, to]) => ({ from, to, total })),
  };
}

function columns(text: string): Record<string, number> {
  return Object.fromEntries([...layOut(map(text)).placed].map(([id, { column }]) => [id, column]));
}

test('callers stand left of what they call, by the longest way', () => {
  assert.deepEqual(columns('gate>orders gate>pay orders>pay pay>db'), { gate: 0, orders: 1, pay: 2, db: 3 });
});

test('circles and calls to oneself neither hang nor push apart', () => {
  assert.deepEqual(columns('a>b b>c c>a c>c'), { a: 0, b: 1, c: 2 });
});

test('no two boxes share a place', () => {
  const { placed } = layOut(map('a>x b>x a>y b>z lonely'));
  const places = [...placed.values()].map(({ x, y }) => `${x},${y}`);
  assert.equal(new Set(places).size, places.length);
});

test('a chain of 20,000 services does not overflow the stack', () => {
  const { placed } = layOut(map(Array.from({ length: 20_000 }, (_, n) => `s${n}>s${n + 1}`).join(' ')));
  assert.equal(placed.get('s20000')!.column, 20_000);
});
