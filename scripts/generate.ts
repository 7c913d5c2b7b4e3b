/**
 * Writes the pages of docs/ that are derived from tables in the code. The same tables give the same bytes, so a test can
 * tell a page that is out of date.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES } from './generate/pages.ts';
import { root } from './tools.ts';

mkdirSync(join(root, 'docs'), { recursive: true });
for (const [name, make] of Object.entries(PAGES)) {
  writeFileSync(join(root, 'docs', name), make());
  console.log(`docs/${name}`);
}
