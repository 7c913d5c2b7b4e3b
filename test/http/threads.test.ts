import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';

for (const { major, path: node, skip } of NODES) {
  describe(`worker threads on Node ${major}`, { skip }, () => {
    it('the caller keeps its context over the answer; the thread has none of its own, and gets the id by message', async () => {
      await using app = await spawnApp({ args: [join(import.meta.dirname, 'apps/threads.cjs')], node });
      const ids = ['thread-1', 'thread-2', 'thread-3'];
      const answers = await Promise.all(
        ids.map(async (id) => {
          const response = await fetch(`http://127.0.0.1:${app.port}/`, { headers: { 'x-correlation-id': id } });
          return response.json();
        }),
      );
      assert.deepEqual(
        answers,
        ids.map((id) => ({ before: id, after: id, seen: null, given: id })),
      );
    });
  });
}
