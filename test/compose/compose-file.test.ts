import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { suite, test } from 'node:test';
import { Ajv } from 'ajv';
import { COMPOSE, type ComposeService, ROOT, readCompose, readYaml, stackEnv, variablesOf } from '../support/compose.ts';
import { findProgram, needs } from '../support/needs.ts';

const env = stackEnv();
/** The specification's own schema, as the linter dclint publishes it. */
const { $schema, ...schema } = JSON.parse(readFileSync(join(ROOT, 'node_modules/dclint/schemas/compose.schema.json'), 'utf8'));
const OVERLAYS = globSync('overlays/*.yaml', { cwd: COMPOSE }).sort();
const FILES = ['compose.yaml', ...OVERLAYS];
const overlayEnv = { ...env, VENDOR_OTLP_ENDPOINT: 'https://otlp.vendor.example' };
const stack = readCompose();
const services = Object.entries(stack.services);

/** Services that run here, of the stack and of every overlay that adds one. */
const RUN: [string, ComposeService][] = FILES.flatMap((file) =>
  Object.entries(readCompose(join(COMPOSE, file), overlayEnv).services).filter(([, service]) => service.image !== undefined),
);

suite('the Compose file', () => {
  for (const file of [...FILES.map((each) => `compose/${each}`), 'compose.yaml']) {
    test(`${file} is valid by the Compose specification's schema`, () => {
      // `ports`, `duration` are formats of Compose's own.
      const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
      assert.ok(validate(readYaml(join(ROOT, file))), JSON.stringify(validate.errors, null, 1));
    });
  }

  test('the root file includes it', () => {
    assert.deepEqual(readYaml(join(ROOT, 'compose.yaml')), {
      name: stack.name,
      include: [{ path: 'compose/compose.yaml' }],
    });
  });

  test('every image comes from .env, every version is exact, and no other file names one', () => {
    for (const file of FILES) {
      for (const [name, { image }] of Object.entries(readYaml(join(COMPOSE, file)).services) as [string, ComposeService][]) {
        if (image === undefined || image === 'o11y-kit/example-checkout') continue;
        assert.match(image, /^\$\{\w+_IMAGE:\?.*\}$/, `${file}: ${name}`);
      }
    }
    const images = Object.entries(env).filter(([key]) => key.endsWith('_IMAGE'));
    assert.ok(images.length >= 8);
    for (const [key, image] of images) {
      if (key === 'NODE_IMAGE') assert.match(image, /:\d+-alpine$/, key);
      else assert.match(image, /^[\w.-]+\.[\w.-]+\/[\w./-]+:v?\d+\.\d+\.\d+$/, key);
      const name = image.slice(0, image.lastIndexOf(':'));
      for (const file of globSync(['**/*.yaml', '**/*.yml', '**/*.sh', '**/*.ini'], { cwd: COMPOSE }))
        assert.ok(
          !new RegExp(`${name}:[v\\d]`).test(readFileSync(join(COMPOSE, file), 'utf8').replaceAll(`:-${image}`, '')),
          `${file} names a version of ${name}`,
        );
    }
  });

  test('every variable is in .env or has a default, and .env holds none that nothing reads', () => {
    const asked = FILES.map((file) => readFileSync(join(COMPOSE, file), 'utf8'));
    const read = new Set(asked.flatMap(variablesOf));
    const unread = Object.keys(env).filter((key) => !read.has(key));
    assert.deepEqual(unread, []);
    assert.doesNotThrow(() => readCompose());
    // A default in the file that differs from .env would be a second truth.
    for (const [, name, fallback] of asked[0].matchAll(/\$\{(\w+):-([^}]*)\}/g)) assert.equal(fallback, env[name], name);
  });

  test('every file and folder of ours that is mounted exists, and is mounted read-only', () => {
    const folders = new Set<string>();
    for (const [name, { volumes = [] }] of RUN) {
      for (const volume of volumes) {
        const [source, target, mode] = volume.split(':');
        assert.ok(target?.startsWith('/'), volume);
        if (!source.startsWith('.')) continue;
        const path = resolve(COMPOSE, source);
        folders.add(relative(ROOT, path));
        assert.ok(existsSync(path), `${name}: ${source}`);
        assert.equal(mode, 'ro', `${name}: ${volume}`);
      }
    }
    for (const folder of ['alerts/rules', 'alerts/loki', 'dashboards/json', 'compose/grafana'])
      assert.ok(folders.has(folder), folder);
  });

  test('every named volume that is used is declared, and every one declared is used', () => {
    const used = services.flatMap(([, { volumes = [] }]) => volumes.map((each) => each.split(':')[0]));
    const named = new Set(used.filter((source) => !/^[./~]/.test(source)));
    assert.deepEqual([...named].sort(), Object.keys(stack.volumes ?? {}).sort());
  });

  test('git has a mounted folder that is empty, so that Docker does not make it, as root', () => {
    const tracked = spawnSync('git', ['-c', 'safe.directory=*', 'ls-files', 'compose/secrets', 'compose/targets'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    for (const folder of ['secrets/grafana', 'secrets/alertmanager', 'secrets/collector', 'targets'])
      assert.match(tracked.stdout, new RegExp(`^compose/${folder}/.gitignore$`, 'm'));
  });
});

suite('each service', () => {
  for (const [name, service] of RUN) {
    test(`${name} can do no more than it must`, () => {
      assert.equal(service.read_only, true, 'read-only root');
      assert.deepEqual(service.cap_drop, ['ALL']);
      assert.equal(service.cap_add, undefined);
      assert.equal(service.privileged, undefined);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true']);
      assert.match(service.user ?? '', /^\d+:\d+$/, 'a user by number');
      // It reads what belongs to root; docs/stack.md says so.
      if (name !== 'cadvisor') assert.notEqual(service.user?.split(':')[0], '0', 'not root');
    });

    test(`${name} is bounded in memory, processes and logs`, () => {
      assert.ok(megabytes(service.mem_limit) > 0, 'memory limit');
      assert.ok((service.pids_limit ?? 0) > 0, 'processes');
      assert.ok(service.logging?.options?.['max-size'] && service.logging.options['max-file'], 'logs');
      assert.equal(service.restart, 'unless-stopped');
      const limit = service.environment?.GOMEMLIMIT;
      if (limit === undefined) return;
      const share = megabytes(String(limit)) / megabytes(service.mem_limit);
      assert.ok(share > 0.75 && share <= 0.85, `GOMEMLIMIT is ${Math.round(share * 100)} % of the limit`);
    });

    test(`${name} opens ports on the loopback address only`, () => {
      for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
    });
  }

  test('every Go program of the stack has a soft bound of memory below the hard one', () => {
    for (const name of ['prometheus', 'alertmanager', 'loki', 'tempo', 'collector', 'grafana'])
      assert.ok(stack.services[name].environment?.GOMEMLIMIT, name);
  });

  test('each is checked, but for the collector, whom a neighbour asks, and visitors, who serve nobody', () => {
    const unchecked = services.filter(([, { healthcheck }]) => !healthcheck?.test).map(([name]) => name);
    assert.deepEqual(unchecked, ['collector', 'demo-visitors']);
    const probe = stack.services['collector-health'].healthcheck?.test ?? [];
    const { extensions } = readYaml(join(COMPOSE, 'collector/collector.yaml'));
    assert.equal(probe.at(-1), `http://collector:${extensions.health_check.endpoint.split(':')[1]}/`);
  });

  test('each starts when what it needs is well', () => {
    for (const [name, { depends_on = {} }] of services) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const checked = stack.services[other].healthcheck?.test !== undefined;
        assert.equal(condition, checked ? 'service_healthy' : 'service_started', `${name} waits for ${other}`);
      }
    }
  });

  test('only the demo is behind a profile', () => {
    const behind = services.filter(([, { profiles }]) => profiles).map(([name, { profiles }]) => [name, profiles]);
    assert.deepEqual(
      behind,
      ['payments', 'orders', 'gateway', 'visitors'].map((name) => [`demo-${name}`, ['demo']]),
    );
  });
});

