import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { startViewerServer, type Viewer } from '../../viewer/viewer.ts';
import { findProgram } from '../support/needs.ts';

const root = join(import.meta.dirname, '../..');

/** Quiet, without network of its own, without a sandbox that containers do not allow. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'];

export interface Opened extends AsyncDisposable {
  readonly viewer: Viewer;
  readonly page: Page;
  /** Errors of the page's script and of its security policy, answers of 500 and above, and dialogs. */
  readonly faults: string[];
  /** Another window on the same viewer. */
  open(options?: BrowserContextOptions): Promise<Page>;
}

/** A viewer with the built page, and Chromium showing it. */
export async function openPage(path = '/', options: BrowserContextOptions = {}): Promise<Opened> {
  const viewer = await startViewerServer({ port: 0, version: 'test', assets: join(root, 'dist/viewer'), scrapeIntervalMs: 1000 });
  const faults: string[] = [];
  let browser: Browser | undefined;
  try {
    browser = await launch();
    const open = async (context: BrowserContextOptions = {}) => {
      const page = await (await browser!.newContext({ viewport: { width: 1280, height: 800 }, ...context })).newPage();
      page.setDefaultTimeout(20_000);
      page.on('pageerror', (error) => faults.push(`script: ${error.stack}`));
      page.on('dialog', (dialog) => {
        faults.push(`dialog: ${dialog.message()}`);
        dialog.dismiss().catch(() => {});
      });
      page.on('console', (message) => {
        // A trace that has not arrived is asked for, and answered with 404: that is how it is meant.
        if (message.type() === 'error' && !message.text().includes('404')) faults.push(`console: ${message.text()}`);
      });
      return page;
    };
    const page = await open(options);
    await page.goto(viewer.url + path);
    return {
      viewer,
      page,
      faults,
      open,
      async [Symbol.asyncDispose]() {
        await browser!.close();
        await viewer.close();
      },
    };
  } catch (error) {
    await browser?.close();
    await viewer.close();
    throw error;
  }
}

/** Debian's Chromium, with an empty profile. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: findProgram('chromium'), headless: true, args: FLAGS });
}
