import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import test from 'node:test';

const root = join(import.meta.dirname, '../..');

// Imports point to earlier layers only; parts of one layer know nothing of each other. A part is a folder, or a file where
// instrumentation/ itself is meant.
const LAYERS: readonly (readonly string[])[] = [
  ['names', 'errors', 'error-type', 'clock', 'guard', 'redaction', 'settles', 'weak-list'],
  ['settings'],
  ['config'],
  ['diagnostics', 'ids', 'heap-limit'],
  ['resource', 'correlation', 'redact-url'],
  ['context'],
  ['export'],
  ['traces', 'metrics', 'logs', 'health'],
  ['kit'],
  ['recorders', 'ai', 'databases', 'messaging'],
  ['http', 'libraries'],
  ['admin', 'lifecycle'],
  ['start-line', 'api'],
  ['start'],
  ['preload', 'index'],
];
const RANK = new Map(LAYERS.flatMap((parts, rank) => parts.map((part) => [part, rank] as const)));

const files = globSync('{instrumentation,viewer,cli,dashboards,alerts}/**/*.{ts,tsx}', { cwd: root }).filter(
  (file) => !file.endsWith('.d.ts'),
);

function importsOf(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return [...source.matchAll(/(?:from|import|import\(|require\()\s*'(\.[^']+)'/g)].map(([, path]) =>
    relative(root, join(root, dirname(file), path)).replace(/\.cjs$/, '.ts'),
  );
}

function partOf(file: string): string {
  const [, first] = file.split('/');
  return first.replace(/\.ts$/, '');
}

test('files are found', () => {
  assert.ok(files.length > 100);
});

test('every file of instrumentation/ belongs to a layer', () => {
  const parts = new Set(files.filter((file) => file.startsWith('instrumentation/')).map(partOf));
  assert.deepEqual(
    [...parts].filter((part) => !RANK.has(part)),
    [],
  );
});

test('imports in instrumentation/ point to earlier layers', () => {
  const wrong: string[] = [];
  for (const file of files.filter((each) => each.startsWith('instrumentation/'))) {
    for (const target of importsOf(file)) {
      // preload.ts loads the built bundle of start.ts.
      if (target === 'instrumentation/kit.ts' && file === 'instrumentation/preload.ts') continue;
      if (!target.startsWith('instrumentation/')) wrong.push(`${file} → ${target}`);
      else if (partOf(target) !== partOf(file) && RANK.get(partOf(target))! >= RANK.get(partOf(file))!)
        wrong.push(`${file} → ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no file imports a library but the array of all', () => {
  const inFolder = files.filter((file) => file.startsWith('instrumentation/libraries/'));
  const libraries = new Set(inFolder.filter((file) => readFileSync(join(root, file), 'utf8').includes('= defineLibrary')));
  assert.ok(libraries.size > 30);
  const wrong = inFolder
    .filter((file) => file !== 'instrumentation/libraries/index.ts')
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => libraries.has(target))
        .map((target) => `${file} → ${target}`),
    );
  assert.deepEqual(wrong, []);
});

test('viewer, dashboards and alerts take nothing but names from instrumentation, and nothing imports cli', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const [top] = file.split('/');
    for (const target of importsOf(file)) {
      const [targetTop] = target.split('/');
      if (targetTop === 'cli' && top !== 'cli') wrong.push(`${file} → ${target}`);
      if (
        targetTop === 'instrumentation' &&
        ['viewer', 'dashboards', 'alerts'].includes(top) &&
        target !== 'instrumentation/names.ts'
      )
        wrong.push(`${file} → ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('there is no import cycle', () => {
  const graph = new Map(
    files.map((file) => [
      file,
      importsOf(file).filter((target) => files.includes(target) && !(file.endsWith('preload.ts') && target.endsWith('kit.ts'))),
    ]),
  );
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string, path: string[]): void => {
    if (state.get(file) === 'done') return;
    assert.notEqual(state.get(file), 'open', `cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
    state.set(file, 'open');
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
});

test('the environment is read in config.ts alone and in the entry of the command line', () => {
  const readers = files.filter(
    (file) =>
      /^(instrumentation|viewer|cli)\//.test(file) &&
      /process\.env\b/.test(readFileSync(join(root, file), 'utf8').replace(/\/\/.*$|\/\*[\s\S]*?\*\//gm, '')),
  );
  assert.deepEqual(
    readers.filter((file) => file !== 'instrumentation/config.ts' && file !== 'cli/main.ts'),
    [],
  );
});