suite('Docker Compose itself', { skip: needs('docker-compose') }, () => {
  const root = { cwd: ROOT, args: [] as string[] };
  const overlays = OVERLAYS.filter((file) => !file.endsWith('-only.yaml')).map((file) => ({
    cwd: COMPOSE,
    args: ['-f', 'compose.yaml', '-f', file],
  }));
  const only = ['vendor', 'datadog'].map((name) => ({
    cwd: COMPOSE,
    args: ['-f', 'compose.yaml', '-f', `overlays/${name}.yaml`, '-f', `overlays/${name}-only.yaml`],
  }));
  for (const { cwd, args } of [root, { cwd: COMPOSE, args: [] }, ...overlays, ...only]) {
    test(`reads ${args.length === 0 ? relative(join(ROOT, '..'), cwd) : args.filter((each) => each !== '-f').join(' + ')}`, () => {
      const { status, stdout, stderr } = compose(cwd, [...args, '--profile', 'demo', 'config', '--format', 'json']);
      assert.equal(status, 0, stderr);
      const { services } = JSON.parse(stdout) as { services: Record<string, ComposeService> };
      for (const name of Object.keys(stack.services)) assert.ok(services[name], name);
      // What is sent to a vendor only needs no local store to be up.
      const waits = Object.keys(services.collector.depends_on ?? {});
      assert.deepEqual(waits, args.some((each) => each.endsWith('-only.yaml')) ? [] : ['loki', 'tempo']);
    });
  }

  test('from the root folder and from compose/ it is the same stack', () => {
    const [fromRoot, fromCompose] = [ROOT, COMPOSE].map((cwd) => JSON.parse(compose(cwd, ['config', '--format', 'json']).stdout));
    for (const part of ['name', 'services', 'volumes', 'networks']) assert.deepEqual(fromRoot[part], fromCompose[part], part);
  });
});

function compose(cwd: string, args: string[]) {
  const environment = { PATH: process.env.PATH, HOME: process.env.HOME, VENDOR_OTLP_ENDPOINT: 'https://otlp.vendor.example' };
  return spawnSync(findProgram('docker-compose') ?? '', args, { cwd, env: environment, encoding: 'utf8', timeout: 60_000 });
}

function megabytes(text: string | undefined): number {
  return Number(/^(\d+)(m|MiB)$/.exec(text ?? '')?.[1] ?? 0);
}
