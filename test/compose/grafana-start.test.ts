import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { COMPOSE, readCompose } from '../support/compose.ts';

suite("Grafana's start", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'o11y-kit-grafana-'));
    mkdirSync(join(folder, 'data'));
    mkdirSync(join(folder, 'secrets'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs the script as the container does, with `cat` of the password's file for Grafana. */
  function start(user?: number) {
    const script = readFileSync(join(COMPOSE, 'grafana/start.sh'), 'utf8').replaceAll('/run/secrets', join(folder, 'secrets'));
    const command = ['-c', script, 'start.sh', 'sh', '-c', 'cat "$GF_SECURITY_ADMIN_PASSWORD__FILE"'];
    const env = { PATH: process.env.PATH, GF_PATHS_DATA: join(folder, 'data') };
    return spawnSync('sh', command, { encoding: 'utf8', env, uid: user, timeout: 10_000 });
  }

  test('the container starts by the script, which hands over to the image’s own', () => {
    const { entrypoint, command } = readCompose().services.grafana;
    assert.deepEqual([entrypoint, command], [['/bin/sh', '/etc/o11y-kit/grafana/start.sh'], ['/run.sh']]);
  });

  test('without a secret it makes up a password, keeps it, and lets only its own user read it', () => {
    const first = start();
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stdout, /^[\w-]{32}\n$/);
    assert.equal(start().stdout, first.stdout);
    const file = join(folder, 'data/admin_password');
    assert.equal(readFileSync(file, 'utf8'), first.stdout);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  test('two stacks have two passwords', () => {
    const first = start().stdout;
    rmSync(join(folder, 'data/admin_password'));
    assert.notEqual(start().stdout, first);
  });

  test('a secret that is given is taken, and nothing is made up', () => {
    writeFileSync(join(folder, 'secrets/admin_password'), 'correct horse');
    assert.equal(start().stdout, 'correct horse');
    assert.equal(existsSync(join(folder, 'data/admin_password')), false);
  });

  test('an empty secret counts as none', () => {
    writeFileSync(join(folder, 'secrets/admin_password'), '');
    assert.match(start().stdout, /^[\w-]{32}\n$/);
  });

  test('a secret that it may not read ends it with a line that says what to do', () => {
    const root = process.getuid?.() === 0;
    writeFileSync(join(folder, 'secrets/admin_password'), 'secret', { mode: root ? 0o600 : 0o000 });
    for (const path of [folder, join(folder, 'data'), join(folder, 'secrets')]) chmodSync(path, 0o755);
    // Root may read everything.
    const { status, stderr } = start(root ? 65_534 : undefined);
    assert.equal(status, 1);
    assert.match(stderr, /admin_password cannot be read by user \d+: chmod 644/);
  });
});
