/**
 * Writes the pages of docs/ that are derived from tables in the code, and the dashboards as JSON. The same tables give the same bytes, so a test can
 * tell a page that is out of date.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { alertFiles } from './generate/alerts.ts';
import { dashboardFiles } from './generate/dashboards.ts';
import { PAGES } from './generate/pages.ts';
import { root } from './tools.ts';

mkdirSync(join(root, 'docs'), { recursive: true });
for (const [name, make] of Object.entries(PAGES)) {
  writeFileSync(join(root, 'docs', name), make());
  console.log(`docs/${name}`);
}
for (const [path, text] of Object.entries(alertFiles())) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.log(path);
}
for (const [path, text] of dashboardFiles()) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.log(path);
}
