import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { loadConfig, SETTINGS } from '../../instrumentation/config.ts';
import { ERROR_CODES } from '../../instrumentation/errors.ts';
import { reasonNotToStart } from '../../instrumentation/guard.ts';

const root = join(import.meta.dirname, '../..');
const codes = Object.keys(ERROR_CODES);

/** What stands before the first colon of messages, where it has the form of a code: file to names. */
const said = globSync('{instrumentation,viewer,cli}/**/*.{ts,tsx}', { cwd: root })
  .filter((file) => file !== 'instrumentation/errors.ts')
  .flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/['"`](O11Y_[A-Z_]+): /g)].map(([, name]) => ({ file, name })),
  );

test('every error code begins a message of the kit', () => {
  assert.deepEqual(
    codes.filter((code) => !said.some(({ name }) => name === code)),
    [],
  );
});

test('a message begins with no code that is not in the table', () => {
  const settings = Object.values(SETTINGS).map(({ env }) => env);
  assert.deepEqual(
    said.filter(({ name }) => !codes.includes(name) && !settings.includes(name)),
    [],
  );
});

test('no code has the name of a setting', () => {
  const settings: string[] = Object.values(SETTINGS).map(({ env }) => env);
  assert.deepEqual(
    codes.filter((code) => settings.includes(code)),
    [],
  );
});

test('a bad setting and a refused start say their codes', () => {
  const { problems } = loadConfig({ O11Y_MAX_SERIES: 'many' });
  assert.match(problems[0].message, /^O11Y_BAD_SETTING: O11Y_MAX_SERIES: "many" is not allowed/);

  const process = { version: 'v24.0.0', entry: '/app/server.js', main: true, internal: false, started: false };
  assert.equal(reasonNotToStart(process), undefined);
  assert.match(reasonNotToStart({ ...process, started: true }) ?? '', /^O11Y_ALREADY_STARTED: /);
  for (const version of ['v18.20.8', 'v20.5.1'])
    assert.match(reasonNotToStart({ ...process, version }) ?? '', /^O11Y_UNSUPPORTED_NODE: Node\.js v/);
  assert.equal(reasonNotToStart({ ...process, version: 'v20.6.0' }), undefined);
});
