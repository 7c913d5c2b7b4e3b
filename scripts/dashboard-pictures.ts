/**
 * Takes the pictures of the dashboards in docs/images/dashboards: real services in trouble, the dashboards' own queries, and a
 * page in Chromium that puts each panel where the JSON says. It is a drawing of our own and says so: Grafana looks different.
 *
 * `node scripts/dashboard-pictures.ts [--seconds 60]`, after `npm run build`. With Loki, Tempo and the collector on PATH the
 * panels about logs and traces are drawn too; without them they say what is missing.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { describeDashboard } from '../dashboards/parts/describe.ts';
import { needsBackends, startBackends } from '../test/compose/backends.ts';
import { everything } from '../test/dashboards/queries.ts';
import { playScene } from '../test/dashboards/scene.ts';
import { findProgram } from '../test/support/needs.ts';
import { collect } from './dashboard-pictures/collect.ts';
import { indexed } from './dashboard-pictures/indexed-png.ts';
import { root } from './tools.ts';

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const folder = join(root, 'docs/images/dashboards');
const source = join(root, 'scripts/dashboard-pictures');

await using backends = needsBackends ? undefined : await startBackends();
if (needsBackends) console.log(`Logs and traces are left out: ${needsBackends}`);
console.log('Services run, first well, then not …');
await using scene = await playScene({
  seconds: Number(options.seconds),
  // A machine that is busy with the scene answers no scrape within one second.
  scrapeInterval: 2,
  ...(backends && {
    endpoint: backends.collector.url,
    // The collector dies, and comes back so late that some of what it was sent is given up.
    refuse: () =>
      void backends.collector
        .kill()
        .then(() => sleep(15_000))
        .then(() => backends.collector.restart()),
  }),
});
// What is on its way to the stores arrives.
await sleep(10_000);

const values = {
  ...everything(scene),
  service: '.+',
  service_name: ['gateway', 'orders', 'payments', 'shop', 'workshop'],
  level: '.*',
  search: '',
  id: '',
  __auto: '5s',
};
const script = await build({
  entryPoints: [join(source, 'page.js')],
  bundle: true,
  write: false,
  format: 'iife',
  nodePaths: [join(root, 'node_modules')],
});
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: findProgram('chromium'), args: ['--no-sandbox', '--disable-gpu'] });
try {
  for (const json of globSync('dashboards/json/o11y-*.json', { cwd: root })) {
    const dashboard = JSON.parse(readFileSync(join(root, json), 'utf8'));
    const { uid, title, description } = describeDashboard(dashboard);
    const drawn = await collect(dashboard, scene, values, backends);
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto(`file://${join(source, 'page.html')}`);
    await page.addStyleTag({ path: join(root, 'node_modules/uplot/dist/uPlot.min.css') });
    await page.addScriptTag({ content: script.outputFiles[0].text });
    const all = { title, description, drawn, from: scene.healthy.start, to: scene.faulty.end };
    await page.evaluate((what) => (globalThis as any).draw(what), all);
    const file = join(folder, `${uid}.png`);
    writeFileSync(file, indexed(await page.screenshot({ fullPage: true })));
    console.log(file);
    await page.close();
  }
} finally {
  await browser.close();
}
