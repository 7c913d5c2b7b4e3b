import assert from 'node:assert/strict';
import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { defineLibrary, isExports, type Library } from '../../instrumentation/libraries/define.ts';
import { startLibraries } from '../../instrumentation/libraries/index.ts';
import { kitForLibraries } from './harness.ts';
import { cleanUpAfterEach, type Files, makeApp, stopAfterwards } from './made-app.ts';

type Greeter = { greet(): string };

function greeter(folder: string, version: string, name = 'greeter'): Files {
  return {
    [`node_modules/${folder}/package.json`]: JSON.stringify({ name, version, main: './main.js' }),
    [`node_modules/${folder}/main.js`]: 'exports.greet = () => "hello";',
    [`node_modules/${folder}/other.js`]: 'exports.unlike = true;',
  };
}

/** A library of the tests: marks what `greet` says, so that each wiring shows. */
function greeterLibrary(wire?: Library<Greeter>['wire']): Library {
  return defineLibrary<Greeter>({
    name: 'greeter',
    packages: { greeter: '>=1.0.0 <3.0.0' },
    accepts: (exports): exports is Greeter => isExports(exports) && typeof exports.greet === 'function',
    wire:
      wire ??
      ((exports) => {
        const { greet } = exports;
        exports.greet = () => `${greet()}!`;
        return () => {
          exports.greet = greet;
        };
      }),
  });
}

