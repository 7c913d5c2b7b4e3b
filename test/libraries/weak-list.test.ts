import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WeakList } from '../../instrumentation/weak-list.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** What V8 holds when nothing more can be collected, in bytes. */
async function held(): Promise<number> {
  // What a weak reference was made of in a turn of the event loop lives until its end.
  await setImmediate();
  gc();
  return process.memoryUsage().heapUsed;
}

test('a weak list that nobody reads forgets what is gone', async () => {
  const list = new WeakList<object>();
  const kept = { name: 'kept' };
  list.add(kept);
  const before = await held();
  for (let n = 1; n <= 100_000; n++) {
    list.add({ n });
    if (n % 500 === 0) await held();
  }
  const grown = (await held()) - before;
  // Each would leave a reference of two words or more.
  assert.ok(grown < 1_000_000, `${grown} bytes more`);
  assert.deepEqual(
    list.read((value) => value),
    [kept],
  );
});

test('what says nothing more is forgotten, and no object is listed twice', () => {
  const list = new WeakList<{ open: boolean }>();
  const [one, other] = [{ open: true }, { open: true }];
  for (const each of [one, other, one]) list.add(each);
  const read = (each: { open: boolean }) => (each.open ? each : undefined);
  assert.deepEqual(list.read(read), [one, other]);
  one.open = false;
  assert.deepEqual(list.read(read), [other]);
  one.open = true;
  list.add(one);
  assert.deepEqual(list.read(read), [other]);
});
