import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { defineLibrary, isExports, type Library, type Undo } from '../../instrumentation/libraries/define.ts';
import { hookImport } from '../../instrumentation/libraries/esm.ts';
import { createWiring, namesFor } from '../../instrumentation/libraries/hook.ts';
import { dependenciesOf, manifestsAround } from '../../instrumentation/libraries/packages.ts';
import { kitForLibraries } from './harness.ts';
import { cleanUpAfterEach, type Files, makeApp, stopAfterwards } from './made-app.ts';

function library(ifDeclared?: readonly string[]): Library {
  return defineLibrary<{ Greeter: { marked?: boolean } }>({
    name: 'greeter',
    packages: { greeter: '>=1.0.0 <3.0.0' },
    esm: { greeter: { range: '>=2.0.0 <3.0.0', files: ['dist/index.js', 'dist/class.js'], ifDeclared } },
    accepts: (exports): exports is { Greeter: { marked?: boolean } } => isExports(exports) && 'Greeter' in exports,
    wire({ Greeter }) {
      Greeter.marked = true;
      return undefined;
    },
  });
}

function greeter(version: string, folder = 'greeter'): Files {
  return {
    [`node_modules/${folder}/package.json`]: JSON.stringify({
      name: 'greeter',
      version,
      type: 'module',
      exports: { '.': './dist/index.js', './class': './dist/class.js', './other': './dist/other.js' },
    }),
    [`node_modules/${folder}/dist/index.js`]:
      'export const Greeter = class {}; export default Greeter; // no new line at the end',
    [`node_modules/${folder}/dist/class.js`]: 'export { default as Greeter } from "./index.js"; export const own = 1;',
    [`node_modules/${folder}/dist/other.js`]: 'export const Greeter = class {};',
  };
}

/**
 * @param nodeVersion the Node.js version that the hook takes this process for, and so whether it uses synchronous hooks or
 * the loader thread
 */
export function esmCases(nodeVersion: string | undefined): void {
  cleanUpAfterEach();

  function start(entry: string, definition = library()): { undo: Undo | undefined; wired(): string[] } {
    const { kit, messages } = kitForLibraries();
    const wiring = createWiring(kit, new Map([['greeter', [definition]]]));
    const dependencies = dependenciesOf(manifestsAround(dirname(entry)));
    const names = namesFor(['greeter'], dependencies);
    const undo = hookImport(wiring, [definition], names, dirname(entry), dependencies, nodeVersion);
    stopAfterwards(() => {
      undo?.();
      assert.deepEqual(messages.warn, []);
    });
    return { undo, wired: () => wiring.wired.map(({ name, version }) => `${name} ${version}`) };
  }

  /** What an ES module of the app sees as its first statement runs. */
  async function marked(entry: string, specifier: string): Promise<boolean | undefined> {
    const url = pathToFileURL(join(dirname(entry), 'app.mjs')).href;
    return (await import(`${url}?${encodeURIComponent(specifier)}`)).marked;
  }

  const app = (specifier: string): Files => ({
    'app.mjs': `import { Greeter } from ${JSON.stringify(specifier)}; export const marked = Greeter.marked;`,
  });

  it('an ES module is wired before its importer runs', async () => {
    const entry = makeApp({ ...greeter('2.1.0'), ...app('greeter') });
    const { wired } = start(entry);
    assert.equal(await marked(entry, 'greeter'), true);
    assert.deepEqual(wired(), ['greeter 2.1.0']);
  });

  it('a further file of the package is seen too, an unlisted one is left as it is', async () => {
    const entry = makeApp({ ...greeter('2.1.0'), ...app('greeter/class') });
    start(entry);
    assert.equal(await marked(entry, 'greeter/class'), true);
    const other = makeApp({ ...greeter('2.1.0'), ...app('greeter/other') });
    start(other);
    assert.equal(await marked(other, 'greeter/other'), undefined);
  });

  it('a package that is installed under another name is known by it', async () => {
    const entry = makeApp({
      'package.json': '{"dependencies":{"@my/hi":"npm:greeter@^2.0.0"}}',
      ...greeter('2.1.0', '@my/hi'),
      ...app('@my/hi'),
    });
    start(entry);
    assert.equal(await marked(entry, '@my/hi'), true);
  });

  it('what pnpm hoists for packages of packages is in reach', () => {
    const entry = makeApp(greeter('2.1.0', '.pnpm/node_modules/greeter'));
    assert.notEqual(start(entry).undo, undefined);
  });

  it('no hook is registered where nothing needs it', () => {
    assert.equal(start(makeApp({})).undo, undefined);
    assert.equal(start(makeApp(greeter('1.9.0'))).undo, undefined);
    assert.equal(start(makeApp(greeter('3.0.0'))).undo, undefined);
    assert.equal(start(makeApp(greeter('2.0.0')), library(['its-sdk'])).undo, undefined);
  });

  it('a package that matters only beside another is watched where the app declares that', () => {
    const entry = makeApp({ ...greeter('2.0.0'), 'package.json': '{"devDependencies":{"its-sdk":"1"}}' });
    assert.notEqual(start(entry, library(['its-sdk'])).undo, undefined);
  });

  it('once taken back, it leaves later modules alone', async () => {
    const entry = makeApp({ ...greeter('2.1.0'), ...app('greeter') });
    const { undo, wired } = start(entry);
    undo?.();
    assert.equal(await marked(entry, 'greeter'), undefined);
    assert.deepEqual(wired(), []);
  });
}
