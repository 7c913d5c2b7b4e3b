import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { NODES } from '../support/nodes.ts';
import { type App, AppFolder } from './apps.ts';

const phase = `const phase = (when) => console.log(when + ': ' + globalThis.kitFixture.health.phase());`;
// Ends by itself once the process is ready; the run's own limit ends one that never is.
const untilReady = `const look = setInterval(() => { if (globalThis.kitFixture.health.phase() === 'ready') { phase('end'); process.exit(); } }, 10);`;

const ROWS: readonly (App & { readonly name: string; readonly phases: readonly string[] })[] = [
  {
    name: 'CommonJS, listening at once',
    code: `${phase} phase('entry'); require('node:http').createServer().listen(0, () => phase('listening')); ${untilReady}`,
    phases: ['entry: starting', 'listening: starting', 'end: ready'],
  },
  {
    name: 'ES module with a top-level await before it listens',
    esm: true,
    code: `import http from 'node:http'; ${phase} phase('entry'); await new Promise((resolve) => setTimeout(resolve, 200)); phase('awaited');
      http.createServer().listen(0); ${untilReady}`,
    phases: ['entry: starting', 'awaited: starting', 'end: ready'],
  },
  {
    name: 'listening a while after loading',
    code: `${phase} setTimeout(() => { phase('connected'); require('node:net').createServer().listen(0); }, 300); ${untilReady}`,
    phases: ['connected: starting', 'end: ready'],
  },
  {
    name: 'a port that is taken at first',
    code: `${phase} const net = require('node:net');
      const taken = net.createServer().on('error', () => phase('taken'));
      // Of another process, as far as the kit can tell.
      const other = net.createServer(); other[Symbol.for('o11y-kit.internal')] = true;
      other.listen(0, () => { taken.listen(other.address().port); setTimeout(() => { phase('still'); taken.listen(0); }, 200); }); ${untilReady}`,
    phases: ['taken: starting', 'still: starting', 'end: ready'],
  },
  {
    name: 'no server at all',
    code: `${phase} phase('entry'); ${untilReady}`,
    phases: ['entry: starting', 'end: ready'],
  },
  {
    name: 'a process that drains is not made ready',
    code: `${phase} globalThis.kitFixture.health.setPhase('draining'); require('node:http').createServer().listen(0, () => setTimeout(() => { phase('end'); process.exit(); }, 100));`,
    phases: ['end: draining'],
  },
];

const folder = new AppFolder();
before(() => folder.prepare());
after(() => folder.remove());

for (const node of NODES) {
  describe(`on Node ${node.major}`, { skip: node.skip, concurrency: 2 }, () => {
    for (const { name, phases, ...app } of ROWS) {
      test(name, async () => {
        const ending = await folder.run(node.path, app, true);
        assert.deepEqual(ending.output.split('\n'), phases, JSON.stringify(ending, null, 2));
      });
    }
  });
}
