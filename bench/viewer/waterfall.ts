/**
 * How the page bears one long trace: time until the waterfall is painted, and what blocks the browser while one scrolls from
 * end to end, a screen and a half at each step. Where the machine has other work, trust the CPU time.
 */
import { randomBytes } from 'node:crypto';
import { type CDPSession, chromium, type Page } from 'playwright-core';
import { startCli } from './cli.ts';

export interface Opening {
  /** From the navigation to the first painted line, page and trace loaded. */
  paintMs: number;
  elements: number;
  /** CPU time of the page's main thread: from the start to the first lines, and of a step of scrolling. */
  openCpuMs: number;
  stepCpuMs: number;
  /** Tasks that held the page's thread for more than {@link ALLOWED_MS} while scrolling, and the longest of all (0: none over 50 ms). */
  longTasks: number;
  longestMs: number;
}

/** Steps of one scroll from the top to the bottom. */
export const STEPS = 120;
export const ALLOWED_MS = 100;

/** Opens the same trace in new browser contexts, each with an empty cache. */
export async function measureWaterfall(spans: number, rounds: number, executablePath: string): Promise<Opening[]> {
  const viewer = await startCli();
  try {
    const id = await sendTrace(viewer.url, spans);
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const openings: Opening[] = [];
      for (let n = 0; n < rounds; n++) {
        const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
        openings.push(await measure(await context.newPage(), `${viewer.url}/t/${id}`));
        await context.close();
      }
      return openings;
    } finally {
      await browser.close();
    }
  } finally {
    await viewer.stop();
  }
}

async function measure(page: Page, address: string): Promise<Opening> {
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
  await page.goto(address);
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

/** One trace as services would send it: batches of 512. @returns its id */
async function sendTrace(url: string, count: number): Promise<string> {
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
    const answer = await fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: batch }] }] }),
    });
    if (!answer.ok) throw new Error(`the viewer answered ${answer.status}: ${await answer.text()}`);
  }
  return traceId;
}
