// The one entry of every npm script. It runs on whatever Node the machine has (20 and later), installs what is
// missing, and hands over to Node 24, which runs our TypeScript as it is.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const modules = join(root, 'node_modules');

const TASKS = {
  build: [['scripts/build.ts']],
  start: [['scripts/build.ts'], ['examples/checkout/start.ts']],
  test: [['scripts/build.ts'], ['scripts/test.ts']],
  lint: [['scripts/lint.ts']],
  typecheck: [['scripts/typecheck.ts']],
  generate: [['scripts/generate.ts']],
  bench: [['scripts/build.ts'], ['bench/run.ts']],
  soak: [['scripts/build.ts'], ['bench/soak.ts']],
};

const [task, ...args] = process.argv.slice(2);
const steps = TASKS[task];
if (!steps) {
  console.error(`Unknown task "${task ?? ''}". Tasks: ${Object.keys(TASKS).join(', ')}.`);
  process.exit(2);
}

install();
const node = node24();
for (const [index, [script, ...fixed]] of steps.entries()) {
  const last = index === steps.length - 1;
  run(node, [join(root, script), ...fixed, ...(last ? args : [])]);
}

/** `npm ci`, once for each state of the lock file. */
function install() {
  const stamp = join(modules, '.o11y-kit-installed');
  const state = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return;
  console.error('Installing dependencies (once) …');
  const windows = process.platform === 'win32';
  // Our tools run on the Node 24 that this very command installs, so the machine's own version does not matter here.
  run(windows ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--engine-strict=false'], {
    shell: windows,
  });
  writeFileSync(stamp, state);
}

/** Node 24 from npm, or this process's own Node where no binary is published for the platform. */
function node24() {
  const installed = join(modules, `node24-${platform}`, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(installed)) return installed;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  console.error(`No Node 24 for ${platform} came with the dependencies. Run the same command with Node 24 or later.`);
  process.exit(1);
}

function run(command, argv, options = {}) {
  // NODE_OPTIONS of the caller would preload things into our own tools.
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { status, error } = spawnSync(command, argv, { cwd: root, stdio: 'inherit', env, ...options });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
