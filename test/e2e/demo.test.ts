import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '../support/until.ts';

const start = join(import.meta.dirname, '../../examples/checkout/start.ts');
const running = new Set<ReturnType<typeof spawn>>();

after(() => {
  for (const child of running) child.kill('SIGTERM');
});

/** `npm start` without npm. */
function demo(...args: string[]) {
  const child = spawn(process.execPath, [start, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const run = { output: '', kill: (signal: NodeJS.Signals) => child.kill(signal), ended: ended(child) };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (run.output += chunk));
  return run;
}

async function ended(child: ReturnType<typeof spawn>): Promise<number | NodeJS.Signals | null> {
  const how = await new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? code)),
  );
  running.delete(child);
  return how;
}

test('--once sends, finds all its telemetry, says so and exits 0', async () => {
  const run = demo('--once', '--count', '24', '--rate', '10');
  assert.equal(await run.ended, 0, run.output);
  assert.match(run.output, /^24 requests sent \(.*\); 24 traces, \d+ spans, \d+ log records received\.$/m);
  assert.match(run.output, /^ok +8\/8 +of these, traces across all three services$/m);
  assert.match(run.output, /^PASS$/m);
  assert.doesNotMatch(run.output, /FAIL/);
});

test('without it, it runs until Ctrl-C, shows what the viewer counts, and leaves nothing behind', async () => {
  const run = demo('--port', '0', '--rate', '10');
  const [, gateway] = await until('the gateway to be named', () => /^gateway +(http:\S+)$/m.exec(run.output) ?? false);
  const [, viewer] = await until('the viewer to be named', () => /^viewer +(http:\S+)$/m.exec(run.output) ?? false);
  const counted = await until(
    'requests to be shown',
    () => /gateway (\d+) requests.*payments \d+ requests/.exec(run.output) ?? false,
    {
      timeoutMs: 30_000,
    },
  );
  assert.ok(Number(counted[1]) > 0, run.output);
  run.kill('SIGINT');
  assert.equal(await run.ended, 0, run.output);
  for (const url of [gateway, viewer]) await assert.rejects(fetch(url), `${url} still answers`);
});

test('a port that was asked for and is taken is an error, and no other port is used', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const run = demo('--port', String(port));
  assert.equal(await run.ended, 1);
  assert.match(run.output, new RegExp(`listens on port ${port}`));
  other.close();
});

test('an option that it does not know, or a value out of range, is named', async () => {
  for (const [args, message] of [
    [['--bogus'], /--bogus/],
    [['--rate', '0'], /--rate must be a number from 0\.1 to 200, not "0"/],
    [['--once', '--count', 'many'], /--count must be a number from 1 to 10000, not "many"/],
  ] as const) {
    const run = demo(...args);
    assert.equal(await run.ended, 1);
    assert.match(run.output, message);
    assert.doesNotMatch(run.output, /\bat .*start\.ts/, 'no stack trace');
  }
});
