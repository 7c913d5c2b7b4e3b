import assert from 'node:assert/strict';
import { execSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { run, start } from './cli.ts';
import { standIn } from './docker.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');

/** The last call of a compose command. */
const called = (calls: string[][], command: string) => calls.filter((args) => args.includes(command)).at(-1);

describe('o11y-kit up', () => {
  it('starts the stack, waits for health, and says where everything is', async () => {
    const docker = await standIn();
    const state = mkdtempSync(join(tmpdir(), 'up-state-'));
    const { code, out, err } = await run(['up'], { ...docker.env, XDG_STATE_HOME: state });
    assert.equal(code, 0, err);
    assert.match(err, /Starting 7 containers/);
    for (const [title, port] of [
      ['Grafana', docker.ports.GRAFANA],
      ['Prometheus', docker.ports.PROMETHEUS],
      ['Alertmanager', docker.ports.ALERTMANAGER],
      ['OTLP/HTTP', docker.ports.OTLP_HTTP],
      ['OTLP/gRPC', docker.ports.OTLP_GRPC],
    ])
      assert.match(out, new RegExp(`^ {2}${title} +http://localhost:${port} `, 'm'));
    assert.match(out, new RegExp(`OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:${docker.ports.OTLP_HTTP} node --import`));
    assert.match(out, /docker exec o11y-kit-grafana-1 cat/);
    // The stand-in opens no ports.
    assert.match(err, /But nothing takes telemetry at http:\/\/localhost:\d+, though the collector is healthy/);
    const up = called(docker.calls(), 'up')!;
    assert.deepEqual(up.slice(up.indexOf('up')), ['up', '--detach', '--remove-orphans', '--wait', '--wait-timeout', '300']);
    const targets = join(state, 'o11y-kit', 'targets');
    assert.equal(docker.state()?.env, targets);
    assert.equal(statSync(targets).mode & 0o555, 0o555, 'the Prometheus in the container can read it');
  });

  it('can be called again: its own ports are not taken by others', async () => {
    const docker = await standIn();
    const env = { ...docker.env, XDG_STATE_HOME: mkdtempSync(join(tmpdir(), 'up-state-')) };
    assert.equal((await run(['up'], env)).code, 0);
    const servers = await Promise.all([docker.ports.GRAFANA, docker.ports.OTLP_HTTP].map((port) => listen(port)));
    const { code, err } = await run(['up'], env);
    for (const server of servers) server.close();
    assert.equal(code, 0, err);
    assert.ok(!called(docker.calls(), 'up')!.includes('--force-recreate'));
  });

  it('adds overlays, and keeps settings of another compose project out', async () => {
    const docker = await standIn();
    const { code, out, err } = await run(['up', '--with', 'host-metrics', '--with', 'tail-sampling', '--timeout', '5'], {
      ...docker.env,
      COMPOSE_FILE: '/elsewhere/compose.yaml',
      COMPOSE_PROFILES: 'other',
      COMPOSE_PROJECT_NAME: 'other',
    });
    assert.equal(code, 0, err + out);
    assert.deepEqual(docker.composeVariables(), []);
    const up = called(docker.calls(), 'up')!.join(' ');
    assert.match(
      up,
      /--env-file \S+compose\/\.env --file \S+compose\/compose\.yaml --file \S+host-metrics\.yaml --file \S+tail-sampling\.yaml/,
    );
    assert.match(up, /--wait-timeout 5$/);
    const services = docker.state()!.containers.map((one) => one.Service);
    assert.ok(services.includes('node-exporter'));
  });

  it('starts nothing but the collector where all goes to a vendor', async () => {
    const docker = await standIn();
    const { code, out, err } = await run(['up', '--with', 'datadog-only'], docker.env);
    assert.equal(code, 0, err);
    assert.deepEqual(
      docker
        .state()!
        .containers.map((one) => one.Service)
        .sort(),
      ['collector', 'collector-health'],
    );
    assert.match(out, /OTLP\/HTTP/);
    assert.doesNotMatch(out, /Grafana/);
  });

  it('moves all ports at once, but for those that are named', async () => {
    const docker = await standIn();
    const env = { ...docker.env, TEMPO_PORT: '', LOKI_PORT: '' };
    const { code, out, err } = await run(['up', '--port-offset', '21000'], env);
    assert.equal(code, 0, err);
    assert.match(out, /Loki +http:\/\/localhost:24100 /);
    assert.match(out, /Tempo +http:\/\/localhost:24200 /);
    assert.match(out, new RegExp(`Grafana +http://localhost:${docker.ports.GRAFANA} `));
  });

  it('warns where there is less memory than the containers may take', async () => {
    const docker = await standIn({ server: { MemTotal: 2 * 1024 ** 3, OperatingSystem: 'Docker Desktop' } });
    const { code, err } = await run(['up'], docker.env);
    assert.equal(code, 0);
    assert.match(err, /Docker has 2\.0 GiB of memory; the stack may take up to \d\.\d GiB.*Settings → Resources/);
  });
});

