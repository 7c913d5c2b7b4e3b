import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startViewer } from '../../viewer/testing.ts';
import { freePort } from '../support/free-port.ts';
import { run, start } from './cli.ts';

const PRELOAD = join(import.meta.dirname, '../../dist/preload.mjs');
const IMPORT = `--import ${pathToFileURL(PRELOAD)}`;
const PRINT = 'console.log(JSON.stringify([process.env.NODE_OPTIONS, process.env.OTEL_EXPORTER_OTLP_ENDPOINT]))';
const QUIET = { O11Y_QUIET: '1' };

assert.ok(existsSync(PRELOAD), 'npm run build makes dist/preload.mjs, which these tests start');

/** A plain command, so that only its surroundings are looked at. */
const printed = (out: string): [string, string] => JSON.parse(out.trim().split('\n').at(-1)!);

describe('o11y-kit run', () => {
  it('preloads the command, keeps its NODE_OPTIONS, and starts a viewer that it sends to', async () => {
    const port = await freePort();
    const args = ['run', '--port', String(port), '--', process.execPath, '-e', PRINT];
    const { code, out, err } = await run(args, { NODE_OPTIONS: '--no-deprecation', ...QUIET });
    assert.equal(code, 0, err);
    assert.deepEqual(printed(out), [`--no-deprecation ${IMPORT}`, `http://localhost:${port}`]);
    assert.match(err, new RegExp(`Viewer: http://localhost:${port}`));
  });

  it('uses a viewer or collector that answers already', async () => {
    const receiver = await startViewer();
    const app =
      'require("node:http").createServer((q, s) => s.end()).listen(0, function () { require("node:http").get({ port: this.address().port }, (r) => { r.resume(); r.on("end", () => process.exit()) }) })';
    const { code, err } = await run(['run', '--port', String(receiver.port), '--', process.execPath, '-e', app], QUIET);
    assert.equal(code, 0, err);
    assert.match(err, /A collector answers on port \d+: telemetry goes there/);
    const [span] = await receiver.waitForSpans({ kind: 'server' });
    assert.match(span.name, /^GET/);
    await receiver.close();
  });

  it('ends with the exit code of the command', async () => {
    const port = String(await freePort());
    const { code } = await run(['run', '--port', port, '--', process.execPath, '-e', 'process.exit(3)'], QUIET);
    assert.equal(code, 3);
  });

  it('hands signals on, and ends as the command does', async () => {
    const script =
      'process.on("SIGTERM", () => { console.log("got it"); process.exit(7) }); console.log("up"); setInterval(() => {}, 1e6)';
    const running = start(['run', '--port', String(await freePort()), '--', process.execPath, '-e', script], QUIET);
    await running.says('up');
    running.child.kill('SIGTERM');
    assert.equal(await running.ended, 7);
    assert.match(running.out, /got it/);

    const plain = start(
      ['run', '--port', String(await freePort()), '--', process.execPath, '-e', 'console.log("up"); setInterval(() => {}, 1e6)'],
      QUIET,
    );
    await plain.says('up');
    plain.child.kill('SIGINT');
    assert.equal(await plain.ended, 130);
  });

  it('says that there is no such command', async () => {
    const { code, err } = await run(['run', '--port', String(await freePort()), '--', 'no-such-command-here']);
    assert.equal(code, 127);
    assert.match(err, /no-such-command-here: there is no such command/);
  });

  it('leaves the viewer open on request', async () => {
    const port = await freePort();
    const running = start(['run', '--keep', '--port', String(port), '--', process.execPath, '-e', '0'], QUIET);
    await running.says('the viewer goes on');
    assert.equal((await fetch(`http://localhost:${port}/api/status`)).status, 200);
    running.child.kill('SIGTERM');
    assert.equal(await running.ended, 0);
  });
});
