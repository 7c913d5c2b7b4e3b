import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { NODES } from '../support/nodes.ts';
import { type App, AppFolder } from './apps.ts';

const flags = ['--max-old-space-size=100'];

/** Keeps a megabyte every 25 ms until V8 ends the process. */
const leak: App = {
  flags,
  code: `const kept = []; setInterval(() => { for (let i = 0; i < 125; i++) kept.push(new Array(1024).fill(i + 0.5)); }, 25);`,
};

/** Lives in half of a heap, and fills the rest to the brim with garbage over and over. */
const garbage: App = {
  flags,
  code: `const kept = Array.from({ length: 5500 }, (_, i) => new Array(1024).fill(i + 0.5)); let last; let made = 0;
    setInterval(() => {
      last = Array.from({ length: 500 }, (_, i) => new Array(1024).fill(i + 0.5));
      if (++made === 400) process.exit(kept.length + last.length === 6000 ? 0 : 1);
    }, 5);`,
};

const folder = new AppFolder();
before(() => folder.prepare());
after(() => folder.remove());

for (const node of NODES) {
  describe(`on Node ${node.major}`, { skip: node.skip }, () => {
    test('a heap that fills up is told in one fatal line and flushed before V8 ends the process', async () => {
      const bare = await folder.run(node.path, leak, false);
      const { code, signal, kit } = await folder.run(node.path, leak, true);
      assert.deepEqual({ code, signal }, { code: bare.code, signal: bare.signal });
      assert.deepEqual(kit, [
        'fatal The heap is within 5 % of its limit: the process may end at any moment',
        'flushed at once, at most 1000 ms',
      ]);
    });

    test('garbage is no reason for alarm', async () => {
      const { code, kit, stderr } = await folder.run(node.path, garbage, true);
      assert.equal(code, 0, stderr);
      assert.deepEqual(kit, ['end', 'flushed at once, at most 5000 ms']);
    });
  });
}
