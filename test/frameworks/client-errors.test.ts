import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { startViewer } from '../../viewer/testing.ts';
import { spawnApp } from '../support/app.ts';

const FIXTURE = join(import.meta.dirname, '../apps/fixtures/client-error.cjs');

test('an error that is the caller’s own is neither counted nor recorded; one of the app is both', async () => {
  await using viewer = await startViewer();
  await using app = await spawnApp({ args: [FIXTURE], endpoint: viewer.url });
  for (const path of ['/theirs', '/ours']) await (await fetch(`http://127.0.0.1:${app.port}${path}`)).text();

  const [theirs] = await viewer.waitForSpans({ name: 'GET /theirs' });
  assert.equal(theirs.status.code, 'unset');
  assert.deepEqual(theirs.events, []);
  const [ours] = await viewer.waitForSpans({ name: 'GET /ours' });
  assert.equal(ours.status.code, 'error');
  assert.deepEqual(
    ours.events.map(({ attributes }) => attributes['exception.type']),
    ['TypeError'],
  );

  const counted = (await app.metrics()).split('\n').filter((line) => line.startsWith('o11y_errors_total{'));
  assert.deepEqual(counted, ['o11y_errors_total{error_type="TypeError",error_category="fatal"} 1']);
});
