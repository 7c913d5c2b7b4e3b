import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../support/needs.ts';
import { openPage } from './open-page.ts';
import { newSpanId, newTraceId, sendLogs, sendSpans } from './send.ts';

const skip = needs('chromium');

test('everything is reached without a pointer', { skip }, async () => {
  await using opened = await openPage();
  const { page, viewer, faults } = opened;
  const at = Date.now() - 2000;
  const [older, newer] = [newTraceId(), newTraceId()];
  const [root, child, leaf] = [newSpanId(), newSpanId(), newSpanId()];
  await sendSpans(viewer.url, [{ traceId: older, name: 'GET /old', kind: 2 }], { at });
  await sendSpans(
    viewer.url,
    [
      { traceId: newer, spanId: root, name: 'GET /new', kind: 2, startMs: 50, durationMs: 300 },
      { traceId: newer, spanId: child, parentSpanId: root, name: 'load', startMs: 60, durationMs: 200, service: 'orders' },
      { traceId: newer, spanId: leaf, parentSpanId: child, name: 'query', startMs: 70, durationMs: 100, error: 'no rows' },
    ],
    { at },
  );
  await sendLogs(viewer.url, [{ body: 'asked', traceId: newer, spanId: leaf, atMs: 80 }], { at });
  const key = (name: string) => page.keyboard.press(name);
  const selected = () => page.locator('[role=treeitem][aria-selected=true]');

  await key('2');
  await page.getByRole('heading', { name: 'Traces' }).waitFor();
  await page.locator('a.trace').nth(1).waitFor();
  await key('j');
  await key('j');
  await key('k');
  await key('Enter');
  await page.getByRole('heading', { name: 'GET /new' }).waitFor();

  await key('e');
  await selected()
    .and(page.getByRole('treeitem', { name: /^query/ }))
    .waitFor();
  await page.locator('[role=tree]').focus();
  await key('ArrowLeft');
  await selected()
    .and(page.getByRole('treeitem', { name: /^load/ }))
    .waitFor();
  await key('ArrowLeft');
  await page.getByRole('treeitem', { name: /^query/ }).waitFor({ state: 'detached' });
  await key('ArrowRight');
  await page.getByRole('treeitem', { name: /^query/ }).waitFor();
  await key('Home');
  await selected()
    .and(page.getByRole('treeitem', { name: /^GET \/new/ }))
    .waitFor();
  await key('l');
  await page.getByRole('treeitem', { name: /^log / }).waitFor({ state: 'detached' });
  await key('/');
  await page.keyboard.type('query');
  await page.getByText('1 hit').waitFor();
  await key('Enter');
  await selected()
    .and(page.getByRole('treeitem', { name: /^query/ }))
    .waitFor();
  await key('Escape');
  await key('Escape');
  await page.getByRole('region', { name: 'Span' }).waitFor({ state: 'detached' });
  await key('Escape');
  await page.getByRole('heading', { name: 'Traces' }).waitFor();

  await key('3');
  await page.locator('.line').first().waitFor();
  await key('j');
  await key('Enter');
  await page.locator('.line[aria-expanded=true]').waitFor();
  await key('o');
  await page.getByRole('heading', { name: 'GET /new' }).waitFor();

  await key('?');
  const help = page.getByRole('dialog', { name: 'Keys' });
  await help.getByText('next error').waitFor();
  await key('Escape');
  await help.waitFor({ state: 'detached' });
  await key('t');
  assert.equal(await page.evaluate('document.documentElement.dataset.theme'), 'light');
  await key('t');
  assert.equal(await page.evaluate('document.documentElement.dataset.theme'), 'dark');
  await key('1');
  await page.getByRole('heading', { name: 'Services' }).waitFor();
  assert.deepEqual(faults, []);
});

test('letters typed into a field are no shortcuts', { skip }, async () => {
  await using opened = await openPage('/#/logs');
  const { page, viewer } = opened;
  await sendLogs(viewer.url, [{ body: 'pixel 13' }, { body: 'other' }]);
  await page.locator('.line').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('pixel 13');
  await page.waitForURL(/text=pixel/);
  await page.getByRole('heading', { name: 'Logs' }).waitFor();
  await page.locator('.line', { hasText: 'other' }).waitFor({ state: 'detached' });
  assert.equal(await page.locator('.line').count(), 1);
});