describe('o11y-kit up says what is in the way:', () => {
  const rows: [string, Parameters<typeof standIn>[0], RegExp][] = [
    [
      'no daemon',
      { info: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' },
      /No Docker daemon answers at unix:\/\/\/var\/run\/docker\.sock\. Start it: .*\nWithout Docker, `o11y-kit view`/,
    ],
    [
      'no daemon, as older clients say it',
      {
        info: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
        oldClient: true,
      },
      /No Docker daemon answers/,
    ],
    [
      'no daemon at an address of one’s own',
      { info: 'failed to connect to the docker API', host: 'unix:///home/me/.docker/desktop/docker.sock' },
      /answers at unix:\/\/\/home\/me.*\nIs that the right one\? `docker context ls`/,
    ],
    [
      'no permission',
      {
        info: 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/info": dial unix /var/run/docker.sock: connect: permission denied',
      },
      /does not let this user in.*\n.*usermod -aG docker.*\n.*rootless/,
    ],
    ['no compose plugin', { compose: null }, /its plugin `docker compose` is not.*\n.*docker-compose-plugin/],
    ['an old compose', { compose: '2.17.3' }, /Docker Compose 2\.17\.3 is too old: 2\.24\.4 or later/],
    ['an old engine', { server: { ServerVersion: '24.0.7' } }, /Docker Engine 24\.0\.7 is too old/],
    ['Windows containers', { server: { OSType: 'windows' } }, /runs windows containers; the stack needs Linux/],
    ['a daemon elsewhere', { host: 'tcp://10.0.0.9:2375' }, /runs on another machine \(tcp:\/\/10\.0\.0\.9:2375\)/],
    ['a setting that compose refuses', { config: 'invalid hostPort: many' }, /not accepted:\ninvalid hostPort: many/],
  ];
  for (const [name, scenario, message] of rows) {
    it(name, async () => {
      const docker = await standIn(scenario);
      const { code, out, err } = await run(['up'], docker.env);
      assert.equal(code, 1);
      assert.equal(out, '');
      assert.match(err, message);
      assert.doesNotMatch(err, /\bat .*\.ts:/, 'no stack trace');
      assert.equal(called(docker.calls(), 'up'), undefined, 'nothing is started');
    });
  }

  it('no Docker', async () => {
    const { code, err } = await run(['up'], { PATH: mkdtempSync(join(tmpdir(), 'no-docker-')) });
    assert.equal(code, 1);
    assert.match(err, /Docker is not installed.*https:\/\/docs\.docker\.com.*\nWithout Docker, `o11y-kit view`/s);
  });

  it('a port that a process has, with the variable that takes another', async () => {
    const docker = await standIn();
    const server = await listen(docker.ports.GRAFANA);
    const { code, err } = await run(['up'], docker.env);
    server.close();
    assert.equal(code, 1);
    assert.match(err, new RegExp(`Port ${docker.ports.GRAFANA} \\(Grafana\\) is taken by the process ${process.pid} \\(.+\\)`));
    assert.match(err, /or: GRAFANA_PORT=\d+ o11y-kit up\nNothing was started/);
    assert.equal(called(docker.calls(), 'up'), undefined);
  });

  it('ports that a container and the viewer have', async () => {
    const docker = await standIn();
    const viewer = start(['view', '--port', String(docker.ports.OTLP_HTTP)]);
    await viewer.says('Viewer:');
    const server = await listen(docker.ports.PROMETHEUS);
    docker.show({ holders: { [docker.ports.PROMETHEUS]: 'my-prometheus' } });
    const { code, err } = await run(['up'], docker.env);
    server.close();
    viewer.child.kill();
    await viewer.ended;
    assert.equal(code, 1);
    assert.match(err, /\(Prometheus\) is taken by the container "my-prometheus"/);
    assert.match(err, /\(OTLP\/HTTP\) is taken by the viewer of o11y-kit.*\n {2}End it.*no setting of an app changes/);
    assert.match(err, /All ports at once: o11y-kit up --port-offset 100/);
  });

  it('a service that does not become healthy, with its check, its last lines and what waits for it', async () => {
    const docker = await standIn({
      containers: {
        loki: { Health: 'unhealthy' },
        tempo: { State: 'exited', Health: '', ExitCode: 137 },
        prometheus: { Health: 'starting' },
        grafana: { State: 'created', Health: '' },
      },
      states: {
        'id-of-loki': { Health: { Log: [{ Output: 'first\n' }, { Output: 'connection refused\n' }] } },
        'id-of-tempo': { OOMKilled: true },
      },
      logs: { 'id-of-loki': 'level=error msg="permission denied: /loki\u001b[31m/chunks"\n' },
    });
    const { code, out, err } = await run(['up'], docker.env);
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(err, /^loki: unhealthy$/m);
    assert.match(err, /its health check says: connection refused/);
    assert.match(err, /^ {2}\| level=error msg="permission denied: \/loki\/chunks"$/m);
    assert.match(err, /^tempo: ended with exit code 137\n {2}it was killed at its bound of memory: raise TEMPO_MEMORY/m);
    assert.match(err, /^Still starting: prometheus\nNot started, as they wait for others: grafana$/m);
    assert.doesNotMatch(err, /^prometheus:/m);
    assert.match(err, /o11y-kit status says how it does/);
  });

  it('images that cannot be had', async () => {
    const docker = await standIn({ up: 'pull fails' });
    const { code, err } = await run(['up'], docker.env);
    assert.equal(code, 1);
    assert.match(err, /no such host[\s\S]*Nothing was started: what Docker says above is the reason/);
  });

  it('files that the users of containers cannot read', { skip: process.platform !== 'linux' }, async () => {
    const docker = await standIn();
    const copy = join(mkdtempSync(join(tmpdir(), 'up-closed-')), 'observability');
    await run(['init', copy]);
    chmodSync(join(copy, 'compose/loki/loki.yaml'), 0o600);
    chmodSync(join(copy, 'dashboards/json'), 0o700);
    const { code, err } = await run(['up', '--folder', copy], docker.env);
    assert.equal(code, 1);
    assert.match(
      err,
      /cannot read \S+loki\.yaml and 1 more\.\nOpen them: chmod -R a\+rX \S+\/compose \S+\/dashboards \S+\/alerts$/m,
    );
    const [, command] = /Open them: (.*)/.exec(err)!;
    execSync(command);
    assert.equal((await run(['up', '--folder', copy], docker.env)).code, 0, 'after what it says to do');
  });

  it('a Docker out of a snap, which sees no hidden folders', async () => {
    const docker = await standIn({ server: { DockerRootDir: '/var/snap/docker/common/var-lib-docker' } });
    const hidden = join(mkdtempSync(join(tmpdir(), 'up-snap-')), '.local/state');
    const { code, err } = await run(['up'], { ...docker.env, XDG_STATE_HOME: hidden });
    assert.equal(code, 1);
    assert.match(err, /out of a snap sees no hidden folders, and so not \S+\.local\/state/);
    assert.equal((await run(['up'], docker.env)).code, 0, 'with folders that are not hidden');
  });

  it('Ctrl-C on a terminal, which docker gets from there', { skip: needs('script') }, async () => {
    const docker = await standIn({ up: 'hangs' });
    const command = `'${process.execPath}' '${MAIN}' up`;
    const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      env: { ...process.env, XDG_STATE_HOME: mkdtempSync(join(tmpdir(), 'up-state-')), ...docker.env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let out = '';
    let pressed = false;
    child.stdout.on('data', (chunk) => {
      out += chunk;
      if (pressed || !out.includes('Waiting')) return;
      pressed = true;
      child.stdin.write('\x03');
    });
    assert.equal(await new Promise((resolve) => child.on('close', resolve)), 130, out);
    assert.match(out, /Interrupted\. What has started goes on/);
  });

  it('Ctrl-C, which ends docker too', async () => {
    const docker = await standIn({ up: 'hangs' });
    const up = start(['up'], docker.env);
    await up.says('Waiting');
    up.child.kill('SIGINT');
    assert.equal(await up.ended, 130);
    assert.match(up.err, /Interrupted\. What has started goes on: o11y-kit up resumes, o11y-kit down removes it/);
  });

  const wrong: [string[], RegExp][] = [
    [['--with', 'everything'], /--with everything: one of datadog, .*tail-sampling.* is wanted/],
    [['--port-offset', '1e9'], /--port-offset 1e9: a number from 0/],
    [['--timeout', 'soon'], /--timeout soon: a number above 0/],
    [['--folder', '/nowhere'], /\/nowhere holds no compose\/compose\.yaml; o11y-kit init \/nowhere/],
  ];
  for (const [args, message] of wrong) {
    it(args.join(' '), async () => {
      const docker = await standIn();
      const { code, err } = await run(['up', ...args], docker.env);
      assert.equal(code, 2, err);
      assert.match(err, message);
    });
  }
});

function listen(port: number): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve) => {
    const server = createServer((_, res) => res.writeHead(404).end()).listen(port, '127.0.0.1', () => {
      assert.equal((server.address() as AddressInfo).port, port);
      resolve(server);
    });
  });
}
