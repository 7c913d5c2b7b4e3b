import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { standIn } from './docker.ts';

const root = join(import.meta.dirname, '../..');

/** What npm puts into the package, by path. */
function packed(cwd: string, ...args: string[]): string[] {
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--json', '--ignore-scripts', ...args], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const json = JSON.parse(stdout);
  return (Array.isArray(json) ? json[0] : Object.values<any>(json)[0]).files.map((file: { path: string }) => file.path);
}

const under = (folder: string) =>
  (readdirSync(join(root, folder), { recursive: true }) as string[])
    .filter((name) => statSync(join(root, folder, name)).isFile())
    .map((name) => `${folder}/${name}`);

describe('the package', { skip: needs('npm') }, () => {
  const project = mkdtempSync(join(tmpdir(), 'cli-package-'));
  const home = join(project, 'node_modules/o11y-kit');
  const cli = join(home, 'dist/cli.mjs');
  let files: string[];

  before(() => {
    files = packed(root, '--pack-destination', project);
    const [tarball] = readdirSync(project).filter((name) => name.endsWith('.tgz'));
    mkdirSync(home, { recursive: true });
    assert.equal(spawnSync('tar', ['xzf', tarball, '-C', home, '--strip-components=1'], { cwd: project }).status, 0);
  });

  const run = (args: string[], env: Record<string, string>) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
      cwd: project,
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      encoding: 'utf8',
    });
    return { code: status, out: stdout, err: stderr };
  };

  it('holds the stack, the dashboards, the rules and the runbooks', () => {
    for (const folder of ['compose', 'dashboards/json', 'alerts/rules', 'alerts/loki', 'alerts/runbooks'])
      for (const file of under(folder))
        if (!/^compose\/(secrets|targets)\/|\/\.gitignore$/.test(file)) assert.ok(files.includes(file), `${file} is not packed`);
  });

  it('holds no secrets, no addresses of processes, no sources', () => {
    const copy = mkdtempSync(join(tmpdir(), 'cli-secrets-'));
    for (const name of ['package.json', 'README.md', 'compose']) cpSync(join(root, name), join(copy, name), { recursive: true });
    for (const name of ['secrets/grafana/admin_password', 'secrets/collector/datadog_api_key', 'targets/shop-1.json'])
      writeFileSync(join(copy, 'compose', name), 'hunter2');
    const names = packed(copy, '--dry-run');
    assert.ok(names.includes('compose/compose.yaml'));
    assert.deepEqual(
      names.filter((name) => /secrets|compose\/targets/.test(name)),
      [],
    );
    assert.deepEqual(
      files.filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts')),
      [],
    );
  });

  it('starts the stack from a copy that outlives it, and brings an update to it without taking what the user put there', async () => {
    const docker = await standIn();
    const state = mkdtempSync(join(tmpdir(), 'cli-package-state-'));
    const env = { ...docker.env, XDG_STATE_HOME: state };
    const stack = join(state, 'o11y-kit/stack');
    const ups = () => docker.calls().filter((args) => args.includes('up'));

    const first = run(['up'], env);
    assert.equal(first.code, 0, first.err);
    assert.match(first.err, new RegExp(`with the files of a copy of the package in ${stack}`));
    assert.ok(ups().at(-1)!.includes(join(stack, 'compose/compose.yaml')));
    for (const folder of ['targets', 'secrets/grafana', 'secrets/alertmanager', 'secrets/collector'])
      assert.ok(existsSync(join(stack, 'compose', folder)), folder);
    for (const file of files.filter((name) => /^(compose|dashboards|alerts)\//.test(name)))
      assert.equal(statSync(join(stack, file)).mode & 0o777, 0o644, file);

    const secret = join(stack, 'compose/secrets/grafana/admin_password');
    writeFileSync(secret, 'mine');
    const apps = join(stack, 'compose/prometheus/targets/apps.yml');
    writeFileSync(apps, '- targets: [shop:9464]\n');
    assert.equal(run(['up'], env).code, 0);
    assert.ok(ups().at(-1)!.includes('--force-recreate'), 'Grafana reads the secret when it starts');
    assert.equal(run(['up'], env).code, 0);
    assert.ok(!ups().at(-1)!.includes('--force-recreate'), 'nothing has changed');

    appendFileSync(join(home, 'compose/tempo/tempo.yaml'), '# newer\n');
    assert.equal(run(['up'], env).code, 0);
    assert.ok(ups().at(-1)!.includes('--force-recreate'), 'containers read their mounted files anew');
    assert.match(readFileSync(join(stack, 'compose/tempo/tempo.yaml'), 'utf8'), /# newer/);
    assert.equal(readFileSync(secret, 'utf8'), 'mine');
    assert.equal(readFileSync(apps, 'utf8'), '- targets: [shop:9464]\n');
  });

  it('has no sources of the demo, and says so', async () => {
    const { code, err } = run(['up', '--demo'], { ...(await standIn()).env, XDG_STATE_HOME: project });
    assert.equal(code, 1);
    assert.match(err, /The demo is built from the sources of o11y-kit: clone the repository/);
  });

  it('uses the copy that init has put into a project', async () => {
    const docker = await standIn();
    assert.equal(run(['init'], docker.env).code, 0);
    const { code, err } = run(['up'], { ...docker.env, XDG_STATE_HOME: project });
    assert.equal(code, 0, err);
    assert.match(err, /with the files of your copy in observability/);
  });

  it('exports to Kubernetes', () => {
    const { code, out } = run(['export', '--kubernetes', '--out', '-'], {});
    assert.equal(code, 0);
    assert.match(out, /kind: PrometheusRule/);
  });
});
