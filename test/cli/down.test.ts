import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { run } from './cli.ts';
import { type Docker, standIn } from './docker.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');

async function running(scenario = {}): Promise<Docker> {
  const docker = await standIn(scenario);
  assert.equal((await run(['up'], docker.env)).code, 0);
  return docker;
}

describe('o11y-kit down', () => {
  it('stops the stack and keeps what it has stored', async () => {
    const docker = await running();
    const { code, out } = await run(['down'], docker.env);
    assert.equal(code, 0);
    assert.match(out, /stopped\. What it has stored is kept/);
    assert.deepEqual(docker.state()?.containers, []);
    assert.equal(docker.state()?.volumes.length, 2);
    assert.deepEqual(docker.calls().at(-1), ['compose', '--project-name', 'o11y-kit', 'down', '--remove-orphans']);
    const again = await run(['down'], docker.env);
    assert.equal(again.code, 0);
    assert.match(again.out, /not running; what it has stored is kept/);
  });

  it('deletes what is stored only if it is told so twice where nobody can be asked', async () => {
    const docker = await running();
    const without = await run(['down', '--volumes'], docker.env);
    assert.equal(without.code, 2);
    assert.match(without.err, /--volumes deletes what is stored: add --yes/);
    assert.ok(docker.state()!.containers.length > 0);
    const { code, out } = await run(['down', '--volumes', '--yes'], docker.env);
    assert.equal(code, 0);
    assert.match(out, /gone, and what it had stored/);
    assert.equal(docker.state(), undefined);
  });

  for (const [answer, code, left] of [
    ['n', 1, true],
    ['y', 0, false],
  ] as const) {
    it(`asks on a terminal, and takes "${answer}" for an answer`, { skip: needs('script') }, async () => {
      const docker = await running();
      const command = `'${process.execPath}' '${MAIN}' down --volumes`;
      const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
        env: { ...process.env, ...docker.env },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let out = '';
      let answered = false;
      child.stdout.on('data', (chunk) => {
        out += chunk;
        if (answered || !out.includes('Delete it? [y/N] ')) return;
        answered = true;
        child.stdin.write(`${answer}\n`);
      });
      assert.equal(await new Promise((resolve) => child.on('close', resolve)), code, out);
      assert.match(out, /all that is stored in o11y-kit_loki-data, o11y-kit_prometheus-data/);
      assert.equal(docker.state() !== undefined, left);
    });
  }

  it('says so where there is nothing', async () => {
    const docker = await standIn();
    const { code, out } = await run(['down'], docker.env);
    assert.equal(code, 0);
    assert.match(out, /The stack is not there/);
  });

  it('says what is in the way', async () => {
    const docker = await running();
    docker.show({ down: 'Error response from daemon: error while removing network: has active endpoints' });
    const failed = await run(['down'], docker.env);
    assert.equal(failed.code, 1);
    assert.match(failed.err, /active endpoints\nThe stack is not wholly gone/);
    docker.show({ info: 'Cannot connect to the Docker daemon' });
    const gone = await run(['down'], docker.env);
    assert.equal(gone.code, 1);
    assert.match(gone.err, /No Docker daemon answers/);
  });
});
