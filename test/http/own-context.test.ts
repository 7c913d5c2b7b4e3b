import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';

type Seen = Record<string, string[]>;

async function seen(node: string, preload: 'import' | false): Promise<Seen> {
  await using app = await spawnApp({
    node,
    preload,
    args: [join(import.meta.dirname, 'apps/own-context.cjs')],
    env: { O11Y_ACCESS_LOG: 'off' },
    ready: false,
  });
  const { code } = await app.exited;
  assert.equal(code, 0, app.stderr());
  return app.json()[0] as Seen;
}

for (const { major, path, skip } of NODES) {
  describe(`an AsyncLocalStorage of the app's, on Node ${major}`, { skip }, () => {
    let without: Seen;
    let withKit: Seen;
    before(async () => {
      [without, withKit] = await Promise.all([seen(path, false), seen(path, 'import')]);
      assert.ok(without.plain.includes('response close: the request'), without.plain.join('\n'));
    });

    for (const handler of [
      'plain',
      'listening to finish',
      'called back',
      'from a timer',
      'after the body',
      'closing the connection',
    ]) {
      it(`has the same store in all that comes after a handler as without the kit: ${handler}`, () => {
        assert.deepEqual(withKit[handler], without[handler]);
      });
    }
  });
}
