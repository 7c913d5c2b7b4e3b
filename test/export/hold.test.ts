import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ExportQueue } from '../../instrumentation/export/queue.ts';
import { createStats } from '../../instrumentation/export/stats.ts';
import { ListStock } from '../../instrumentation/export/stock.ts';
import { startViewer } from '../../viewer/testing.ts';

const preload = pathToFileURL(join(import.meta.dirname, '../../dist/preload.mjs')).href;

test('a queue that is held keeps its items, bounded, until it is released or drained', () => {
  const stats = createStats().logs;
  const posted: string[][] = [];
  const queue = new ExportQueue(
    100,
    () => {},
    stats,
    new ListStock<string>(2),
    (items) => posted.push(items) > 0,
  );
  const release = queue.hold();
  for (let n = 0; n < 120; n += 1) queue.push(`${n}`);
  assert.equal(posted.length, 0);
  assert.equal(queue.outstanding, 100);
  assert.equal(stats.dropped.queue_full, 20);
  queue.drain();
  assert.equal(posted.flat().length, 100, 'a flush does not wait');
  assert.ok(
    posted.every((piece) => piece.length === 2),
    'in pieces no larger than an export',
  );
  posted.length = 0;
  queue.settle(100, 0, 'export_failed');
  queue.push('one');
  release();
  assert.deepEqual(posted[0], ['one']);
  queue.push('two');
  queue.push('three');
  assert.deepEqual(posted[1], ['two', 'three'], 'it is an ordinary queue again');
});

test('a process that logs at once, is busy and finds the usual port taken, says where its metrics are all the same', async (t) => {
  const usual = createServer();
  // Where another process has it already, it is taken just as well.
  await new Promise((resolve) => usual.once('listening', resolve).once('error', resolve).listen(9464, '127.0.0.1'));
  const viewer = await startViewer();
  const code = `console.log('at once');
    const until = Date.now() + 2500;
    while (Date.now() < until);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', preload, '--eval', code], {
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url },
    stdio: 'ignore',
  });
  t.after(async () => {
    child.kill('SIGKILL');
    usual.close();
    await viewer.close();
  });
  const [record] = await viewer.waitForLogs({ body: 'at once' }, { timeout: 15_000 });
  const url = String(record.resource['o11y.metrics.url']);
  assert.match(url, /^http:\/\/.*:\d+\/metrics$/);
  assert.match(await (await fetch(url)).text(), /^o11y_log_messages_total\{level="info"\} 1$/m);
});
