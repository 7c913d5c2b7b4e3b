/**
 * How the viewer's page bears a trace of 10,000 spans: time until the waterfall is painted, and what blocks the browser
 * while one scrolls from end to end, a screen and a half at each step. Where the machine has other work, trust the CPU time.
 *
 * `npm run bench -- viewer`, or `node bench/viewer.ts [--spans 10000] [--rounds 5] [--json]`
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type CDPSession, chromium, type Page } from 'playwright-core';
import { startViewerServer } from '../viewer/viewer.ts';

const { values } = parseArgs({
  options: {
    spans: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '5' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
    json: { type: 'boolean', default: false },
  },
});

interface Round {
  /** From the navigation to the first painted line, page and trace loaded. */
  paintMs: number;
  elements: number;
  /** CPU time of the page's main thread: from the start to the first lines, and of a step of scrolling. */
  openCpuMs: number;
  stepCpuMs: number;
  /** Tasks that held the page's thread for more than 100 ms while scrolling, and the longest of all (0: none over 50 ms). */
  longTasks: number;
  longestMs: number;
}

/** Steps of one scroll from the top to the bottom. */
const STEPS = 120;
const ALLOWED_MS = 100;

const spans = Number(values.spans);
const viewer = await startViewerServer({ port: 0, version: 'bench', assets: join(import.meta.dirname, '../dist/viewer') });
const browser = await chromium.launch({ executablePath: values.chromium, args: ['--no-sandbox', '--disable-gpu'] });
try {
  const id = await sendTrace(spans);
  const rounds: Round[] = [];
  for (let n = 0; n < Number(values.rounds); n++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    rounds.push(await measure(await context.newPage(), id));
    await context.close();
  }
  report(rounds);
} finally {
  await browser.close();
  await viewer.close();
}

async function measure(page: Page, id: string): Promise<Round> {
  await page.addInitScript(`
    window.tasks = [];
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((task) => task.duration))).observe({ type: 'longtask' });
    new MutationObserver((_, self) => {
      if (!document.querySelector('[role=treeitem]')) return;
      self.disconnect();
      // The frame after the one in which the lines came is when they are on the screen.
      requestAnimationFrame(() => requestAnimationFrame(() => (window.painted = performance.now())));
    }).observe(document, { childList: true, subtree: true });`);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.goto(`${viewer.url}/t/${id}`);
  // Not waitForFunction, which the page's own policy refuses.
  const paintMs = await page.evaluate<number>(`(async () => {
    while (window.painted === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    return window.painted;
  })()`);
  const elements = await page.evaluate<number>(`document.querySelectorAll('*').length`);
  const openCpuMs = await threadMs(session);
  const tasks = await page.evaluate<number[]>(`(async () => {
    window.tasks.length = 0;
    const box = document.querySelector('[role=tree]');
    for (let step = 1; step <= ${STEPS}; step++) {
      box.scrollTop = ((box.scrollHeight - box.clientHeight) * step) / ${STEPS};
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    // Long tasks are told of a moment later.
    await new Promise((resolve) => setTimeout(resolve, 300));
    return window.tasks;
  })()`);
  return {
    paintMs,
    elements,
    openCpuMs,
    stepCpuMs: ((await threadMs(session)) - openCpuMs) / STEPS,
    longTasks: tasks.filter((task) => task > ALLOWED_MS).length,
    longestMs: Math.max(0, ...tasks),
  };
}

async function threadMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find(({ name }) => name === 'ThreadTime')?.value ?? Number.NaN) * 1000;
}

/** One trace as a service would send it: batches of 512. */
async function sendTrace(count: number): Promise<string> {
  const traceId = randomBytes(16).toString('hex');
  const ids = Array.from({ length: count }, () => randomBytes(8).toString('hex'));
  const start = BigInt(Date.now() - 2000) * 1_000_000n;
  for (let from = 0; from < count; from += 512) {
    const batch = ids.slice(from, from + 512).map((spanId, at) => {
      const n = from + at;
      const begin = start + BigInt(n) * 100_000n;
      return {
        traceId,
        spanId,
        parentSpanId: n === 0 ? undefined : ids[Math.floor((n - 1) / 8)],
        name: `step ${n % 300}`,
        kind: 1,
        startTimeUnixNano: String(begin),
        endTimeUnixNano: String(begin + (n === 0 ? 1_200_000_000n : 3_000_000n)),
        attributes: [{ key: 'http.route', value: { stringValue: '/orders/:id' } }],
      };
    });
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: `service-${(from / 512) % 5}` } }] };
    const answer = await fetch(`${viewer.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: batch }] }] }),
    });
    if (!answer.ok) throw new Error(`the viewer answered ${answer.status}: ${await answer.text()}`);
  }
  return traceId;
}

function report(rounds: Round[]): void {
  const middle = (pick: (round: Round) => number) => rounds.map(pick).sort((a, b) => a - b)[Math.floor(rounds.length / 2)];
  const result = {
    spans,
    rounds: rounds.length,
    paintMs: Math.round(middle(({ paintMs }) => paintMs)),
    worstPaintMs: Math.round(Math.max(...rounds.map(({ paintMs }) => paintMs))),
    openCpuMs: Math.round(middle(({ openCpuMs }) => openCpuMs)),
    stepCpuMs: Math.round(middle(({ stepCpuMs }) => stepCpuMs)),
    elements: middle(({ elements }) => elements),
    longTasks: rounds.reduce((sum, { longTasks }) => sum + longTasks, 0),
    longestMs: Math.round(Math.max(...rounds.map(({ longestMs }) => longestMs))),
  };
  if (values.json) console.log(JSON.stringify(result));
  else {
    console.log(`A trace of ${spans} spans, ${rounds.length} rounds, each with an empty cache:`);
    console.log(`  painted after          ${result.paintMs} ms (median), ${result.worstPaintMs} ms (worst)`);
    console.log(`  CPU of the page        ${result.openCpuMs} ms to open, ${result.stepCpuMs} ms a step of scrolling`);
    console.log(`  elements               ${result.elements}`);
    console.log(
      `  tasks over ${ALLOWED_MS} ms      ${result.longTasks} while scrolling ${STEPS} steps; longest ${result.longestMs || '< 50'} ms`,
    );
  }
}
