import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { NODES } from '../support/nodes.ts';
import { AppFolder } from './apps.ts';

const NAMESPACE = ['--pid', '--fork', '--mount-proc'];
const possible = spawnSync('unshare', [...NAMESPACE, 'true'], { timeout: 10_000 }).status === 0;
const skip = possible ? false : 'needs docker or root: a process namespace cannot be made here';

// The kernel spares the first process of a container: without a handler, SIGTERM does nothing to it.
const app = `setTimeout(() => process.kill(process.pid, 'SIGTERM'), 50);
setTimeout(() => { console.log('alive', process.pid); process.exit(6); }, 400);`;

const folder = new AppFolder();
before(() => folder.prepare());
after(() => folder.remove());

test('process 1 of a container lives on after SIGTERM, as it does without the kit; it is flushed and says why', { skip }, () => {
  const node = NODES.find((version) => version.skip === false)!;
  const file = join(folder.path, 'one.cjs');
  writeFileSync(file, app);
  const run = (...flags: string[]) =>
    spawnSync('unshare', [...NAMESPACE, node.path, ...flags, file], {
      encoding: 'utf8',
      timeout: 20_000,
      env: { PATH: process.env.PATH },
    });
  const bare = run();
  const { status, stdout, stderr } = run('--import', folder.preload);
  assert.deepEqual([bare.status, bare.stdout], [6, 'alive 1\n']);
  assert.equal(status, 6);
  assert.deepEqual(stdout.split('\n'), [
    'kit: flush begins, draining',
    'kit: flushed',
    'alive 1',
    'kit: end',
    'kit: flushed at once, at most 5000 ms',
    '',
  ]);
  assert.match(stderr, /SIGTERM: the app does not handle it, and as process 1/);
});
