import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../support/needs.ts';
import { openPage } from './open-page.ts';
import { newSpanId, newTraceId, sendLogs, sendSpans } from './send.ts';

const skip = needs('chromium');

/** Each would call `alert`, load something, or lead away, if it were taken for anything but text. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(2)>',
  '"><svg onload=alert(3)>',
  'javascript:alert(4)',
  '</title><script>alert(5)</script>',
  "'-alert(6)-'",
  '<a href="javascript:alert(7)">click</a>',
  '<style>*{display:none}</style>',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: meant as it stands
  '${alert(8)}{{alert(9)}}',
];
const RTL = 'invoice\u202Egnp.exe';
const ANSI = '\u001b[31mred\u001b[0m \u001b]8;;javascript:alert(10)\u0007link\u001b]8;;\u0007 \u001b[2J\u001b]0;title\u0007end';

test('names, bodies, keys and values of others are shown as text and do nothing', { skip }, async () => {
  await using opened = await openPage();
  const { page, viewer, faults } = opened;
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  const traceId = newTraceId();
  const root = newSpanId();
  const at = Date.now() - 2000;
  await sendSpans(
    viewer.url,
    HOSTILE.flatMap((text, n) => [
      {
        traceId,
        spanId: n === 0 ? root : newSpanId(),
        parentSpanId: n === 0 ? undefined : root,
        name: text,
        service: text,
        kind: n === 0 ? 2 : 3,
        error: text,
        attributes: { [text]: text, __proto__x: text, 'http.route': text, 'correlation.id': text, 'url.full': text },
        events: [{ name: text, atMs: 1, attributes: { 'exception.stacktrace': text, [text]: ANSI } }],
      },
    ]),
    { at },
  );
  await sendLogs(
    viewer.url,
    [...HOSTILE, RTL, ANSI].map((text) => ({
      body: text,
      service: text.slice(0, 40),
      traceId,
      spanId: root,
      severity: 17,
      attributes: { [text]: text },
    })),
    { at },
  );

  for (const path of [
    '/',
    '/#/traces',
    `/t/${traceId}#span=${root}`,
    '/#/logs',
    '/#/health',
    `/#/service/${encodeURIComponent(HOSTILE[0])}`,
  ]) {
    await page.goto(viewer.url + path);
    await page
      .getByText(HOSTILE[0])
      .first()
      .waitFor({ state: path === '/#/health' ? 'detached' : 'attached' });
    const bad = await page.evaluate(`[...document.querySelectorAll('script,img,iframe,object,embed,style,[onerror],[onload]')]
      .filter((one) => !(one.tagName === 'SCRIPT' && one.src.endsWith('/page.js'))).map((one) => one.outerHTML)`);
    assert.deepEqual(bad, [], `elements made from telemetry on ${path}`);
    const links = await page.evaluate<string[]>(
      `[...document.querySelectorAll('a[href]')].map((link) => link.getAttribute('href'))`,
    );
    assert.deepEqual(
      links.filter((href) => !href.startsWith('/') || href.startsWith('//')),
      [],
      `links that lead away on ${path}`,
    );
  }

  await page.goto(`${viewer.url}/t/${traceId}#span=${root}`);
  const panel = page.getByRole('region', { name: 'Span' });
  await panel.getByText(HOSTILE[0]).first().waitFor();
  for (const text of [HOSTILE[1], HOSTILE[4]]) assert.ok((await page.getByText(text).count()) > 0, `${text} is shown as it is`);

  await page.goto(`${viewer.url}/#/logs`);
  const red = page.locator('.line .a-1', { hasText: 'red' });
  await red.waitFor();
  const line = page.locator('.line', { has: page.locator('.a-1') }).locator('.body');
  assert.equal(await line.textContent(), 'red link end');
  assert.equal(await page.locator('.line', { hasText: 'invoice' }).locator('.body').textContent(), 'invoice⟨202E⟩gnp.exe');
  assert.equal(await page.title(), 'Logs · o11y-kit');

  const away = requests.filter((url) => !url.startsWith(viewer.url) && !url.startsWith('data:'));
  assert.deepEqual(away, []);
  assert.deepEqual(faults, []);
});

test('the page runs under a policy that allows its own script and style only', { skip }, async () => {
  await using opened = await openPage();
  const { page, viewer } = opened;
  const answer = await page.request.get(`${viewer.url}/t/${newTraceId()}`);
  const policy = answer.headers()['content-security-policy'];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.match(policy, /style-src 'self'(;|$)/);
  assert.match(await answer.text(), /<script src="\/page\.js"/);
});