describe('the hook of require', () => {
  cleanUpAfterEach();
  let kit: ReturnType<typeof kitForLibraries>;
  beforeEach(() => {
    kit = kitForLibraries();
  });
  const start = (entry: string, library = greeterLibrary()) => {
    const libraries = startLibraries(kit.kit, [library], { entry });
    stopAfterwards(libraries.stop);
    return libraries;
  };

  it('wires a package once, however often and from wherever it is required', () => {
    const entry = makeApp({ ...greeter('greeter', '2.1.0'), 'lib/a.js': 'module.exports = require("greeter");' });
    const libraries = start(entry);
    const require = createRequire(entry);
    assert.equal(require('greeter').greet(), 'hello!');
    assert.equal(require('greeter').greet(), 'hello!');
    assert.equal(require('./lib/a.js').greet(), 'hello!');
    assert.deepEqual(libraries.wired(), [{ library: 'greeter', name: 'greeter', version: '2.1.0' }]);
  });

  it('sees a CommonJS package that an ES module imports', async () => {
    const entry = makeApp({ ...greeter('greeter', '2.1.0'), 'app.mjs': 'export { default } from "greeter";' });
    start(entry);
    const { default: imported } = await import(pathToFileURL(join(dirname(entry), 'app.mjs')).href);
    assert.equal(imported.greet(), 'hello!');
  });

  it('wires each copy for itself', () => {
    const entry = makeApp({
      ...greeter('greeter', '2.1.0'),
      ...Object.fromEntries(Object.entries(greeter('greeter', '1.0.5')).map(([path, text]) => [`node_modules/x/${path}`, text])),
      'node_modules/x/index.js': 'module.exports = require("greeter");',
    });
    const libraries = start(entry);
    const require = createRequire(entry);
    const [outer, inner] = [require('greeter'), require('x')];
    assert.notEqual(outer, inner);
    assert.deepEqual([outer.greet(), inner.greet()], ['hello!', 'hello!']);
    assert.deepEqual(
      libraries.wired().map(({ version }) => version),
      ['2.1.0', '1.0.5'],
    );
  });

  it('knows a package under the name that the app installs it by', () => {
    const entry = makeApp({
      'package.json': '{"dependencies":{"hi":"npm:greeter@^2.0.0","@my/hi":"npm:greeter@1"}}',
      ...greeter('hi', '2.0.0'),
      ...greeter('@my/hi', '1.0.0'),
    });
    start(entry);
    const require = createRequire(entry);
    assert.equal(require('hi').greet(), 'hello!');
    assert.equal(require('@my/hi').greet(), 'hello!');
  });

  it('leaves another package alone that is installed under a name it knows', () => {
    const entry = makeApp(greeter('greeter', '2.0.0', 'something-else'));
    const libraries = start(entry);
    assert.equal(createRequire(entry)('greeter').greet(), 'hello');
    assert.deepEqual(libraries.wired(), []);
  });

  it('leaves a version alone that it does not support, and says so once at debug level', () => {
    const entry = makeApp(greeter('greeter', '3.0.0'));
    start(entry);
    const require = createRequire(entry);
    assert.equal(require('greeter').greet(), 'hello');
    assert.equal(require('greeter').greet(), 'hello');
    assert.equal(kit.messages.debug.length, 1);
    assert.match(kit.messages.debug[0], /^greeter 3\.0\.0 is left alone: >=1\.0\.0 <3\.0\.0 is supported/);
    assert.deepEqual(kit.messages.warn, []);
  });

  it('leaves deep imports alone, and wires the entry when it comes', () => {
    const entry = makeApp(greeter('greeter', '2.0.0'));
    const libraries = start(entry);
    const require = createRequire(entry);
    assert.deepEqual(require(join(dirname(entry), 'node_modules/greeter/other.js')), { unlike: true });
    assert.deepEqual(libraries.wired(), []);
    assert.equal(require('greeter').greet(), 'hello!');
  });

  it('waits until a package that is required in a cycle is whole, without looking into it', async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => void warnings.push(warning.message);
    process.on('warning', note);
    const entry = makeApp({
      ...greeter('greeter', '2.0.0'),
      'node_modules/greeter/main.js': 'exports.early = require("peer"); exports.greet = () => "hello";',
      'node_modules/peer/index.js': 'module.exports = Object.keys(require("greeter")).length;',
    });
    start(entry);
    const exports = createRequire(entry)('greeter');
    assert.equal(exports.early, 0);
    assert.equal(exports.greet(), 'hello!');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    assert.deepEqual(warnings, []);
  });

  it('lets the app have the package where wiring throws, and says it in one line', () => {
    const entry = makeApp(greeter('greeter', '2.0.0'));
    const libraries = start(
      entry,
      greeterLibrary(() => {
        throw new Error('no such method');
      }),
    );
    const require = createRequire(entry);
    assert.equal(require('greeter').greet(), 'hello');
    assert.equal(require('greeter').greet(), 'hello');
    assert.equal(kit.messages.warn.length, 1);
    assert.match(kit.messages.warn[0], /greeter 2\.0\.0 could not be wired: no such method\. The app goes on/);
    assert.deepEqual(libraries.wired(), []);
  });

  it('hands on what loading throws', () => {
    const entry = makeApp({ 'node_modules/greeter/index.js': 'throw new TypeError("broken package");' });
    start(entry);
    const require = createRequire(entry);
    assert.throws(() => require('greeter'), { name: 'TypeError', message: 'broken package' });
    assert.throws(() => require('not-there'), { code: 'MODULE_NOT_FOUND' });
  });

  it('wires a package without a package.json to read a version from', () => {
    const entry = makeApp({ 'node_modules/greeter/index.js': 'exports.greet = () => "hello";' });
    const libraries = start(entry);
    assert.equal(createRequire(entry)('greeter').greet(), 'hello!');
    assert.deepEqual(libraries.wired(), [{ library: 'greeter', name: 'greeter', version: undefined }]);
  });

  it('wires what was loaded before it started', () => {
    const entry = makeApp(greeter('greeter', '2.0.0'));
    const exports = createRequire(entry)('greeter');
    start(entry);
    assert.equal(exports.greet(), 'hello!');
  });

  it('takes everything back when it is stopped, and can start again', () => {
    const before = (Module as any)._load;
    const entry = makeApp(greeter('greeter', '2.0.0'));
    const exports = createRequire(entry)('greeter');
    for (let round = 0; round < 3; round++) {
      const libraries = start(entry);
      assert.equal(exports.greet(), 'hello!');
      libraries.stop();
      assert.equal(exports.greet(), 'hello');
      assert.equal((Module as any)._load, before);
    }
  });

  it('stays out of the way when it is stopped below another hook', () => {
    const entry = makeApp(greeter('greeter', '2.0.0'));
    const original = (Module as any)._load;
    const libraries = start(entry);
    const ours = (Module as any)._load;
    const theirs = function (this: unknown, ...args: unknown[]) {
      return Reflect.apply(ours, this, args);
    };
    (Module as any)._load = theirs;
    libraries.stop();
    assert.equal((Module as any)._load, theirs);
    assert.equal(createRequire(entry)('greeter').greet(), 'hello');
    (Module as any)._load = original;
  });

  for (const [name, env, wired] of [
    ['is off when disabled', { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'other,greeter' }, false],
    ['is off when others are enabled', { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,other' }, false],
    ['is on when enabled', { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'greeter' }, true],
    [
      'is off when both',
      { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'greeter', OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'greeter' },
      false,
    ],
  ] as const) {
    it(`a library ${name}`, () => {
      kit = kitForLibraries(env);
      const entry = makeApp(greeter('greeter', '2.0.0'));
      start(entry);
      assert.equal(createRequire(entry)('greeter').greet(), wired ? 'hello!' : 'hello');
    });
  }
});
