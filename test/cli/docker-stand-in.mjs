/**
 * Stands in for the `docker` command where a test cannot have a daemon. It keeps what runs in `state.json` of the folder
 * DOCKER_STAND_IN, takes the faults that it is to show from `scenario.json` there, and writes every call to `calls.log`.
 * What it prints has the form, and for faults the words, of Docker 28 and Compose 2.
 */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Compose's own tags, which overlays may use. */
const TAGS = ['!reset', '!override'].flatMap((tag) =>
  ['seq', 'map'].map((collection) => ({ tag, collection, resolve: (value) => value })),
);

const folder = process.env.DOCKER_STAND_IN;
const args = process.argv.slice(2);
const scenario = read('scenario.json', {});
appendFileSync(
  join(folder, 'calls.log'),
  `${JSON.stringify({ args, compose: Object.keys(process.env).filter((name) => name.startsWith('COMPOSE_')) })}\n`,
);

const [command, ...rest] = args;
if (command === 'info') info();
else if (command === 'context') print(process.env.DOCKER_HOST || scenario.host || 'unix:///var/run/docker.sock');
else if (command === 'ps') holders();
else if (command === 'volume') print((read('state.json', {}).volumes ?? []).join('\n'));
else if (command === 'inspect') print(JSON.stringify(scenario.states?.[rest.at(-1)] ?? {}));
else if (command === 'logs') process.stderr.write(scenario.logs?.[rest.at(-1)] ?? '');
else if (command === 'compose') await compose();
else fail(`docker: unknown command: docker ${command}`);

function info() {
  const { info: fault } = scenario;
  const none = { ServerVersion: '', OSType: '', OperatingSystem: '', MemTotal: 0 };
  if (fault === 'hangs') return setInterval(() => {}, 1000);
  if (fault !== undefined) {
    // The client prints the empty answer all the same.
    print(JSON.stringify({ ...none, ...(scenario.oldClient ? { ServerErrors: [fault] } : {}) }));
    if (scenario.oldClient) return;
    return fail(fault);
  }
  const server = { ServerVersion: '28.5.1', OSType: 'linux', OperatingSystem: 'Debian GNU/Linux 12', MemTotal: 16 * 1024 ** 3 };
  print(JSON.stringify({ ...server, ...scenario.server }));
}

function holders() {
  const port = rest.find((arg) => arg.startsWith('publish='))?.slice('publish='.length);
  print(scenario.holders?.[port] ?? '');
}

async function compose() {
  if (scenario.compose === null) {
    process.stderr.write(
      "unknown flag: --short\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\nRun 'docker --help' for more information\n",
    );
    process.exit(125);
  }
  const options = { file: [], profile: [] };
  let at = 0;
  for (; rest[at].startsWith('--'); at += 2) {
    const name = rest[at].slice(2);
    if (Array.isArray(options[name])) options[name].push(rest[at + 1]);
    else options[name] = rest[at + 1];
  }
  const own = rest.slice(at + 1);
  switch (rest[at]) {
    case 'version':
      return print(scenario.compose ?? '2.40.3');
    case 'config':
      if (scenario.config !== undefined) return fail(scenario.config);
      return print(JSON.stringify(await model(options, own.slice(2))));
    case 'ps':
      return print(list(read('state.json', {}).containers ?? []));
    case 'up':
      return up(options, own);
    case 'down':
      return down(own);
  }
  fail(`unknown docker command: "compose ${rest[at]}"`);
}

