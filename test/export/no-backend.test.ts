import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startViewer } from '../../viewer/testing.ts';
import { spawnApp } from '../support/app.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

const RECORDED = 100_000;

function countsOf(page: string, signal: string) {
  const value = (line: string) => Number(line.split(' ').at(-1));
  const of = (name: string) =>
    page
      .split('\n')
      .filter((line) => line.startsWith(`${name}{signal="${signal}"`))
      .reduce((sum, line) => sum + value(line), 0);
  return { exported: of('o11y_exported_total'), dropped: of('o11y_dropped_total') };
}

test('without a backend memory stays bounded, and every span and line is counted; once there is one, what comes arrives', async () => {
  const port = await freePort();
  await using app = await spawnApp({
    args: ['--expose-gc', join(import.meta.dirname, 'flood-app.cjs')],
    endpoint: `http://127.0.0.1:${port}`,
    env: { OTEL_EXPORTER_OTLP_TIMEOUT: '300', O11Y_LOG_LEVEL: 'info', O11Y_CAPTURE_CONSOLE: 'off' },
  });
  const heaps = [...app.stderr().matchAll(/HEAP (\d+)/g)].map(([, bytes]) => Number(bytes));
  assert.equal(heaps.length, 5);
  const growth = (heaps[4] - heaps[1]) / 1024 / 1024;
  assert.ok(growth < 5, `${growth.toFixed(1)} MiB more after 60,000 further spans and lines: ${heaps}`);
  const page = await until('all to be counted', async () => {
    const text = await app.metrics();
    const { traces, logs } = { traces: countsOf(text, 'traces'), logs: countsOf(text, 'logs') };
    return traces.exported + traces.dropped === RECORDED && logs.exported + logs.dropped === RECORDED && text;
  });
  assert.equal(countsOf(page, 'traces').exported, 0);
  assert.match(page, /o11y_dropped_total\{signal="traces",reason="queue_full"\} \d{5}/);
  assert.match(page, /o11y_dropped_total\{signal="traces",reason="export_failed"\} [1-9]/);
  const said = app.stderr().match(/spans? could not be delivered|log records? could not be delivered/g) ?? [];
  assert.ok(said.length >= 1 && said.length < 10, `it is said, and not again and again: ${said.length} times`);

  await using viewer = await startViewer({ port });
  app.child.kill('SIGHUP');
  await viewer.waitForSpans({ name: 'afterwards' }, { timeout: 15_000 });
  await viewer.waitForLogs({ body: 'afterwards' }, { timeout: 15_000 });
  assert.equal(viewer.spans().length, 1);
});
