import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { parse } from 'yaml';
import { STACK_JOBS } from '../../alerts/names.ts';
import { COMPOSE, ROOT, readYaml, stackEnv, withReplacements } from '../support/compose.ts';
import { findProgram, needs } from '../support/needs.ts';
import { collectorProgram, needsCollector } from '../support/servers/collector.ts';
import { configFor, flagsFor, majorVersion, UNKNOWN_TO_2 } from '../support/servers/older-prometheus.ts';

const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-configs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const RECEIVERS = globSync('alertmanager/receivers/*.yml', { cwd: COMPOSE }).sort();

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const path = findProgram(program) ?? program;
  const { status, stdout, stderr, error } = spawnSync(path, args, {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...env },
  });
  if (error) throw error;
  return { status, output: stdout + stderr };
}

suite('Prometheus reads', { skip: needs('promtool') }, () => {
  test('prometheus.yml, with the rules and target files beside it', () => {
    const file = join(folder, 'prometheus.yml');
    const text = withReplacements(join(COMPOSE, 'prometheus/prometheus.yml'), {
      '/etc/o11y-kit/rules': join(ROOT, 'alerts/rules'),
      '/etc/prometheus/targets': join(COMPOSE, 'prometheus/targets'),
      '/etc/o11y-kit/host-targets': join(COMPOSE, 'overlays/host-targets'),
    });
    writeFileSync(file, configFor(majorVersion(findProgram('promtool') ?? ''), text));
    const { status, output } = run('promtool', ['check', 'config', file]);
    assert.equal(status, 0, output);
    assert.ok(globSync('alerts/rules/*.yml', { cwd: ROOT }).length > 0);
    for (const rules of globSync('alerts/rules/*.yml', { cwd: ROOT })) assert.match(output, new RegExp(`Checking .*${rules}`));
  });

  test('what an older version does not know is exactly what is taken out for it', () => {
    const file = join(COMPOSE, 'prometheus/prometheus.yml');
    const [whole, older] = [3, 2].map((major) => parse(configFor(major, readFileSync(file, 'utf8'))));
    for (const [key] of UNKNOWN_TO_2.keys) {
      assert.ok(key in whole, `${key} is not in prometheus.yml: the list is out of date`);
      delete whole[key];
    }
    assert.deepEqual(older, whole);
    const flags = readYaml(join(COMPOSE, 'compose.yaml')).services.prometheus.command as string[];
    assert.deepEqual(flags.filter((flag) => !flagsFor(2, flags).includes(flag)).sort(), [...UNKNOWN_TO_2.flags].sort());
  });
});

test('Prometheus scrapes each part of the stack under the name that the alerts know it by', () => {
  const { scrape_configs } = readYaml(join(COMPOSE, 'prometheus/prometheus.yml'));
  const parts = scrape_configs.filter((each: any) => each.static_configs).map((each: any) => each.job_name);
  assert.deepEqual(parts.sort(), STACK_JOBS.split('|').sort());
});

suite('Alertmanager reads', { skip: needs('amtool') }, () => {
  for (const file of ['alertmanager/alertmanager.yml', ...RECEIVERS]) {
    test(file, () => {
      const text = readFileSync(join(COMPOSE, file), 'utf8');
      const copy = join(folder, 'alertmanager.yml');
      // Before 0.26 a webhook's address could not be kept in a file.
      const old = /version 0\.(1\d|2[0-5])\./.test(run('amtool', ['--version']).output);
      writeFileSync(copy, old && file.endsWith('webhook.yml') ? text.replace(/url_file: \S+/, 'url: http://127.0.0.1/') : text);
      const { status, output } = run('amtool', ['check-config', copy]);
      assert.equal(status, 0, output);
    });
  }
});

suite("Alertmanager's receivers", () => {
  test('there is one for each way that the guide names', () => {
    assert.deepEqual(
      RECEIVERS,
      ['email', 'pagerduty', 'slack', 'webhook'].map((name) => `alertmanager/receivers/${name}.yml`),
    );
  });

  const base = readYaml(join(COMPOSE, 'alertmanager/alertmanager.yml'));
  for (const file of RECEIVERS) {
    test(`${file} routes and inhibits as alertmanager.yml does, to a team`, () => {
      const { route, inhibit_rules, receivers } = readYaml(join(COMPOSE, file));
      assert.deepEqual(route, { ...base.route, receiver: 'team' });
      assert.deepEqual(inhibit_rules, base.inhibit_rules);
      assert.deepEqual(
        receivers.map(({ name }: { name: string }) => name),
        ['nobody', 'team'],
      );
    });

    test(`${file} holds no secret, but the path of one that the container has`, () => {
      const text = readFileSync(join(COMPOSE, file), 'utf8');
      const paths = [...text.matchAll(/_file: (\S+)/g)].map(([, path]) => path);
      assert.equal(paths.length, 1);
      assert.match(paths[0], /^\/run\/secrets\/\w+$/);
      // The head of the file says where on the host it lies.
      assert.ok(text.includes(`secrets/alertmanager/${paths[0].split('/').pop()}`));
    });
  }
});

test('Loki verifies loki.yaml', { skip: needs('loki') }, () => {
  const args = [`-config.file=${join(COMPOSE, 'loki/loki.yaml')}`, '-config.expand-env=true', '-verify-config'];
  const { status, output } = run('loki', args, stackEnv());
  assert.equal(status, 0, output);
});

test('Tempo verifies tempo.yaml, without a warning', { skip: needs('tempo') }, () => {
  const args = [`-config.file=${join(COMPOSE, 'tempo/tempo.yaml')}`, '-config.expand-env=true', '-config.verify=true'];
  const { status, output } = run('tempo', args, stackEnv());
  assert.equal(status, 0, output);
});

suite('the collector reads', { skip: needsCollector }, () => {
  const secrets = join(folder, 'vendor_headers.yaml');
  writeFileSync(secrets, 'x-api-key: not-a-real-key\n');
  const env = {
    TAIL_SAMPLING_WAIT: '10s',
    TAIL_SAMPLING_SLOW_MS: '500',
    TAIL_SAMPLING_PERCENTAGE: '10',
    VENDOR_OTLP_ENDPOINT: 'https://otlp.vendor.example',
  };
  const cases = [
    [],
    ['tail-sampling.yaml'],
    ['vendor.yaml'],
    ['vendor.yaml', 'vendor-only.yaml'],
    ['tail-sampling.yaml', 'vendor.yaml'],
  ];
  for (const overlays of cases) {
    test(['collector.yaml', ...overlays].join(' + '), () => {
      const files = ['collector.yaml', ...overlays].map((name) => {
        const copy = join(folder, name);
        writeFileSync(copy, readFileSync(join(COMPOSE, 'collector', name), 'utf8').replace('/run/secrets', folder));
        return `--config=${copy}`;
      });
      const { status, output } = run(collectorProgram() ?? '', ['validate', ...files], env);
      assert.equal(status, 0, output);
    });
  }
});
