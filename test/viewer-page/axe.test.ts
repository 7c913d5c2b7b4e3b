import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { needs } from '../support/needs.ts';
import { openPage } from './open-page.ts';
import { newSpanId, newTraceId, sendLogs, sendSpans } from './send.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Finding {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

const WINDOWS = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  { name: 'a phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
] as const;

for (const { name, ...context } of WINDOWS) {
  test(`axe finds nothing in any view, ${name}`, { skip: needs('chromium') }, async () => {
    // axe is put into the page by the test, past the policy that would refuse it.
    await using opened = await openPage('/', { ...context, bypassCSP: true });
    const { page, viewer } = opened;
    const traceId = newTraceId();
    const [root, child] = [newSpanId(), newSpanId()];
    const at = Date.now() - 3000;
    await sendSpans(
      viewer.url,
      [
        {
          traceId,
          spanId: root,
          name: 'POST /pay',
          kind: 2,
          durationMs: 700,
          attributes: { 'http.response.status_code': 500 },
          error: 'failed',
        },
        {
          traceId,
          spanId: child,
          parentSpanId: root,
          name: 'charge',
          kind: 2,
          service: 'payments',
          startMs: 20,
          durationMs: 600,
          error: 'declined',
        },
        { traceId, parentSpanId: newSpanId(), name: 'lost', startMs: 30 },
        ...Array.from({ length: 12 }, () => ({ traceId: newTraceId(), name: 'GET /', kind: 2 })),
      ],
      { at },
    );
    await sendLogs(
      viewer.url,
      [9, 13, 17].map((severity) => ({ body: 'a \u001b[32mgreen\u001b[0m line', traceId, spanId: child, severity, atMs: 100 })),
      { at },
    );
    const views: [path: string, shown: string][] = [
      ['/', '.services'],
      ['/#/service/shop', '.routes'],
      ['/#/traces', '.trace'],
      ['/#/traces?text=nothing-has-this', '.empty'],
      [`/t/${traceId}#span=${child}`, '.span-panel h2'],
      [`/t/${newTraceId()}`, '.empty'],
      ['/#/logs', '.line'],
      ['/#/health', 'main h1'],
    ];
    for (const [path, shown] of views) {
      await page.goto('about:blank');
      await page.goto(viewer.url + path);
      await page.locator(shown).first().waitFor();
      if (path === '/#/logs') {
        await page.locator('.line').first().click();
        await page.locator('.line-details').waitFor();
      }
      await page.evaluate(axe);
      const findings = await page.evaluate<Finding[]>('axe.run().then(({ violations }) => violations)');
      assert.deepEqual(
        findings.map(
          ({ id, impact, nodes }) =>
            `${impact} ${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join('\n')}`,
        ),
        [],
        `${path}, ${name}`,
      );
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    assert.deepEqual(await page.evaluate(`axe.run('dialog').then(({ violations }) => violations.map(({ id }) => id))`), []);
  });
}
