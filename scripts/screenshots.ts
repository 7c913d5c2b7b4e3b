/**
 * Takes the pictures of the viewer in docs/images: the checkout example runs with real traffic, and Chromium looks at it.
 *
 * `node scripts/screenshots.ts [--seconds 75] [--rate 6]`, after `npm run build`. Text is set in Inter where the machine has
 * that font, else in the system's own.
 */
import { accessSync, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { startServices } from '../examples/checkout/demo/service.ts';
import { runTraffic } from '../examples/checkout/demo/traffic.ts';
import { startViewerServer } from '../viewer/viewer.ts';
import { root } from './tools.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '75' }, rate: { type: 'string', default: '6' } },
});

interface Picture {
  name: string;
  path: string;
  /** What must be there before the picture is taken. */
  shown: string;
  dark?: boolean;
  width?: number;
  height?: number;
}

const images = join(root, 'docs/images');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const viewer = await startViewerServer({ port: 0, version, assets: join(root, 'dist/viewer') });
const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url };
const services = await startServices(env, 1);
let browser: Browser | undefined;
try {
  const ending = new AbortController();
  const traffic = runTraffic({ gateway: services[0].url, rate: Number(values.rate), signal: ending.signal, onSent() {} });
  console.log(`Traffic for ${values.seconds} s, so that charts have something to show …`);
  await sleep(Number(values.seconds) * 1000);
  browser = await chromium.launch({ executablePath: program('chromium'), args: ['--no-sandbox', '--disable-gpu'] });
  mkdirSync(images, { recursive: true });
  const trace = await slowPayment();
  for (const picture of pictures(trace)) await take(browser, picture);
  ending.abort();
  await traffic;
} finally {
  await browser?.close();
  await Promise.all(services.map((service) => service.stop()));
  await viewer.close();
}

function pictures(trace: string): Picture[] {
  return [
    { name: 'overview', path: '/', shown: '.services .point' },
    { name: 'overview-dark', path: '/', shown: '.services .point', dark: true },
    { name: 'trace', path: trace, shown: '.span-panel dl' },
    { name: 'trace-dark', path: trace, shown: '.span-panel dl', dark: true },
    { name: 'traces', path: '/#/traces?service=payments', shown: 'a.trace' },
    { name: 'logs', path: '/#/logs?level=info', shown: '.line' },
    { name: 'service', path: '/#/service/gateway', shown: '.chart canvas', height: 1180 },
    { name: 'health', path: '/#/health', shown: '.card', height: 480 },
    { name: 'phone', path: '/', shown: '.services .point', width: 390, height: 844 },
  ];
}

/** The address of the slowest payment that was refused, with the span at fault. */
async function slowPayment(): Promise<string> {
  const answer = await fetch(`${viewer.url}/api/traces?service=payments&status=error&limit=500`);
  const { traces } = (await answer.json()) as { traces: { traceId: string; durationMs: number; rootSeen: boolean }[] };
  const [slowest] = traces.filter(({ rootSeen }) => rootSeen).sort((a, b) => b.durationMs - a.durationMs);
  if (!slowest) throw new Error('No failed payment was sent; give it more --seconds.');
  const view = (await (await fetch(`${viewer.url}/api/trace?id=${slowest.traceId}`)).json()) as { rows: { id: string[] } };
  return `/t/${slowest.traceId}#span=${view.rows.id.at(-1)}`;
}

async function take(browser: Browser, { name, path, shown, dark, width = 1280, height = 800 }: Picture): Promise<void> {
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: 1.5,
    colorScheme: dark ? 'dark' : 'light',
  });
  // Services in the same colours on every picture.
  await context.addInitScript(`localStorage.setItem('o11y-kit-services', '["gateway","orders","payments"]')`);
  const page: Page = await context.newPage();
  await page.goto(viewer.url + path);
  await page.locator(shown).first().waitFor();
  await page.locator('.status-bar', { hasText: 'span' }).waitFor();
  const file = join(images, `viewer-${name}.png`);
  await page.screenshot({ path: file });
  console.log(file);
  await context.close();
}

function program(name: string): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, name));
      return join(folder, name);
    } catch {
      // Not in this folder.
    }
  }
  throw new Error(`${name} is not on PATH: apt-get install ${name}`);
}
