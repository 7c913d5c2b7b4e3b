import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ALERTS } from '../../alerts/index.ts';
import { DASHBOARDS } from '../../dashboards/index.ts';

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('what the README links to exists, and every page of docs/ but the generated report of a bench is linked', () => {
  for (const [, link] of readme.matchAll(/\]\(([^)#]+)\)/g))
    if (!link.startsWith('http')) assert.ok(existsSync(join(root, link)), link);
  for (const page of globSync('docs/*.md', { cwd: root }))
    if (!page.endsWith('benchmarks.md')) assert.ok(readme.includes(`](${page})`), page);
});

test('the numbers in its picture are those of the files', () => {
  const alerts = new Set(ALERTS.map(({ alert }) => alert)).size;
  assert.match(readme, new RegExp(` ${DASHBOARDS.length} dashboards, `));
  assert.match(readme, new RegExp(` ${alerts} alerts, each with a runbook`));
});

test('each way into the full stack is three lines', () => {
  const [, section] = /\n## The full stack\n([\s\S]*?)\n## /.exec(readme) ?? [];
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block.trim().split('\n').length);
  assert.deepEqual(blocks, [3, 3, 3]);
});
