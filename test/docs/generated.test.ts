import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { SETTINGS } from '../../instrumentation/config.ts';
import { ERROR_CODES } from '../../instrumentation/errors.ts';
import { LIBRARIES } from '../../instrumentation/libraries/index.ts';
import { METRICS } from '../../instrumentation/names.ts';
import { table } from '../../scripts/generate/markdown.ts';
import { PAGES } from '../../scripts/generate/pages.ts';

const docs = join(import.meta.dirname, '../../docs');

for (const [name, make] of Object.entries(PAGES)) {
  test(`docs/${name} is what \`npm run generate\` writes`, () => {
    assert.equal(readFileSync(join(docs, name), 'utf8'), make(), 'run: npm run generate');
    assert.match(make(), /^<!-- Generated from (instrumentation|dashboards|alerts)\/\S+ by `npm run generate`/);
  });
}

/** How often a name stands in code letters in a table's first column. */
function rows(page: string, name: string): number {
  return page.split('\n').filter((line) => line.startsWith(`| \`${name}\` |`)).length;
}

test('every setting, metric and library has one row, every error code one section', () => {
  for (const { env } of Object.values(SETTINGS)) assert.equal(rows(PAGES['configuration.md'](), env), 1, env);
  for (const { name } of Object.values(METRICS)) assert.equal(rows(PAGES['metrics.md'](), name), 1, name);
  for (const { name } of LIBRARIES) assert.equal(rows(PAGES['libraries.md'](), name), 1, name);
  for (const code of Object.keys(ERROR_CODES)) assert.equal(PAGES['errors.md']().split(`\n## ${code}\n`).length, 2, code);
});

test('every library says what it gives', () => {
  for (const { name, gives } of LIBRARIES) assert.match(gives ?? '', /^[A-Z].*\.$/, name);
});

test('a cell cannot break its table', () => {
  assert.equal(table(['a'], [['x | y\n  z']]).split('\n')[2], '| x \\| y z |');
});
