import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { run } from './cli.ts';
import { standIn } from './docker.ts';

const root = join(import.meta.dirname, '../..');
const MAIN = join(root, 'cli/main.ts');

const folder = () => join(mkdtempSync(join(tmpdir(), 'init-')), 'kept');
const files = (at: string) =>
  (readdirSync(at, { recursive: true }) as string[]).filter((name) => statSync(join(at, name)).isFile()).sort();

describe('o11y-kit init', () => {
  it('copies compose, dashboards and rules, readable for the users of containers', async () => {
    const at = folder();
    const { code, out, err } = await run(['init', at]);
    assert.equal(code, 0, err);
    for (const name of [
      'compose/compose.yaml',
      'compose/.env',
      'compose/prometheus/prometheus.yml',
      'alerts/rules/slo.yml',
      'alerts/loki/logs.yml',
      'dashboards/json/o11y-service.json',
    ])
      assert.deepEqual(readFileSync(join(at, name)), readFileSync(join(root, name)), name);
    for (const name of files(at)) assert.equal(statSync(join(at, name)).mode & 0o777, 0o644, name);
    assert.match(readFileSync(join(at, 'compose/secrets/grafana/.gitignore'), 'utf8'), /^\*$/m);
    assert.match(out, /: \d+ written, 0 as they are, 0 left as you changed them\.$/m);
    assert.equal(out.trim().split('\n').slice(-3).length, 3);
    assert.match(out, new RegExp(`^Start the stack: .* ${relative('.', at)}/compose/compose\\.yaml`, 'm'));
  });

  it('under a private umask, too', async () => {
    const at = folder();
    const child = spawn('/bin/sh', ['-c', `umask 077 && exec "${process.execPath}" "${MAIN}" init "${at}"`], { stdio: 'ignore' });
    assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0);
    for (const name of files(at)) assert.equal(statSync(join(at, name)).mode & 0o777, 0o644, name);
    for (const name of ['.', 'compose', 'compose/secrets/grafana', 'dashboards/json'])
      assert.equal(statSync(join(at, name)).mode & 0o777, 0o755, name);
  });

  it('holds everything that its compose file mounts', async () => {
    const at = folder();
    await run(['init', at]);
    const compose = join(at, 'compose');
    const { services } = parse(readFileSync(join(compose, 'compose.yaml'), 'utf8'), { merge: true });
    const mounted = Object.values<any>(services)
      .filter(({ profiles }) => profiles === undefined)
      .flatMap(({ volumes }) => volumes ?? [])
      .map((mount: string) => mount.replace(/\$\{\w+:-([^}]+)\}/, '$1').split(':')[0])
      .filter((source) => source.startsWith('.'));
    assert.ok(mounted.length > 8);
    for (const source of mounted) assert.ok(existsSync(join(compose, source)), source);
  });

  it('leaves alone what was changed by hand, and overwrites it only if told so', async () => {
    const at = folder();
    await run(['init', at]);
    const changed = join(at, 'compose/.env');
    appendFileSync(changed, 'GRAFANA_PORT=4000\n');
    rmSync(join(at, 'alerts/rules/slo.yml'));
    const again = await run(['init', at]);
    assert.match(again.out, /^ {2}= .*compose\/\.env {2}\(you changed it; --force overwrites\)$/m);
    assert.match(again.out, /^ {2}\+ .*alerts\/rules\/slo\.yml$/m);
    assert.match(again.out, /: 1 written, \d+ as they are, 1 left as you changed them\.$/m);
    assert.match(readFileSync(changed, 'utf8'), /GRAFANA_PORT=4000/);
    const forced = await run(['init', at, '--force']);
    assert.match(forced.out, /^ {2}! .*compose\/\.env {2}\(your changes are gone: --force\)$/m);
    assert.deepEqual(readFileSync(changed), readFileSync(join(root, 'compose/.env')));
  });

  it('brings a file of an older version up to date where nobody has changed it, and names one that is gone', async () => {
    const at = folder();
    await run(['init', at]);
    // As an older version would have left it.
    const manifest = join(at, '.o11y-kit.json');
    const { createHash } = await import('node:crypto');
    const old = 'older\n';
    const sum = createHash('sha256').update(old).digest('hex');
    for (const name of ['compose/tempo/tempo.yaml', 'compose/tempo/gone.yaml']) writeFileSync(join(at, name), old);
    const json = JSON.parse(readFileSync(manifest, 'utf8'));
    Object.assign(json.files, { 'compose/tempo/tempo.yaml': sum, 'compose/tempo/gone.yaml': sum });
    writeFileSync(manifest, JSON.stringify(json));
    const { out } = await run(['init', at]);
    assert.match(out, /^ {2}~ .*tempo\.yaml {2}\(you had not changed it\)$/m);
    assert.match(out, /^ {2}\? .*gone\.yaml {2}\(no longer part of o11y-kit; delete it/m);
    assert.deepEqual(readFileSync(join(at, 'compose/tempo/tempo.yaml')), readFileSync(join(root, 'compose/tempo/tempo.yaml')));
    assert.ok(existsSync(join(at, 'compose/tempo/gone.yaml')));
  });

  it('takes a file that was there before for the user’s, and does not write through a link', async () => {
    const at = folder();
    mkdirSync(join(at, 'compose'), { recursive: true });
    writeFileSync(join(at, 'compose/compose.yaml'), 'mine\n');
    const elsewhere = `${at}-elsewhere`;
    writeFileSync(elsewhere, 'theirs\n');
    symlinkSync(elsewhere, join(at, 'compose/.env'));
    const { out } = await run(['init', at]);
    assert.match(out, /2 left as you changed them/);
    assert.equal(readFileSync(join(at, 'compose/compose.yaml'), 'utf8'), 'mine\n');
    await run(['init', at, '--force']);
    assert.equal(readFileSync(elsewhere, 'utf8'), 'theirs\n');
  });

  it('does a part only, and nothing at all in a dry run', async () => {
    const at = folder();
    const dry = await run(['init', at, '--dry-run']);
    assert.equal(dry.code, 0);
    assert.match(dry.out, /\d+ would be written/);
    assert.ok(!existsSync(at));
    const { out } = await run(['init', at, '--only', 'dashboards', '--only', 'alerts']);
    assert.deepEqual(readdirSync(at).sort(), ['.o11y-kit.json', 'alerts', 'dashboards']);
    assert.doesNotMatch(out, /Start the stack/);
    assert.match(out, /^Dashboards: .*Import/m);
    assert.match(out, /^Alert rules: .*rule_files/m);
  });

  it('says what is wrong', async () => {
    for (const [args, message] of [
      [['--only', 'grafana'], /--only grafana: one of compose, dashboards, alerts is wanted/],
      [['a', 'b'], /one folder is wanted, not 2/],
      [[join(root, 'package.json')], /package\.json is not a folder/],
    ] as const) {
      const { code, err } = await run(['init', ...args]);
      assert.equal(code, 2);
      assert.match(err, message);
    }
    const blocked = folder();
    mkdirSync(join(blocked, 'compose/.env'), { recursive: true });
    const { code, err } = await run(['init', blocked, '--force']);
    assert.equal(code, 1);
    assert.match(err, /Not all could be written: .*compose\/\.env.*Run the command again/);
  });

  it('is what up then starts', async () => {
    const docker = await standIn();
    const at = folder();
    await run(['init', at]);
    const { code, err } = await run(['up', '--folder', at], docker.env);
    assert.equal(code, 0, err);
    assert.match(err, new RegExp(`with the files of your copy in ${at}`));
    assert.ok(docker.calls().some((args) => args.includes('up') && args.includes(join(at, 'compose/compose.yaml'))));
    const demo = await run(['up', '--folder', at, '--demo'], docker.env);
    assert.equal(demo.code, 1);
    assert.match(demo.err, /The demo is built from the sources of o11y-kit: clone the repository/);
  });
});
