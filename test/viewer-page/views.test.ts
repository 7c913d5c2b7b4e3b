import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needs } from '../support/needs.ts';
import { startCheckout } from './checkout.ts';
import { type Opened, openPage } from './open-page.ts';

describe('with the telemetry of the checkout example', { skip: needs('chromium') }, () => {
  let opened: Opened;
  let checkout: Awaited<ReturnType<typeof startCheckout>>;

  before(async () => {
    opened = await openPage();
    checkout = await startCheckout(opened.viewer.url);
    await checkout.send(48);
  });
  after(async () => {
    await checkout?.[Symbol.asyncDispose]();
    await opened?.[Symbol.asyncDispose]();
  });

  test('the overview shows every service, who calls whom, and points that open a trace', async () => {
    const { page, viewer, faults } = opened;
    await page.goto(viewer.url);
    const rows = page.locator('.services > li');
    for (const service of ['gateway', 'orders', 'payments']) {
      const row = rows.filter({ has: page.getByRole('link', { name: service, exact: true }) });
      await row.getByText(/^\d[\d.]* req\/s$/).waitFor();
      await row.getByText(/%/).first().waitFor();
      await row
        .locator('.wide')
        .getByText(/(ms|s)$/)
        .first()
        .waitFor();
    }
    const map = page.getByRole('group', { name: 'Map of services' });
    await map.getByRole('link', { name: /^payments/ }).waitFor();
    const edges = await map.locator('.edge > title').allTextContents();
    assert.ok(
      edges.some((edge) => edge.startsWith('gateway calls orders')),
      edges.join('\n'),
    );

    await page.locator('.services .point').first().click();
    await page.getByRole('treeitem').first().waitFor();
    assert.match(page.url(), /\/t\/[0-9a-f]{32}#span=[0-9a-f]{16}$/);
    await page.getByRole('region', { name: 'Span' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    assert.deepEqual(faults, []);
  });

  test('a service shows its routes, calls and runtime; a route narrows the charts', async () => {
    const { page, viewer, faults } = opened;
    await page.goto(`${viewer.url}/#/service/gateway`);
    const route = page.getByRole('button', { name: 'POST /checkout' });
    await route.click();
    await page.getByRole('figure', { name: /^Duration of POST \/checkout\. p99 / }).waitFor();
    await page.getByRole('figure', { name: /^Event loop delay/ }).waitFor();
    await page.getByRole('figure', { name: /^Memory.*(MB|kB)/ }).waitFor();
    await page.getByText('All metrics').click();
    await page.getByRole('searchbox', { name: 'Find a metric' }).fill('process_resident');
    await page.getByRole('button', { name: /process_resident_memory_bytes/ }).click();
    await page.getByRole('figure', { name: /^process_resident_memory_bytes/ }).waitFor();
    assert.deepEqual(faults, []);
  });

  test('traces are found by service, route, result, duration, attribute, correlation id and text', async () => {
    const { page, viewer, faults } = opened;
    const id = 'looked-for.1';
    await fetch(`${checkout.gateway}/products`, { headers: { 'x-correlation-id': id } });
    await page.goto(`${viewer.url}/#/traces?correlation=${id}`);
    const traces = page.locator('a.trace');
    await traces.filter({ hasText: 'GET /products' }).waitFor();
    assert.equal(await traces.count(), 1);

    const search = async (fields: Record<string, string>, each: RegExp) => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('x');
      await page.getByRole('button', { name: 'Clear', exact: true }).first().waitFor();
      for (const [label, value] of Object.entries(fields)) {
        const field = page.getByLabel(label, { exact: true });
        if ((await field.evaluate((one: any) => one.tagName)) === 'SELECT') await field.selectOption({ label: value });
        else await field.fill(value);
      }
      await page.waitForURL((url) => new URLSearchParams(url.hash.split('?')[1]).size === Object.keys(fields).length);
      await page.waitForFunction(
        ([source]) => {
          // biome-ignore lint/suspicious/noTsIgnore: runs in the browser
          // @ts-ignore
          const rows = [...document.querySelectorAll('a.trace')];
          return rows.length > 0 && rows.every((row: any) => new RegExp(source).test(row.textContent));
        },
        [each.source],
      );
    };
    await search({ Service: 'payments' }, /POST \/checkout/);
    await search({ 'Route or span': '/orders/:id' }, /GET \/orders\/:id/);
    await search({ Result: 'With errors' }, /\d errors?/);
    await search({ 'From (ms)': '200' }, /([2-9]\d\d ms|\d s)$/);
    await search({ Attribute: 'http.response.status_code=404' }, /404/);
    await search({ 'Text or trace id': 'wp-login' }, /404/);
    assert.deepEqual(faults, []);
  });

  test('one walks from a trace to its log line and back', async () => {
    const { page, viewer, faults } = opened;
    await page.goto(`${viewer.url}/#/traces?service=payments`);
    await page.locator('a.trace').first().click();
    await page.getByRole('heading', { name: 'POST /checkout' }).waitFor();
    const trace = new URL(page.url()).pathname;
    const lines = page.getByRole('treeitem', { name: /^log / });
    await lines.first().waitFor();
    await page
      .getByRole('link', { name: /log lines$/ })
      .first()
      .click();
    await page.getByRole('heading', { name: 'Logs' }).waitFor();
    const row = page.locator('.log-lines li').filter({ hasText: 'payments' }).first();
    await row.locator('.line').click();
    await row.getByText('correlation_id').waitFor();
    await row.locator('a.to-trace').click();
    await page
      .getByRole('treeitem', { name: /payments/ })
      .first()
      .waitFor();
    assert.equal(new URL(page.url()).pathname, trace);
    await page.goBack();
    await page.getByRole('heading', { name: 'Logs' }).waitFor();
    assert.deepEqual(faults, []);
  });

  test('logs are found by level, service, text and field', async () => {
    const { page, viewer, faults } = opened;
    await page.goto(`${viewer.url}/#/logs`);
    await page.locator('.line').first().waitFor();
    await page.getByLabel('Level').selectOption({ label: 'error and above' });
    await page.waitForURL(/level=error/);
    await page.locator('.log-lines:not(:has(.level-info)) .level-error').first().waitFor();
    await page.getByLabel('Service').selectOption('gateway');
    await page.getByLabel('Text').fill('recommendations');
    await page.locator('.log-lines li', { hasText: '/recommendations' }).first().waitFor();
    assert.equal(await page.locator('.log-lines li', { hasText: 'payments' }).count(), 0);
    assert.deepEqual(faults, []);
  });

  test('health shows the checks of every process', async () => {
    const { page, viewer, faults } = opened;
    await page.goto(`${viewer.url}/#/health`);
    for (const service of ['gateway', 'orders', 'payments']) {
      const card = page.locator('.card').filter({ has: page.getByRole('link', { name: service, exact: true }) });
      await card.getByRole('rowheader', { name: 'event_loop' }).waitFor();
      await card.getByText('pass').first().waitFor();
    }
    assert.deepEqual(faults, []);
  });
});