/** What compose makes of its files; only as much of YAML merging as the project's own files need. */
async function model({ file, profile, 'env-file': envFile }, named) {
  const defaults = Object.fromEntries(
    readFileSync(envFile, 'utf8')
      .split('\n')
      .filter((line) => /^\w+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const env = { ...defaults, ...process.env };
  const { parse } = await import('yaml');
  const services = {};
  for (const path of file) {
    const text = readFileSync(path, 'utf8').replace(
      /\$\{(\w+)(?::?[-?]([^}]*))?\}/g,
      (_, name, standard) => env[name] || standard || '',
    );
    for (const [name, service] of Object.entries(parse(text, { merge: true, customTags: TAGS }).services ?? {}))
      services[name] = { ...services[name], ...service };
  }
  const chosen = Object.entries(services)
    .filter(([, one]) => !one.profiles || one.profiles.some((name) => profile.includes(name)))
    .filter(([name]) => named.length === 0 || needed(named, services).includes(name));
  return { name: 'o11y-kit', services: Object.fromEntries(chosen.map(([name, one]) => [name, resolved(one)])) };
}

/** These services, and all that they depend on. */
function needed(names, services) {
  const more = names.flatMap((name) => Object.keys(services[name].depends_on ?? {})).filter((name) => !names.includes(name));
  return more.length === 0 ? names : needed([...names, ...more], services);
}

function resolved({ ports = [], mem_limit, ...service }) {
  const unit = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
  const bytes = /^(\d+)([kmg])?b?$/.exec(mem_limit ?? '') ?? [];
  return {
    ...service,
    ...(mem_limit === undefined ? {} : { mem_limit: String(Number(bytes[1]) * (unit[bytes[2]] ?? 1)) }),
    ports: ports.map((text) => {
      const [, host_ip, published, target] = /^(?:([\d.]+):)?(\d+):(\d+)$/.exec(text);
      return { mode: 'ingress', host_ip, target: Number(target), published, protocol: 'tcp' };
    }),
  };
}

async function up(options, own) {
  const { services } = await model(
    options,
    own.filter((arg, index) => !arg.startsWith('-') && own[index - 1] !== '--wait-timeout'),
  );
  if (scenario.up === 'pull fails')
    return fail(
      'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
    );
  const containers = Object.entries(services).map(([service, { ports }]) => ({
    ID: `id-of-${service}`,
    Name: `o11y-kit-${service}-1`,
    Service: service,
    Project: 'o11y-kit',
    State: 'running',
    Health: 'healthy',
    Status: 'Up 10 seconds (healthy)',
    ExitCode: 0,
    Publishers: ports.map(({ host_ip, target, published }) => ({
      URL: host_ip,
      TargetPort: target,
      PublishedPort: Number(published),
      Protocol: 'tcp',
    })),
    ...scenario.containers?.[service],
  }));
  process.stderr.write(' Network o11y-kit_default  Created\n');
  if (scenario.up === 'hangs') {
    write('state.json', { containers: containers.slice(0, 2), volumes: ['o11y-kit_loki-data'] });
    process.stderr.write(' Container o11y-kit-loki-1  Waiting\n');
    process.on('SIGINT', () => process.exit(130));
    process.on('SIGTERM', () => process.exit(130));
    return setInterval(() => {}, 1000);
  }
  write('state.json', {
    containers,
    volumes: ['o11y-kit_loki-data', 'o11y-kit_prometheus-data'],
    env: process.env.O11Y_TARGETS_DIR,
  });
  const unwell = containers.find(({ Health, State }) => Health === 'unhealthy' || State === 'exited');
  if (unwell === undefined) return;
  const timeout = own[own.indexOf('--wait-timeout') + 1];
  fail(
    unwell.State === 'exited'
      ? `container ${unwell.Name} exited (${unwell.ExitCode})`
      : `application not healthy after ${timeout}s`,
  );
}

function down(own) {
  if (scenario.down !== undefined) return fail(scenario.down);
  const { volumes } = read('state.json', {});
  if (own.includes('--volumes')) rmSync(join(folder, 'state.json'), { force: true });
  else write('state.json', { containers: [], volumes });
}

/** Compose before 2.21 printed one array. */
function list(containers) {
  return scenario.oldCompose ? JSON.stringify(containers) : containers.map((one) => JSON.stringify(one)).join('\n');
}

function print(text) {
  if (text !== '') process.stdout.write(`${text}\n`);
}

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}

function read(name, standard) {
  const path = join(folder, name);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : standard;
}

function write(name, content) {
  writeFileSync(join(folder, name), JSON.stringify(content));
}
