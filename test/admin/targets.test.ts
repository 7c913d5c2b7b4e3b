import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { announce } from '../../instrumentation/admin/targets.ts';
import { loadConfig } from '../../instrumentation/config.ts';
import { messages } from '../health/support.ts';
import { until } from '../support/until.ts';
import { adminOf } from './support.ts';

const root = mkdtempSync(join(tmpdir(), 'o11y-kit-targets-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
function folder(): string {
  const path = join(root, String(++folders));
  mkdirSync(path);
  return path;
}
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

test('the scrape address stands in the folder as a file_sd file while it holds, and follows a move', async (t) => {
  const dir = folder();
  const { admin, stop } = adminOf({ O11Y_TARGETS_DIR: dir });
  t.after(stop);
  const { port } = (await admin.ready)!;
  const file = join(dir, `shop-${process.pid}.json`);
  const groups = (at: number) => [{ targets: [`127.0.0.1:${at}`], labels: { job: 'eu/shop', instance: `127.0.0.1:${at}` } }];
  assert.deepEqual(readdirSync(dir), [`shop-${process.pid}.json`]);
  assert.deepEqual(read(file), groups(port));

  const app = createServer().listen(port, '127.0.0.1');
  t.after(() => app.close());
  await once(app, 'listening');
  const moved = await until('it listens elsewhere', () => admin.address(), { everyMs: 5 });
  assert.deepEqual(read(file), groups(moved.port));
  stop();
  assert.deepEqual(readdirSync(dir), []);
});

test('Prometheus, which runs as another user, can read it whatever the umask', { skip: process.platform === 'win32' }, () => {
  const dir = folder();
  const before = process.umask(0o077);
  try {
    const target = { address: '127.0.0.1:1', job: 'shop', service: 'shop' };
    const remove = announce(target, loadConfig({ O11Y_TARGETS_DIR: dir }).config, messages());
    assert.equal(statSync(join(dir, `shop-${process.pid}.json`)).mode & 0o777, 0o644);
    remove();
  } finally {
    process.umask(before);
  }
});

test('without a setting only a folder that exists is used', async (t) => {
  const state = folder();
  const absent = adminOf({ XDG_STATE_HOME: state });
  t.after(absent.stop);
  await absent.admin.ready;
  assert.deepEqual(readdirSync(state), []);
  assert.deepEqual(absent.diagnostics.said, []);
  mkdirSync(join(state, 'o11y-kit', 'targets'), { recursive: true });
  const present = adminOf({ XDG_STATE_HOME: state });
  t.after(present.stop);
  await present.admin.ready;
  assert.equal(readdirSync(join(state, 'o11y-kit', 'targets')).length, 1);
});

test('a folder that is set but missing, or no folder, is said; the app runs on', () => {
  const target = { address: '127.0.0.1:1', job: 'shop', service: 'shop' };
  const missing = messages();
  announce(target, loadConfig({ O11Y_TARGETS_DIR: join(root, 'none') }).config, missing)();
  assert.match(missing.said[0], /^O11Y_TARGETS_DIR: there is no folder .*none; the scrape address is not announced\.$/);
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  const noFolder = messages();
  announce(target, loadConfig({ O11Y_TARGETS_DIR: file }).config, noFolder)();
  assert.match(noFolder.said[0], /could not be announced in .*ENOTDIR/);
});

test('what a killed process left with this very address is removed; everything else stays', () => {
  const dir = folder();
  const group = (address: string) => JSON.stringify([{ targets: [address], labels: { job: 'old' } }]);
  writeFileSync(join(dir, 'old-1.json'), group('127.0.0.1:9464'));
  writeFileSync(join(dir, 'other-2.json'), group('127.0.0.1:9465'));
  writeFileSync(join(dir, 'broken.json'), '{');
  writeFileSync(join(dir, 'notes.txt'), group('127.0.0.1:9464'));
  const { config } = loadConfig({ O11Y_TARGETS_DIR: dir });
  const withdraw = announce({ address: '127.0.0.1:9464', job: 'new', service: '../../Café shop/é' }, config, messages());
  const mine = `.._.._Caf_shop_-${process.pid}.json`;
  assert.deepEqual(readdirSync(dir).sort(), [mine, 'broken.json', 'notes.txt', 'other-2.json'].sort());
  withdraw();
  withdraw();
  assert.deepEqual(readdirSync(dir).sort(), ['broken.json', 'notes.txt', 'other-2.json']);
});
