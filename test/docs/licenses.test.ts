import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { build } from 'esbuild';
import { isAllowed, thirdPartyLicenses } from '../../scripts/licenses.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'licenses-')));
after(() => rmSync(root, { recursive: true, force: true }));

function file(path: string, content: string | object): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

function pack(name: string, license: string | undefined, texts: Readonly<Record<string, string>>): void {
  file(`node_modules/${name}/package.json`, { name, version: '1.0.0', license, main: 'index.js' });
  file(`node_modules/${name}/index.js`, `export default '${name}'; export const unused = 1;`);
  for (const [path, text] of Object.entries(texts)) file(`node_modules/${name}/${path}`, text);
}

pack('one', 'MIT', { LICENSE: 'MIT of many\r\n' });
pack('@two/two', 'MIT', { 'license.md': 'MIT of many\n' });
pack('apache', '(Apache-2.0 OR GPL-3.0)', { LICENSE: 'Apache text', 'NOTICE.txt': 'made by us' });
pack('copyleft', 'GPL-3.0', { LICENSE: 'GPL text' });
pack('textless', 'MIT', {});
pack('nameless', undefined, { LICENSE: 'some text' });

/** Bundles code that imports packages, and prints what it got of them. */
async function bundle(...names: string[]) {
  const entry = names.map((name, index) => `import p${index} from '${name}'; console.log(p${index});`).join('\n');
  file('entry.js', entry);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['entry.js'],
    bundle: true,
    write: false,
    metafile: true,
    outfile: 'out.js',
  });
  return metafile;
}

test('every bundled package stands there with its licence and notice, the same text once', async () => {
  const text = thirdPartyLicenses(root, [await bundle('one', '@two/two'), await bundle('apache', 'one')]);
  assert.match(text, /@two\/two 1\.0\.0 \(MIT\)\none 1\.0\.0 \(MIT\)\n\nMIT of many\n/);
  assert.match(text, /apache 1\.0\.0 \(\(Apache-2\.0 OR GPL-3\.0\)\)\n\nApache text\n\nmade by us\n/);
  assert.equal(text.split('MIT of many').length, 2);
});

test('the order of bundles does not matter', async () => {
  const [a, b] = [await bundle('one', 'apache'), await bundle('@two/two')];
  assert.equal(thirdPartyLicenses(root, [a, b]), thirdPartyLicenses(root, [b, a]));
});

test('a licence that is not allowed, none at all, or no text stops the build, all named at once', async () => {
  const metafile = await bundle('one', 'copyleft', 'textless', 'nameless');
  assert.throws(
    () => thirdPartyLicenses(root, [metafile]),
    /copyleft 1\.0\.0: GPL-3\.0 is not on the list.*\nnameless 1\.0\.0: no licence named.*\ntextless 1\.0\.0: it has no licence text/,
  );
});

test('the built package has the licences of what the preload, its threads and the viewer are made of', () => {
  const text = readFileSync(join(import.meta.dirname, '../../dist/THIRD_PARTY_LICENSES.txt'), 'utf8');
  for (const name of ['@opentelemetry/sdk-node', 'pino-opentelemetry-transport', 'preact', 'prom-client'])
    assert.match(text, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'));
});

test('expressions of licences', () => {
  for (const good of ['MIT', '(MIT OR GPL-2.0)', '(MIT AND Apache-2.0)', 'BlueOak-1.0.0'])
    assert.equal(isAllowed(good), true, good);
  for (const bad of ['GPL-3.0', '(MIT AND GPL-2.0)', 'SEE LICENSE IN x', 'UNLICENSED', ''])
    assert.equal(isAllowed(bad), false, bad);
});
