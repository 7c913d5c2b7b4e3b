import assert from 'node:assert/strict';
import test from 'node:test';
import type { Finding } from '../../cli/doctor/finding.ts';
import { installation } from '../../cli/doctor/installed.ts';
import { librariesOf } from '../../cli/doctor/libraries.ts';
import { nodeOf } from '../../cli/doctor/node.ts';
import { preloadOf } from '../../cli/doctor/preload.ts';
import { sdksOf } from '../../cli/doctor/sdks.ts';
import { UNWIRED } from '../../cli/doctor/unwired.ts';
import { loadConfig } from '../../instrumentation/config.ts';
import { LIBRARIES } from '../../instrumentation/libraries/index.ts';
import { app } from './doctor-app.ts';

const short = (findings: readonly Finding[]) => findings.map(({ level, subject }) => `${level} ${subject}`);
const libraries = (folder: string, env: Record<string, string> = {}) =>
  librariesOf(installation(folder).packages, loadConfig(env).config).slice(1);

test('dependencies are named with the versions that the app gets, hoisted ones too', () => {
  const folder = app({
    '.': { name: 'shop', workspaces: ['apps/*'] },
    'node_modules/express': { name: 'express', version: '5.1.0', dependencies: { router: '^2' } },
    'node_modules/router': { name: 'router', version: '2.2.0' },
    'node_modules/pino': { name: 'pino', version: '9.0.0' },
    'apps/web': { name: 'web', dependencies: { express: '*', pino: '*', old: 'npm:express@4' } },
    'apps/web/node_modules/pino': { name: 'pino', version: '8.21.0' },
    'apps/web/node_modules/old': { name: 'express', version: '4.18.0' },
  });
  assert.deepEqual(short(libraries(`${folder}/apps/web`)), [
    'ok express 5.1.0',
    'ok express 4.18.0',
    'ok router 2.2.0 of express',
    'ok pino 8.21.0',
  ]);
});

test('a folder below the app, or one whose package.json names nothing, has the dependencies above it', () => {
  const folder = app({
    '.': { name: 'shop', dependencies: { koa: '2' } },
    'node_modules/koa': { name: 'koa', version: '2.16.0' },
    services: { name: 'orders', type: 'module' },
  });
  assert.deepEqual(short(libraries(`${folder}/services`)), ['ok koa 2.16.0']);
});

test('packages behind links are found from where they really are, as pnpm lays them out', () => {
  const folder = app({
    '.': { dependencies: { '@nestjs/platform-express': '*' } },
    'node_modules/.pnpm/p/node_modules/@nestjs/platform-express': {
      name: '@nestjs/platform-express',
      version: '11.0.0',
      dependencies: { express: '*' },
    },
    'node_modules/.pnpm/p/node_modules/express': { name: 'express', version: '5.0.1' },
    'node_modules/@nestjs/platform-express': 'node_modules/.pnpm/p/node_modules/@nestjs/platform-express',
  });
  assert.deepEqual(short(libraries(folder)), ['ok express 5.0.1 of @nestjs/platform-express']);
});

test('what only the kit or a tool for development brings is not of the app', () => {
  const folder = app({
    '.': { dependencies: { 'o11y-kit': '*' }, devDependencies: { verdaccio: '*' } },
    'node_modules/o11y-kit': { name: 'o11y-kit', version: '1.0.0', dependencies: { pino: '*', '@opentelemetry/sdk-node': '*' } },
    'node_modules/pino': { name: 'pino', version: '10.0.0' },
    'node_modules/@opentelemetry/sdk-node': { name: '@opentelemetry/sdk-node', version: '0.300.0' },
    'node_modules/verdaccio': { name: 'verdaccio', version: '6.0.0', dependencies: { express: '*' } },
    'node_modules/express': { name: 'express', version: '4.21.0' },
  });
  assert.deepEqual(short(libraries(folder)), []);
  assert.deepEqual(short(sdksOf(installation(folder).packages)), ['ok none']);
});

test('a version outside the range is a problem of whoever names it, and a note below another package', () => {
  const folder = app({
    '.': { dependencies: { express: '3', tool: '1' } },
    'node_modules/express': { name: 'express', version: '3.21.2' },
    'node_modules/tool': { name: 'tool', version: '1.0.0', dependencies: { pino: '7' } },
    'node_modules/pino': { name: 'pino', version: '7.11.0' },
  });
  const [express, pino] = libraries(folder);
  assert.equal(express.level, 'problem');
  assert.match(express.text, />=4\.0\.0 <6\.0\.0/);
  assert.match(express.todo ?? '', /Install express >=4\.0\.0 <6\.0\.0, .*OTEL_NODE_DISABLED_INSTRUMENTATIONS=express/);
  assert.deepEqual(short([pino]), ['note pino 7.11.0 of tool']);
});

test('a library that is switched off is left alone, whatever its version', () => {
  const folder = app({
    '.': { dependencies: { express: '3', koa: '2' } },
    'node_modules/express': { name: 'express', version: '3.21.2' },
    'node_modules/koa': { name: 'koa', version: '2.16.0' },
  });
  const off = libraries(folder, { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'express' });
  assert.deepEqual(short(off), ['note express 3.21.2', 'ok koa 2.16.0']);
  assert.match(off[0].text, /OTEL_NODE_DISABLED_INSTRUMENTATIONS/);
  const only = libraries(folder, { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'koa' });
  assert.match(only[0].text, /OTEL_NODE_ENABLED_INSTRUMENTATIONS/);
});

