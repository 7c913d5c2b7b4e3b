import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { suite, test } from 'node:test';
import { COMPOSE, ROOT, readCompose, readYaml, stackEnv, variablesOf } from '../support/compose.ts';

const DOCS = join(ROOT, 'docs');
const PAGES = ['stack.md', 'vendors.md', 'sampling.md'];
const text = Object.fromEntries(PAGES.map((page) => [page, readFileSync(join(DOCS, page), 'utf8')]));
const all = Object.values(text).join('\n');
const overlays = globSync('overlays/*.yaml', { cwd: COMPOSE });

suite('the guide to the stack', () => {
  for (const page of PAGES) {
    test(`${page}: every file that it links to exists`, () => {
      for (const [, link] of text[page].matchAll(/\]\(([^)#]+)\)/g))
        if (!link.startsWith('http')) assert.ok(existsSync(resolve(DOCS, link)), link);
    });

    test(`${page}: every file of the stack that it names exists`, () => {
      const names = [...text[page].matchAll(/(?:compose\/)?((?:overlays|receivers)\/[\w-]+\.ya?ml)/g)].map(([, name]) => name);
      for (const name of names)
        assert.ok(existsSync(join(COMPOSE, name)) || existsSync(join(COMPOSE, 'alertmanager', name)), name);
    });
  }

  test('names every overlay', () => {
    for (const overlay of overlays) assert.ok(all.includes(basename(overlay)), overlay);
  });

  test('names variables that there are', () => {
    const asked = ['compose.yaml', ...overlays].flatMap((file) => variablesOf(readFileSync(join(COMPOSE, file), 'utf8')));
    const known = new Set([...Object.keys(stackEnv()), ...asked, 'COMPOSE_FILE']);
    const named = all.matchAll(
      /`((?:[A-Z0-9]+_)+(?:PORT|ADDRESS|RETENTION\w*|MEMORY|IMAGE|CONFIG|PERCENTAGE|MS|WAIT|SITE|FILE|DIR))\b[^`]*`/g,
    );
    const unknown = [...named].map(([, name]) => name).filter((name) => !known.has(name));
    assert.deepEqual(unknown, []);
  });

  test('names every port that is open, with its variable', () => {
    const { services } = readYaml(join(COMPOSE, 'compose.yaml'));
    const published = Object.entries(readCompose().services).filter(([, { profiles }]) => !profiles);
    for (const [name, { ports = [] }] of published) {
      for (const [index, port] of ports.entries()) {
        assert.ok(text['stack.md'].includes(port.split(':')[1]), `${name}: ${port}`);
        const variable = variablesOf(services[name].ports[index])[1];
        assert.ok(text['stack.md'].includes(`\`${variable}\``), variable);
      }
    }
  });

  test('says what is kept as .env says it', () => {
    const env = stackEnv();
    assert.equal(env.PROMETHEUS_RETENTION_TIME, '7d');
    assert.match(text['stack.md'], /metrics\s+\| 7 days, or 8 GB/);
    assert.equal(env.PROMETHEUS_RETENTION_SIZE, '8GB');
    assert.deepEqual([env.LOKI_RETENTION, env.TEMPO_RETENTION], ['72h', '72h']);
    for (const kind of ['logs', 'traces']) assert.match(text['stack.md'], new RegExp(`${kind}\\s+\\| 72 hours`));
  });

  test('names the secret of each receiver', () => {
    for (const file of globSync('alertmanager/receivers/*.yml', { cwd: COMPOSE })) {
      const secret = /_file: \/run\/secrets\/(\w+)/.exec(readFileSync(join(COMPOSE, file), 'utf8'))?.[1];
      assert.match(text['stack.md'], new RegExp(`receivers/${basename(file)}\`\\s+\\| \`${secret}\``));
    }
  });
});
