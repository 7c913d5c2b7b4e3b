import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../support/needs.ts';
import { openPage } from './open-page.ts';
import { newTraceId, sendLogs, sendSpans } from './send.ts';

const skip = needs('chromium');

test('the list of traces grows by itself, holds still while one reads, and says what is new', { skip }, async () => {
  await using opened = await openPage('/#/traces');
  const { page, viewer, faults } = opened;
  const send = (...names: string[]) =>
    sendSpans(
      viewer.url,
      names.map((name) => ({ traceId: newTraceId(), name, kind: 2 })),
    );
  await page.getByRole('heading', { name: 'Waiting for telemetry' }).waitFor();
  await send(...Array.from({ length: 60 }, (_, n) => `GET /first/${n}`));
  await page.locator('a.trace').nth(59).waitFor();
  await send('GET /second');
  await page.locator('a.trace', { hasText: 'GET /second' }).waitFor();

  const list = page.locator('.list');
  await list.evaluate((box: any) => box.scrollTo(0, 400));
  await page.getByText('held while you read').waitFor();
  const top = await page.locator('a.trace').first().textContent();
  await send('GET /third', 'GET /fourth');
  await page.getByRole('button', { name: '2 new traces' }).waitFor();
  assert.equal(await page.locator('a.trace').first().textContent(), top);
  assert.equal(await list.evaluate((box: any) => box.scrollTop), 400);

  await page.getByRole('button', { name: '2 new traces' }).click();
  await page.locator('a.trace', { hasText: 'GET /third' }).waitFor();
  assert.equal(await list.evaluate((box: any) => box.scrollTop), 0);

  await page.getByRole('button', { name: /Hold/ }).click();
  await send('GET /fifth');
  await page.getByRole('button', { name: '1 new traces' }).waitFor();
  assert.equal(await page.locator('a.trace', { hasText: 'GET /fifth' }).count(), 0);
  await page.getByRole('button', { name: /Go on/ }).click();
  await page.locator('a.trace', { hasText: 'GET /fifth' }).waitFor();
  assert.deepEqual(faults, []);
});

test('log lines arrive by themselves, and an open line stays where it is', { skip }, async () => {
  await using opened = await openPage('/#/logs');
  const { page, viewer, faults } = opened;
  await sendLogs(viewer.url, [{ body: 'first', attributes: { user: 'ada' } }]);
  const first = page.locator('.line', { hasText: 'first' });
  await first.click();
  await page.locator('.line-details', { hasText: 'ada' }).waitFor();
  await sendLogs(viewer.url, [{ body: 'second' }]);
  await page.getByRole('button', { name: '1 new lines' }).waitFor();
  assert.equal(await page.locator('.line').count(), 1);
  await page.keyboard.press('n');
  await page.locator('.line', { hasText: 'second' }).waitFor();
  assert.deepEqual(faults, []);
});

test('clearing throws away what is shown', { skip }, async () => {
  await using opened = await openPage('/#/traces');
  const { page, viewer } = opened;
  await sendSpans(viewer.url, [{ traceId: newTraceId(), name: 'GET /gone', kind: 2 }]);
  await page.locator('a.trace').waitFor();
  await page.evaluate(`fetch('/api/clear', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })`);
  await page.getByRole('heading', { name: 'Waiting for telemetry' }).waitFor();
});

test('the page says when the viewer is gone, and goes on when it is back', { skip }, async () => {
  await using opened = await openPage('/#/traces');
  const { page } = opened;
  const status = page.locator('.status-bar');
  await status.getByText('connected').waitFor();
  await page.route('**/api/**', (route) => route.abort());
  await page.reload();
  await status.getByText('viewer does not answer').waitFor();
  await page.unroute('**/api/**');
  await status.getByText('connected').waitFor();
});
