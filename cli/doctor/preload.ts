import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Manifest } from '../../instrumentation/libraries/packages.ts';
import { type Finding, findings } from './finding.ts';
import { find } from './installed.ts';

const { ok, note, problem } = findings('Preload');

const COMMAND = 'node --import o11y-kit/preload <entry file>';

/** Whether `--import o11y-kit/preload` works from a folder, and whether the app is started with it. */
export function preloadOf(
  folder: string,
  manifest: Manifest | undefined,
  missing: readonly string[],
  nodeOptions: string,
): Finding[] {
  return [
    reachable(folder),
    ...(manifest === undefined
      ? [note('package.json', 'there is none: the service has no name.', 'Set OTEL_SERVICE_NAME.')]
      : [use(manifest, nodeOptions)]),
    ...missing.map((name) =>
      problem(
        name,
        'package.json names it, but it is not installed.',
        'Run npm install (or what the project uses in its place).',
      ),
    ),
  ];
}

function reachable(folder: string): Finding {
  try {
    createRequire(join(folder, 'app.js')).resolve('o11y-kit/preload');
  } catch (error) {
    const installed = find(folder, 'o11y-kit');
    if (installed !== undefined)
      return problem('o11y-kit', `is installed, but has no preload: ${(error as Error).message}`, 'Install it anew.');
    return problem('o11y-kit', 'is not installed in reach of this folder: --import would fail.', 'Run: npm install o11y-kit');
  }
  const version = find(folder, 'o11y-kit')?.manifest.version;
  return ok(version === undefined ? 'o11y-kit' : `o11y-kit ${version}`, '--import o11y-kit/preload is found from here');
}

function use(manifest: Manifest, nodeOptions: string): Finding {
  const preloads = (text: unknown) => /o11y-kit(\/preload|\/dist\/preload\.[cm]js| run\b)/.test(String(text));
  if (preloads(nodeOptions)) return ok('NODE_OPTIONS', 'names the preload');
  const { scripts = {} } = manifest as { scripts?: Record<string, unknown> };
  const names = Object.keys(scripts).filter((name) => preloads(scripts[name]));
  if (names.length > 0) return ok('scripts', `${names.join(', ')}: started with the preload`);
  return note(
    'scripts',
    'none of package.json starts with the preload, nor does NODE_OPTIONS name it.',
    `Start with: ${COMMAND}`,
  );
}
