import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';

const MESSAGE = ['sync', 'timer', 'immediate', 'tick', 'microtask', 'res.finish', 'res.close', 'req.close'];
const BODY = ['data', 'end', 'end.timer', 'forawait', 'forawait.after', 'readable', 'readable.end'];
const PLAIN = ['await', 'await.again', 'write.callback', 'end.callback'];

/** Every place at which the ids of the request must be found, or none. */
const PLACES = [
  ...[...MESSAGE, ...BODY, ...PLAIN],
  ...['pipe.transform', 'pipe.callback', 'aborted', 'req.error', 'checkContinue', 'upgrade', 'upgrade.timer'],
  ...[...MESSAGE, ...BODY, ...PLAIN].map((place) => `h2.${place}`),
  ...['sync', 'data', 'end', 'timer', 'close'].map((place) => `h2s.${place}`),
  ...['no leak into a connection', 'no leak into the client', 'no leak into a timer', 'h2.no leak into a session'],
];

for (const { major, path, skip } of NODES) {
  describe(`the context of a request on Node ${major}`, { skip }, () => {
    let seen: Record<string, (true | string)[]>;

    before(async () => {
      await using app = await spawnApp({
        node: path,
        args: [join(import.meta.dirname, 'apps/context.cjs')],
        env: { O11Y_ACCESS_LOG: 'off' },
        ready: false,
      });
      const { code } = await app.exited;
      assert.equal(code, 0, app.stderr());
      [seen] = app.json();
      assert.ok(seen, app.stdout());
    });

    for (const place of PLACES) {
      it(place, () => {
        assert.ok(seen[place]?.length > 0, 'the app came by here');
        const wrong = seen[place].filter((answer) => answer !== true);
        assert.deepEqual(wrong, []);
      });
    }

    it('no place is left out of the table', () => {
      assert.deepEqual(
        Object.keys(seen).filter((place) => !PLACES.includes(place)),
        [],
      );
    });
  });
}
