/**
 * Packs the package, installs it into an empty project and runs an app there as the README says: the way a user gets it.
 * Plain JavaScript, because it runs on the machine's own Node.js. `dist/` must have been built.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-pack-'));

try {
  await smoke();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function smoke() {
  npm(root, 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  assert.ok(tarball, 'npm pack made no .tgz');

  write('package.json', JSON.stringify({ name: 'empty-project', version: '3.2.1', private: true, type: 'module' }));
  npm(folder, 'install', '--no-audit', '--no-fund', '--loglevel=error', `./${tarball}`, 'express@5');
  write(
    'server.js',
    `import express from 'express';
     const app = express();
     app.get('/hello/:name', (req, res) => { console.log('hello', req.params.name); res.send('hi'); });
     const server = app.listen(0, '127.0.0.1', () => console.log('LISTEN ' + server.address().port));`,
  );
  write('old.cjs', `const { correlation } = require('o11y-kit'); console.log(typeof correlation);`);
  write('script.mjs', `import { logger } from 'o11y-kit'; console.log(typeof logger.info);`);

  await serves();
  say('a server with --import o11y-kit/preload: trace, log line, metrics, correlation id');
  assert.equal(output('old.cjs'), 'object');
  assert.equal(output('script.mjs'), 'function');
  say('import and require of o11y-kit, without the preload');
  assert.equal(output('--import', 'o11y-kit/preload', 'script.mjs'), 'function');
  say('a script with the preload: the same output, and it ends by itself');
  const help = npx('o11y-kit', '--help');
  assert.match(help, /view/);
  say('npx o11y-kit --help');
  const { version } = JSON.parse(output('-p', `JSON.stringify({ version: require('o11y-kit/package.json').version })`));
  console.log(`o11y-kit ${version} works from its tarball on Node.js ${process.version}.`);
}

/** The app observed by the test receiver that the package itself brings. */
async function serves() {
  const { startViewer } = await import(pathToFileURL(join(folder, 'node_modules/o11y-kit/dist/testing.mjs')).href);
  const viewer = await startViewer();
  const env = { ...process.env, NODE_OPTIONS: '', OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url };
  const app = spawn(process.execPath, ['--import', 'o11y-kit/preload', 'server.js'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => app.once('exit', (code, signal) => resolve(signal ?? code)));
  try {
    const port = await Promise.race([
      listening(app.stdout),
      ended.then((how) => Promise.reject(new Error(`The app ended (${how}) before it listened.`))),
    ]);
    const response = await fetch(`http://127.0.0.1:${port}/hello/ada`, { headers: { 'x-correlation-id': 'pack-smoke' } });
    assert.equal(await response.text(), 'hi');
    assert.equal(response.headers.get('x-correlation-id'), 'pack-smoke');
    const [span] = await viewer.waitForSpans({ name: 'GET /hello/:name', kind: 'server' }, { timeout: 15_000 });
    assert.equal(span.service, 'empty-project');
    assert.equal(span.resource['service.version'], '3.2.1');
    const [line] = await viewer.waitForLogs({ body: 'hello ada' }, { timeout: 15_000 });
    assert.equal(line.traceId, span.traceId);
    const page = await fetch(span.resource['o11y.metrics.url']).then((answer) => answer.text());
    assert.match(page, /^http_server_request_duration_seconds_count\{.*http_route="\/hello\/:name".*\} 1$/m);
    app.kill('SIGTERM');
    assert.equal(await ended, 'SIGTERM');
  } finally {
    app.kill('SIGKILL');
    await viewer.close();
  }
}

function listening(stdout) {
  return new Promise((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const port = /LISTEN (\d+)/.exec(line)?.[1];
      if (port) resolve(port);
    });
  });
}

function output(...args) {
  return run(process.execPath, args, folder);
}

function npx(...args) {
  return run('npx', ['--no', '--', ...args], folder);
}

function npm(cwd, ...args) {
  return run('npm', args, cwd);
}

/** Standard output, trimmed. Throws what the program said where it failed. */
function run(command, args, cwd) {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: 300_000 });
  if (error) throw error;
  assert.equal(status, 0, `${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout.trim();
}

function write(name, text) {
  writeFileSync(join(folder, name), text);
}

function say(what) {
  console.log(`ok  ${what}`);
}
