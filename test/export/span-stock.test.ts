import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool, SIZE } from '../../instrumentation/export/buffers.ts';
import type { SpanRun } from '../../instrumentation/export/sink.ts';
import type { SpanRecord } from '../../instrumentation/export/span-record.ts';
import { SpanStock } from '../../instrumentation/export/span-stock.ts';

/** Spans are their names here: what the encoder makes of one is told elsewhere. */
function stockOf({ most = 128, pool = new BufferPool() } = {}) {
  const stock = new SpanStock(({ scope, name }) => ({ scope, json: JSON.stringify(name) }), most, pool);
  return { pool, take: () => stock.take(), add: (name: string, scope = 'a') => stock.add({ scope, name } as SpanRecord) };
}

function read({ scope, spans, count }: SpanRun): string[] {
  const names: string[] = JSON.parse(`[${new TextDecoder('utf-8', { fatal: true }).decode(spans)}]`);
  assert.equal(names.length, count);
  return names.map((name) => `${scope}: ${name}`);
}

test('spans of scopes that alternate become a run for each scope, in order', () => {
  const { add, take } = stockOf();
  for (const n of [1, 2, 3]) {
    add(`server ${n}`);
    add(`query ${n}`, 'b');
  }
  const { parts, count } = take();
  assert.equal(count, 6);
  assert.deepEqual(parts.map(read), [
    ['a: server 1', 'a: server 2', 'a: server 3'],
    ['b: query 1', 'b: query 2', 'b: query 3'],
  ]);
});

test('any number of scopes', () => {
  const { add, take } = stockOf();
  const scopes = Array.from({ length: 30 }, (_, n) => `scope ${n}`);
  for (const scope of scopes) add('x', scope);
  const seen: string[] = [];
  for (let left = scopes.length; left > 0; ) {
    const { parts, count } = take();
    seen.push(...parts.flatMap(read));
    left -= count;
  }
  assert.deepEqual(
    seen,
    scopes.map((scope) => `${scope}: x`),
  );
});

test('memory that is full makes a message, and what comes next waits', () => {
  const { add, take } = stockOf();
  const long = 'ü€😀'.repeat(1000);
  let added = 1;
  while (!add(long)) added++;
  const full = take();
  assert.equal(full.count, added - 1);
  assert.ok(full.parts.every(({ spans }) => spans.byteLength <= SIZE));
  assert.ok(full.parts.flatMap(read).every((text) => text === `a: ${long}`));
  assert.equal(take().count, 1, 'the one that did not fit');
});

test('a run has no more spans than an export', () => {
  const { add, take } = stockOf({ most: 2 });
  assert.equal(add('one'), false);
  assert.equal(add('two'), true);
  add('three');
  assert.deepEqual(take().parts.map(read), [['a: one', 'a: two']]);
  assert.deepEqual(take().parts.map(read), [['a: three']]);
});

test('a span that is larger than the memory crosses by itself', () => {
  const { add, take } = stockOf();
  const huge = 'é'.repeat(SIZE);
  add('before');
  assert.equal(add(huge), true);
  add('after');
  const texts = [...take().parts.flatMap(read), ...take().parts.flatMap(read)];
  assert.deepEqual(texts.sort(), ['a: after', 'a: before', `a: ${huge}`].sort());
});

test('a few spans cross in memory of their own size, and the large one is used on', () => {
  const pool = new BufferPool();
  const own = pool.take();
  pool.recycle([own]);
  const { add, take } = stockOf({ pool });
  add('one');
  assert.ok(take().parts[0].spans.buffer.byteLength < 100);
  assert.equal(pool.take(), own);
});

test('a span that cannot be written leaves the others as they were', () => {
  const stock = new SpanStock(
    ({ scope, name }) => {
      if (name === 'bad') throw new Error('a getter');
      return { scope, json: JSON.stringify(name) };
    },
    128,
    new BufferPool(),
  );
  stock.add({ scope: 'a', name: 'one' } as SpanRecord);
  assert.throws(() => stock.add({ scope: 'a', name: 'bad' } as SpanRecord));
  stock.add({ scope: 'a', name: 'two' } as SpanRecord);
  assert.deepEqual(stock.take().parts.map(read), [['a: one', 'a: two']]);
});
