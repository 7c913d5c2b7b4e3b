/**
 * Runs the tests: `npm test` all of them, `npm test -- viewer lifecycle/exit` the files whose path holds one of the words.
 *
 * Each file is a process of its own, two at a time, with a bound on its time. A test that needs something the machine
 * lacks is skipped by name, and the list at the end says why; with `O11Y_CI=1` only Docker, Loki, Tempo, the collector and PyPI
 * may be missing.
 */
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FileResult, runTestFile } from './test-file.ts';
import { root } from './tools.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    concurrency: { type: 'string', default: '2' },
    timeout: { type: 'string', default: '300' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  console.log('npm test -- [--concurrency 2] [--timeout seconds-a-file] [--verbose] [word of a path …]');
  process.exit(0);
}

/** What needs only this process comes first, so that a mistake shows in seconds; real programs come last. */
const LAST = ['frameworks', 'lifecycle', 'admin', 'cli', 'viewer-page', 'e2e', 'programs'];
/** Wants the default ports, which the apps of other tests take and leave as they come and go. */
const ALONE = ['test/admin/ports.test.ts'];
const MAY_BE_MISSING_IN_CI = /^needs (docker|loki|tempo|collector|pypi)\b/;

const files = globSync('test/**/*.test.ts', { cwd: root, exclude: (path) => path.includes('node_modules') })
  .filter((file) => positionals.length === 0 || positionals.some((word) => file.includes(word)))
  .sort((a, b) => LAST.indexOf(area(a)) - LAST.indexOf(area(b)) || a.localeCompare(b));
if (files.length === 0) {
  console.error(`No file test/**/*.test.ts has ${positionals.map((word) => `"${word}"`).join(' or ')} in its path.`);
  process.exit(2);
}
if (!existsSync(join(root, 'dist/preload.mjs'))) {
  console.error('dist/ is missing: run `npm run build` first, or `npm test`, which does.');
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), 'o11y-kit-test-'));
const startedAt = performance.now();
const results: FileResult[] = [];
const waiting = files.filter((file) => !ALONE.includes(file));
await Promise.all(Array.from({ length: Math.max(1, Number(values.concurrency) || 1) }, worker));
waiting.push(...files.filter((file) => ALONE.includes(file)));
await worker();
rmSync(scratch, { recursive: true, force: true });
process.exitCode = summary();

async function worker(): Promise<void> {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const result = await runTestFile(file, { timeoutMs: Number(values.timeout) * 1000, scratch });
    results.push(result);
    const { passed, failed, skipped, seconds } = result;
    const counts = `${passed} passed${failed ? `, ${failed} failed` : ''}${skipped.length ? `, ${skipped.length} skipped` : ''}`;
    console.log(`${failed ? 'FAIL' : 'ok  '}  ${file}  ${counts}  ${seconds.toFixed(1)} s`);
    if (failed || values.verbose) console.log(indent(result.output));
  }
}

/** Prints what was skipped and why, what failed, and the closing line; returns the exit code. */
function summary(): number {
  const passed = sum((result) => result.passed);
  const failed = sum((result) => result.failed);
  const skipped = results.flatMap((result) => result.skipped.map(({ name, reason }) => ({ file: result.file, name, reason })));
  console.log('');
  for (const { file, name, reason } of skipped) {
    console.log(`SKIPPED: ${file} "${name}" because ${reason || 'of no reason that it gives'}`);
  }
  for (const { file } of results.filter((result) => result.failed)) console.log(`FAILED: ${file}`);
  const unwanted = process.env.O11Y_CI ? skipped.filter(({ reason }) => !MAY_BE_MISSING_IN_CI.test(reason)) : [];
  if (unwanted.length > 0) {
    console.log(
      `In CI nothing but Docker, Loki, Tempo and the collector may be missing; ${unwanted.length} skipped for another reason.`,
    );
  }
  console.log(`${files.length} files in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  return failed > 0 || unwanted.length > 0 ? 1 : 0;
}

function sum(count: (result: FileResult) => number): number {
  return results.reduce((total, result) => total + count(result), 0);
}

function area(file: string): string {
  return file.split('/')[1];
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, '      ');
}
