import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfig } from '../../instrumentation/config.ts';
import type { Kit } from '../../instrumentation/kit.ts';
import { LIBRARIES, startLibraries } from '../../instrumentation/libraries/index.ts';
import { appRequire } from '../frameworks/harness.ts';
import { recorder, setup } from '../metrics/setup.ts';

/** Package to the library that wires it. */
const ROWS: Readonly<Record<string, string>> = {
  opossum10: 'opossum',
  cockatiel3: 'cockatiel',
  'express-rate-limit8': 'express-rate-limit',
  'rate-limiter-flexible11': 'rate-limiter-flexible',
  openai7: 'openai',
  '@anthropic-ai/sdk': '@anthropic-ai/sdk',
  '@openfeature/server-sdk': 'openfeature',
  axios: 'axios',
  'p-retry4': 'retry',
};

/** Every property of every class that a package exports, and of what those classes are made from. */
function look(exports: any): Map<object, Record<string, PropertyDescriptor>> {
  const seen = new Map<object, Record<string, PropertyDescriptor>>();
  const add = (value: any) => {
    for (let at = value; at && at !== Object.prototype && at !== Function.prototype; at = Object.getPrototypeOf(at)) {
      if (!seen.has(at)) seen.set(at, Object.getOwnPropertyDescriptors(at) as Record<string, PropertyDescriptor>);
    }
  };
  for (const value of [exports, ...Object.values(exports)]) {
    if (typeof value === 'function') add(value.prototype);
  }
  if (exports.OpenFeature) add(exports.OpenFeature);
  if (exports.operation) add(Object.getPrototypeOf(exports.operation({ retries: 0 })));
  return seen;
}

const differ = (before: ReturnType<typeof look>, after: ReturnType<typeof look>) =>
  [...before].filter(([key, properties]) => {
    const now = after.get(key) ?? {};
    const names = new Set([...Object.keys(properties), ...Object.keys(now)]);
    return [...names].some((name) => properties[name]?.value !== now[name]?.value && name !== '_hooks');
  }).length;

describe('what a library has changed', () => {
  for (const [name, library] of Object.entries(ROWS)) {
    it(`${name}: is as before when the kit has stopped, and works again when it starts again`, () => {
      const wanted = LIBRARIES.filter((each) => each.name === library);
      const loaded = appRequire(name === 'p-retry4' ? 'retry' : name);
      const exports = name === 'openai7' ? { ...loaded, APIClient: loaded.OpenAI } : loaded;
      const { metrics } = setup();
      const diagnostics = recorder();
      const kit = { config: loadConfig({}).config, metrics, diagnostics } as unknown as Kit;
      const before = look(exports);
      for (let round = 0; round < 2; round++) {
        const libraries = startLibraries(kit, wanted, { entry: appRequire.resolve('./package.json') });
        assert.equal(libraries.wired().length, 1);
        assert.ok(differ(before, look(exports)) > 0, 'nothing was wired');
        libraries.stop();
        assert.equal(differ(before, look(exports)), 0);
      }
      assert.deepEqual(diagnostics.lines, []);
    });
  }
});
