import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';

let viewer: TestViewer;
before(async () => {
  viewer = await startViewer();
});
after(() => viewer.close());

for (const { major, path: node, skip } of NODES) {
  describe(`start, stop, start, stop on Node ${major}`, { skip }, () => {
    it('leaves nothing on Node’s objects, and lets the process end', async () => {
      await using app = await spawnApp({
        args: [join(import.meta.dirname, 'stop-app.cjs')],
        node,
        preload: false,
        endpoint: viewer.url,
        env: { KIT: join(import.meta.dirname, '../../dist/kit.cjs'), O11Y_QUIET: '1', O11Y_ACCESS_LOG: 'off' },
        ready: false,
      });
      assert.equal((await app.exited).code, 0, app.stderr());
      const [{ before, after, ids }] = app.json();
      assert.deepEqual(after, before);
      const [first, second, third] = ids;
      assert.ok(first && second && first !== second, 'it worked both times');
      assert.equal(third, null, 'and does no more');
    });
  });
}
