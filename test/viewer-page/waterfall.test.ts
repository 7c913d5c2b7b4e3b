import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../support/needs.ts';
import { openPage } from './open-page.ts';
import { largeTrace, newSpanId, newTraceId, sendLogs, sendSpans } from './send.ts';

const skip = needs('chromium');

test('a trace of 10,000 spans opens and scrolls to its end with few elements', { skip }, async () => {
  await using opened = await openPage('/#/traces');
  const { page, viewer, faults } = opened;
  const id = newTraceId();
  const spans = largeTrace(id, 10_000);
  for (let n = 0; n < spans.length; n += 2000) await sendSpans(viewer.url, spans.slice(n, n + 2000));
  await page.goto(`${viewer.url}/t/${id}`);
  await page.getByText('10,000 spans', { exact: true }).waitFor();
  const lines = page.locator('[role=treeitem]');
  await lines.first().waitFor();
  assert.ok((await lines.count()) < 120, `${await lines.count()} lines are elements`);
  assert.ok((await page.locator('*').count()) < 2500, `${await page.locator('*').count()} elements`);

  const tree = page.locator('[role=tree]');
  await tree.focus();
  await page.keyboard.press('End');
  const last = page.locator('[role=treeitem][aria-selected=true]');
  await last.waitFor();
  assert.ok((await lines.count()) < 120, `${await lines.count()} lines are elements after the jump to the end`);
  const shown = await tree.evaluate((box: any) => box.scrollTop + box.clientHeight >= box.scrollHeight - 1);
  assert.ok(shown, 'the end is in sight');
  // Every line stands where its number says, in steps of one height.
  const places = await lines.evaluateAll((all: any[]) => all.map((line) => line.getBoundingClientRect().top));
  for (let n = 1; n < places.length; n++) assert.equal(Math.round(places[n] - places[n - 1]), 22);

  await page.keyboard.press('Home');
  await page.locator('[role=treeitem][aria-selected=true]', { hasText: 'step 0' }).waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.locator('[role=treeitem][aria-expanded=false]').waitFor();
  assert.equal(await lines.count(), 1);
  assert.deepEqual(faults, []);
});

test('late spans fill in, and keep what is looked at', { skip }, async () => {
  await using opened = await openPage();
  const { page, viewer, faults } = opened;
  const id = newTraceId();
  const [root, child] = [newSpanId(), newSpanId()];
  const at = Date.now() - 2000;
  await sendSpans(
    viewer.url,
    [{ traceId: id, spanId: child, parentSpanId: root, name: 'charge card', startMs: 100, durationMs: 300 }],
    { at },
  );
  await page.goto(`${viewer.url}/t/${id}`);
  await page.getByRole('treeitem', { name: /missing parent/ }).waitFor();
  await page.getByText('root has not arrived').waitFor();
  await page.getByRole('treeitem', { name: /charge card/ }).click();
  await page.getByRole('region', { name: 'Span' }).getByText(child).waitFor();

  await sendSpans(viewer.url, [{ traceId: id, spanId: root, name: 'POST /pay', kind: 2, durationMs: 500 }], { at });
  await page.getByRole('heading', { name: 'POST /pay' }).waitFor();
  assert.equal(await page.getByRole('treeitem', { name: /missing parent/ }).count(), 0);
  const selected = page.locator('[role=treeitem][aria-selected=true]');
  assert.equal(await selected.locator('.what').textContent(), 'charge card');
  assert.equal(await selected.getAttribute('aria-level'), '2');
  assert.deepEqual(faults, []);
});

test('errors, exceptions, clocks and log lines stand at their spans', { skip }, async () => {
  await using opened = await openPage();
  const { page, viewer, faults } = opened;
  const id = newTraceId();
  const [root, early, failing] = [newSpanId(), newSpanId(), newSpanId()];
  const at = Date.now() - 2000;
  await sendSpans(
    viewer.url,
    [
      { traceId: id, spanId: root, name: 'GET /orders', kind: 2, durationMs: 500 },
      { traceId: id, spanId: early, parentSpanId: root, name: 'other machine', service: 'far', startMs: -80, durationMs: 40 },
      {
        traceId: id,
        spanId: failing,
        parentSpanId: root,
        name: 'read row',
        startMs: 100,
        durationMs: 200,
        error: 'connection lost',
        attributes: { 'db.system.name': 'postgresql' },
        events: [
          {
            name: 'exception',
            atMs: 290,
            attributes: { 'exception.type': 'PgError', 'exception.stacktrace': 'PgError: lost\n  at query' },
          },
        ],
      },
    ],
    { at },
  );
  await sendLogs(
    viewer.url,
    [
      { body: 'asking the database', traceId: id, spanId: failing, atMs: 110 },
      { body: 'giving up', traceId: id, spanId: root, atMs: 400, severity: 17 },
    ],
    { at },
  );
  await page.goto(`${viewer.url}/t/${id}`);
  await page.getByRole('treeitem', { name: /other machine.*clocks of two machines differ/ }).waitFor();
  await page.getByRole('treeitem', { name: /^log info asking the database/ }).waitFor();
  const order = await page
    .locator('[role=treeitem]')
    .evaluateAll((all: any[]) => all.map((line) => line.querySelector('.what, .body').textContent));
  assert.deepEqual(order, ['GET /orders', 'other machine', 'read row', 'asking the database', 'giving up']);

  await page.keyboard.press('e');
  const panel = page.getByRole('region', { name: 'Span' });
  await panel.getByText('connection lost').waitFor();
  await panel.getByText('PgError: lost').waitFor();
  await panel.getByText('postgresql').waitFor();
  await panel.getByText('asking the database').waitFor();
  assert.deepEqual(faults, []);
});

test('a link to a trace that has not arrived waits, and opens it when it comes', { skip }, async () => {
  const id = newTraceId();
  await using opened = await openPage(`/t/${id}`);
  const { page, viewer, faults } = opened;
  await page.getByRole('heading', { name: 'Waiting for this trace' }).waitFor();
  await sendSpans(viewer.url, [{ traceId: newTraceId(), name: 'another' }]);
  await sendSpans(viewer.url, [{ traceId: id, name: 'GET /late', kind: 2 }]);
  await page.getByRole('treeitem', { name: /GET \/late/ }).waitFor();
  assert.deepEqual(faults, []);
});