test('a known package that is not wired says what is missing', () => {
  const folder = app({
    '.': { dependencies: { 'uWebSockets.js': '20' } },
    'node_modules/uWebSockets.js': { name: 'uWebSockets.js', version: '20.51.0' },
  });
  const [only] = libraries(folder);
  assert.equal(only.level, 'note');
  assert.match(only.text, /not wired: .*not seen at all/);
  for (const [name, missing] of Object.entries(UNWIRED)) assert.match(missing, /^its? /, name);
});

test('no package that is wired is said not to be', () => {
  const wired = LIBRARIES.flatMap(({ packages }) => Object.keys(packages));
  assert.deepEqual(
    Object.keys(UNWIRED).filter((name) => wired.includes(name)),
    [],
  );
});

test('a cycle of dependencies, a broken package.json and an absent optional dependency do no harm', () => {
  const folder = app({
    '.': { dependencies: { a: '1', gone: '1' }, optionalDependencies: { fsevents: '2' } },
    'node_modules/a': { name: 'a', version: '1.0.0', dependencies: { b: '1' } },
    'node_modules/b': { name: 'b', version: '1.0.0', dependencies: { a: '1', gone: '1' } },
  });
  const { packages, missing } = installation(folder);
  assert.deepEqual(packages.map(({ name }) => name).sort(), ['a', 'b']);
  assert.deepEqual(missing, ['gone']);
});

test('other telemetry is named with what happens beside it', () => {
  const dependencies = { 'dd-trace': '5', '@sentry/node': '9', old: 'npm:@sentry/node@7', '@instana/collector': '4', ai: '5' };
  const folder = app({
    '.': { dependencies },
    'node_modules/dd-trace': { name: 'dd-trace', version: '5.0.0' },
    'node_modules/@sentry/node': { name: '@sentry/node', version: '9.0.0' },
    'node_modules/old': { name: '@sentry/node', version: '7.120.0' },
    'node_modules/@instana/collector': { name: '@instana/collector', version: '4.0.0' },
    'node_modules/ai': { name: 'ai', version: '5.0.0', dependencies: { '@opentelemetry/sdk-trace-base': '2' } },
    'node_modules/@opentelemetry/sdk-trace-base': { name: '@opentelemetry/sdk-trace-base', version: '2.0.0' },
  });
  const found = sdksOf(installation(folder).packages);
  assert.deepEqual(short(found), [
    'note dd-trace 5.0.0',
    'note @sentry/node 9.0.0',
    'problem @sentry/node 7.120.0',
    'problem @instana/collector 4.0.0',
  ]);
  assert.match(found[0].text, /it makes the spans; the kit keeps to metrics/);
  assert.match(found[3].text, /both make spans/);
});

test('versions of Node.js: supported, untested, at their end, too old', () => {
  const levels = ['24.1.0', '22.15.0', '26.0.0', '22.14.0', '23.5.0', '27.0.0', '20.20.2', '20.5.0', '18.20.0'];
  assert.deepEqual(
    levels.map((version) => nodeOf(version)[0].level),
    ['ok', 'ok', 'ok', 'note', 'note', 'note', 'note', 'problem', 'problem'],
  );
});

test('the preload: absent, installed without its files, and there; and who starts with it', () => {
  const none = app({ '.': { name: 'a' } });
  assert.match(preloadOf(none, { name: 'a' }, [], '')[0].todo ?? '', /npm install o11y-kit/);

  const broken = app({ '.': { name: 'a' }, 'node_modules/o11y-kit': { name: 'o11y-kit', version: '1.2.3' } });
  assert.equal(preloadOf(broken, { name: 'a' }, [], '')[0].level, 'problem');
  assert.match(preloadOf(broken, { name: 'a' }, [], '')[0].text, /no preload/);

  const installed = app({
    '.': { name: 'a' },
    'node_modules/o11y-kit': { name: 'o11y-kit', version: '1.2.3', main: './package.json' },
  });
  const real = app({
    '.': { name: 'a' },
    'node_modules/o11y-kit': { name: 'o11y-kit', version: '1.2.3', exports: { './preload': './package.json' } },
  });
  assert.equal(preloadOf(installed, { name: 'a' }, [], '')[0].level, 'problem');
  assert.deepEqual(short(preloadOf(real, { name: 'a' }, ['gone'], '')), ['ok o11y-kit 1.2.3', 'note scripts', 'problem gone']);

  const start = { name: 'a', scripts: { start: 'node --import o11y-kit/preload app.js', test: 'node --test' } };
  assert.match(preloadOf(real, start, [], '')[1].text, /^start: /);
  assert.equal(preloadOf(real, { name: 'a' }, [], '--import o11y-kit/preload')[1].subject, 'NODE_OPTIONS');
  assert.match(preloadOf(real, undefined, [], '')[1].todo ?? '', /OTEL_SERVICE_NAME/);
});
