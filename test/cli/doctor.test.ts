import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { place } from '../../instrumentation/admin/hosts.ts';
import { loadConfig } from '../../instrumentation/config.ts';
import { startViewerServer, type Viewer } from '../../viewer/viewer.ts';
import { freePort } from '../support/free-port.ts';
import { run } from './cli.ts';
import { app } from './doctor-app.ts';

describe('o11y-kit doctor', () => {
  let viewer: Viewer;
  let env: Record<string, string>;
  const good = app({
    '.': {
      name: 'shop',
      version: '1.0.0',
      scripts: { start: 'node --import o11y-kit/preload .' },
      dependencies: { express: '5' },
    },
    'node_modules/express': { name: 'express', version: '5.1.0' },
    'node_modules/o11y-kit': { name: 'o11y-kit', version: '1.2.3', exports: { './preload': './package.json' } },
  });

  before(async () => {
    viewer = await startViewerServer({ port: 0, version: '1.2.3' });
    const targets = join(mkdtempSync(join(tmpdir(), 'doctor-state-')), 'targets');
    mkdirSync(targets);
    env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url,
      OTEL_EXPORTER_PROMETHEUS_PORT: String(await freePort()),
      O11Y_TARGETS_DIR: targets,
      O11Y_CI: '',
    };
  });
  after(() => viewer.close());

  it('finds nothing wrong with a good app, and says what is wired', async () => {
    const { code, out, err } = await run(['doctor', good], env);
    assert.equal(code, 0, out + err);
    assert.equal(err, '');
    assert.match(out, /✓ express 5\.1\.0 +Route templates/);
    assert.match(out, /traces, logs: the viewer 1\.2\.3 takes them/);
    assert.match(out, /✓ targets folder +\S+targets: running apps/);
    assert.match(out, /\nNothing is wrong\.\n$/);
    for (const line of out.split('\n')) assert.ok(line.length <= 160, line);
  });

  it('says every problem with what to do, and ends with 1', async () => {
    const { code, out } = await run(['doctor', good], { ...env, O11Y_MAX_SERIE: '5', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
    assert.equal(code, 1);
    assert.match(out, /✗ O11Y_MAX_SERIE +There is no such setting.*\n +→ Did you mean O11Y_MAX_SERIES\?/);
    assert.match(out, /\n2 problems\.\n$/);
  });

  it('--json gives the same findings', async () => {
    const { code, out } = await run(['doctor', '--json', good], { ...env, O11Y_MAX_SERIE: '5' });
    const { ok, folder, node, findings } = JSON.parse(out);
    assert.equal(code, 1);
    assert.equal(ok, false);
    assert.equal(folder, good);
    assert.equal(node, process.versions.node);
    const problems = findings.filter(({ level }: { level: string }) => level === 'problem');
    assert.deepEqual(problems, [
      {
        topic: 'Settings',
        level: 'problem',
        subject: 'O11Y_MAX_SERIE',
        text: 'There is no such setting; it has no effect.',
        todo: 'Did you mean O11Y_MAX_SERIES?',
      },
    ]);
  });

  it('says who has the port of the metrics page', async () => {
    const [host] = place(loadConfig({}).config).hosts;
    const other = createServer((_, response) => response.setHeader('content-type', 'application/health+json').end('{}'));
    await new Promise<void>((resolve) => other.listen(0, host, resolve));
    after(() => other.close());
    const port = String((other.address() as AddressInfo).port);
    const { code, out } = await run(['doctor', good], { ...env, OTEL_EXPORTER_PROMETHEUS_PORT: port });
    assert.equal(code, 1);
    assert.match(out, new RegExp(`✗ port ${port} +is taken by another observed app, and OTEL_EXPORTER_PROMETHEUS_PORT`));
  });

  it('says that a folder for targets that was named is not there', async () => {
    const { code, out } = await run(['doctor', good], { ...env, O11Y_TARGETS_DIR: join(good, 'none') });
    assert.equal(code, 1);
    assert.match(out, /✗ targets folder +there is no folder .*none/);
  });

  it('looks at the folder it is started in', async () => {
    const { out } = await run(['doctor', '--json'], { ...env, OTEL_METRICS_EXPORTER: 'none' });
    const { folder, findings } = JSON.parse(out);
    assert.equal(folder, process.cwd());
    assert.equal(findings.find(({ topic }: { topic: string }) => topic === 'Metrics page').subject, 'not served');
  });

  for (const [args, message] of [
    [['/no/such/folder'], /there is no folder \/no\/such\/folder/],
    [['a', 'b'], /one folder is wanted/],
    [['--yaml'], /Unknown option '--yaml'/],
  ] as const) {
    it(`answers "${args.join(' ')}" with what is wanted, and 2`, async () => {
      const { code, err } = await run(['doctor', ...args]);
      assert.equal(code, 2);
      assert.match(err, message);
    });
  }
});
