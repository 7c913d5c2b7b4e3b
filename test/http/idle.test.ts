import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';

/** With the number of requests in whose context the app is told of their end. */
const HANDLERS = {
  'that listens to nothing': 0,
  'that listens to finish': 5,
  'that is called back': 5,
  'beside a subscriber to the end of responses': 5,
};

for (const { major, path, skip } of NODES) {
  describe(`a connection that waits for its next request, on Node ${major}`, { skip }, () => {
    let answers: Record<string, object>;

    before(async () => {
      await using app = await spawnApp({
        node: path,
        args: ['--expose-gc', join(import.meta.dirname, 'apps/idle.cjs')],
        env: { O11Y_ACCESS_LOG: 'off' },
        ready: false,
      });
      const { code } = await app.exited;
      assert.equal(code, 0, app.stderr());
      [answers] = app.json();
    });

    for (const [handler, told] of Object.entries(HANDLERS)) {
      it(`holds nothing of the last one, of a handler ${handler}`, () => {
        assert.deepEqual(answers[handler], { open: 5, requests: 5, alive: 0, told });
      });
    }
  });
}
