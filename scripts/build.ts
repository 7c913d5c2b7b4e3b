import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { thirdPartyLicenses } from './licenses.ts';
import { npx, root } from './tools.ts';

const dist = join(root, 'dist');

// sdk-node imports every exporter there is. The kit exports in a thread of its own with two of them, so these never run;
// without this they would be three quarters of what a process reads at start.
const NEVER_USED =
  /^(@opentelemetry\/(configuration|sdk-metrics|exporter-(trace|logs|metrics)-otlp-grpc|exporter-zipkin|exporter-prometheus|otlp-grpc-exporter-base|exporter-(trace|logs|metrics)-otlp-(http|proto)))$/;

// The log transport can also send over gRPC, which the kit never asks it for; it would be more than half of the thread's file.
const GRPC = /^@opentelemetry\/exporter-logs-otlp-grpc$/;

// For a detector that is switched off; Node's module takes a megabyte.
const CRYPTO = /^crypto$/;

/** Leaves packages out where this importer asks for them. */
function leaveOut(packages: RegExp, importedBy: RegExp): Plugin {
  return {
    name: 'leave out what never runs',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: packages }, ({ path, importer }) =>
        importedBy.test(importer) ? { path, namespace: 'unused' } : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({
        contents: `module.exports = new Proxy({}, { get(_, key) { if (key === '__esModule') return true; return function unused() { throw new Error(${JSON.stringify(`${path} is not part of the preload`)}); }; } });`,
        loader: 'js',
      }));
    },
  };
}

// The hooks that official instrumentations would install for themselves. The kit finds libraries with a hook of its own and
// hands them over, so that two hooks never stand in one another's way and `require` costs an app nothing more.
const OTHER_HOOKS = /^(require|import)-in-the-middle$/;

const noHooks: Plugin = {
  name: 'official instrumentations install no hooks',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: OTHER_HOOKS }, ({ path }) => ({ path, namespace: 'no-hooks' }));
    onLoad({ filter: /.*/, namespace: 'no-hooks' }, () => ({
      contents: 'export class Hook { unhook() {} }',
      loader: 'js',
    }));
  },
};

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const define = { O11Y_KIT_VERSION: JSON.stringify(version) };

const common: BuildOptions = {
  define,
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.6',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  mainFields: ['module', 'main'],
};
const cjs: BuildOptions = {
  ...common,
  format: 'cjs',
  define: { ...define, 'import.meta.url': '__url' },
  banner: { js: "'use strict';const __url=require('node:url').pathToFileURL(__filename).href;" },
};
const esm: BuildOptions = {
  ...common,
  format: 'esm',
  banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
};

/**
 * Of a thread that sends. OpenTelemetry's exporters say `import('http')`, and a module of Node that is imported has all its
 * exports read, `http.WebSocket` too, for which Node loads undici, TLS and HTTP/2: 6.5 MB. As `require` it loads itself only.
 */
const thread: BuildOptions = { ...cjs, supported: { 'dynamic-import': false } };

/** Output file to entry file and options. */
const BUNDLES: Record<string, BuildOptions> = {
  'preload.mjs': { ...common, format: 'esm', entryPoints: ['instrumentation/preload.ts'], external: ['./kit.cjs'] },
  'preload.cjs': { ...cjs, entryPoints: ['instrumentation/preload.ts'], external: ['./kit.cjs'] },
  'kit.cjs': {
    ...cjs,
    entryPoints: ['instrumentation/start.ts'],
    plugins: [leaveOut(NEVER_USED, /[\\/]@opentelemetry[\\/]sdk-node[\\/]/)],
    external: ['pino-pretty'],
  },
  'instrumentations.cjs': {
    ...cjs,
    entryPoints: ['instrumentation/libraries/official-classes.ts'],
    plugins: [noHooks],
  },
  'worker.cjs': {
    ...thread,
    entryPoints: ['instrumentation/export/worker.ts'],
    plugins: [leaveOut(GRPC, /[\\/]pino-opentelemetry-transport[\\/]/), leaveOut(CRYPTO, /ServiceInstanceIdDetector/)],
  },
  'metrics-worker.cjs': { ...thread, entryPoints: ['instrumentation/metrics/push-worker.ts'] },
  'index.mjs': { ...common, format: 'esm', entryPoints: ['instrumentation/index.ts'] },
  'index.cjs': { ...cjs, entryPoints: ['instrumentation/index.ts'] },
  'testing.mjs': { ...esm, entryPoints: ['viewer/testing.ts'] },
  'testing.cjs': { ...cjs, entryPoints: ['viewer/testing.ts'] },
  'cli.mjs': { ...esm, entryPoints: ['cli/main.ts'] },
};

/** The viewer's page, served from memory as three files; for browsers of the last two years. */
const page: BuildOptions = {
  absWorkingDir: root,
  entryPoints: ['viewer/page/main.tsx', 'viewer/page/page.css', 'viewer/page/page.html'],
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  loader: { '.html': 'copy' },
  entryNames: 'page',
  outdir: join(dist, 'viewer'),
  legalComments: 'none',
  logLevel: 'warning',
};

/** Bundles everything that is published into dist/. */
export async function buildAll({ types = true, clean = false } = {}): Promise<void> {
  if (clean) rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  const present = Object.entries(BUNDLES).filter(([, options]) => existsSync(join(root, (options.entryPoints as string[])[0])));
  // All end before one that fails is told, so that no half-made file stays behind.
  const results = await Promise.allSettled([
    build({ ...page, metafile: true }).then(({ metafile }) => metafile),
    ...present.map(([file, options]) => bundle(join(dist, file), options)),
  ]);
  const metafiles = results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
  writeFileSync(join(dist, 'THIRD_PARTY_LICENSES.txt'), thirdPartyLicenses(root, metafiles));
  if (existsSync(join(dist, 'cli.mjs'))) chmodSync(join(dist, 'cli.mjs'), 0o755);
  if (types && npx('tsc', ['-p', 'tsconfig.types.json']) !== 0) process.exitCode = 1;
}

/** Replaces the file at once, so that an app which starts meanwhile reads the old one or the new one. */
async function bundle(outfile: string, options: BuildOptions): Promise<Metafile> {
  const unfinished = `${outfile}.${process.pid}`;
  const { metafile } = await build({ ...options, outfile: unfinished, metafile: true });
  renameSync(unfinished, outfile);
  return metafile;
}

if (import.meta.main) await buildAll({ clean: process.argv.includes('--clean') });
