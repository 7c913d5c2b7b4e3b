import { chmodSync, existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse, positive } from './arguments.ts';
import { type Command, type Terminal, Trouble, UsageError } from './command.ts';
import { INIT_FOLDER } from './init.ts';
import { PACKAGE_ROOT } from './packaged.ts';
import { portOwner } from './port-owner.ts';
import { type Container, containers, isWell } from './stack/containers.ts';
import { dockerShown, type Env } from './stack/docker.ts';
import { type Engine, engine } from './stack/engine.ts';
import { explain } from './stack/failure.ts';
import { type Model, modelOf, portVariables, withOffset } from './stack/model.ts';
import { takenPorts } from './stack/ports.ts';
import { demandReadable } from './stack/readable.ts';
import { ADDRESSES, urlOf } from './stack/services.ts';
import { choose, locate, overlaysOf, type Stack } from './stack/stack.ts';
import { hasChanged, remember } from './stack/started.ts';
import { makeTargetsFolder, targetsFolder } from './targets.ts';

const WAIT_S = 300;

const help = `Usage: o11y-kit up [options]

Starts the full stack in Docker, and waits until it is healthy: Prometheus, Alertmanager, Grafana with dashboards, Loki,
Tempo and the OpenTelemetry Collector. Run again, it brings what has changed. All ports are open to this machine only.

  --with NAME        add an overlay; may be given more than once. There are:
                     ${overlaysOf(join(PACKAGE_ROOT, 'compose')).join(', ')}
  --demo             with a small shop that sends to it
  --port-offset N    every port N higher, where others have the usual ones
  --folder DIR       use the copy in this folder (made by o11y-kit init; ${INIT_FOLDER}/ is used where there is one)
  --timeout S        seconds to wait until all is healthy (${WAIT_S}); what is downloaded before takes the time it takes

Ports, image versions, retention and memory are variables: see compose/.env.`;

const up: Command = {
  help,
  async run(args, terminal) {
    const { values } = parse({
      args,
      options: {
        with: { type: 'string', multiple: true, default: [] },
        demo: { type: 'boolean', default: false },
        'port-offset': { type: 'string', default: '0' },
        folder: { type: 'string' },
        timeout: { type: 'string', default: String(WAIT_S) },
      },
    });
    const timeout = Math.ceil(positive('--timeout', values.timeout));
    const offset = offsetOf(values['port-offset']);
    const overlays = values.with.flatMap((text) => text.split(','));
    const machine = await engine(terminal.env);
    const stack = locate(values.folder, INIT_FOLDER, terminal.env);
    if (values.demo) demandSources(stack);
    const choice = choose(stack, overlays, values.demo ? ['demo'] : []);
    const env = withOffset(stack, offset, withTargets(terminal));
    demandReadable(stack, env.O11Y_TARGETS_DIR ?? '', machine);
    const model = await modelOf(choice, env);
    const before = await containers(env);
    await check(stack, model, machine, before, env, terminal);
    terminal.error(
      `Starting ${model.services.length} containers with the files of ${stack.origin}; the first time, images are downloaded.`,
    );
    const started = await dockerShown(
      [
        ...choice.compose,
        ...['up', '--detach', '--remove-orphans', '--wait', '--wait-timeout', String(timeout)],
        // What is mounted has changed, which compose does not see.
        ...(before.length > 0 && hasChanged(stack, env) ? ['--force-recreate'] : []),
        ...(values.demo ? ['--build'] : []),
        ...choice.services,
      ],
      env,
    );
    if (started !== 0) return failed(started, env, terminal);
    remember(stack, env);
    await succeeded(values.demo, env, terminal);
    return 0;
  },
};

export default up;

/** @throws {UsageError} */
function offsetOf(text: string): number {
  const n = Number(text);
  if (/^\d+$/.test(text) && n <= 50_000) return n;
  throw new UsageError(`--port-offset ${text}: a number from 0 to 50000 is wanted`);
}

/** The demo's image is built from what only the repository has. */
function demandSources({ folder }: Stack): void {
  if (existsSync(join(folder, '../examples/checkout/Dockerfile'))) return;
  throw new Trouble(
    'The demo is built from the sources of o11y-kit: clone the repository, and run `npx o11y-kit up --demo` there.\n' +
      'Your own app is as good a demo: node --import o11y-kit/preload app.js',
  );
}

/** With the folder in which apps of this host announce themselves, which the Prometheus in the container must be able to read. */
function withTargets({ env, error }: Terminal): Env {
  // Absolute: compose would read another path from its own folder, and a bare name as that of a volume.
  const folder = resolve(targetsFolder(env));
  const problem = makeTargetsFolder(env) || readableToAll(folder);
  if (problem === '') return { ...env, O11Y_TARGETS_DIR: folder };
  error(`Prometheus will not find the apps of this machine by itself: ${problem}`);
  return env;
}

function readableToAll(folder: string): string {
  try {
    const { mode } = statSync(folder);
    if ((mode & 0o555) !== 0o555) chmodSync(folder, mode | 0o555);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** @throws {Trouble} */
async function check(
  stack: Stack,
  model: Model,
  machine: Engine,
  before: readonly Container[],
  env: Env,
  terminal: Terminal,
): Promise<void> {
  const taken = await takenPorts(model.ports, before, portVariables(stack), env);
  if (taken.length > 0)
    throw new Trouble(
      `${taken.join('\n')}\n${taken.length > 1 ? 'All ports at once: o11y-kit up --port-offset 100\n' : ''}Nothing was started.`,
    );
  if (machine.memoryBytes < model.memoryBytes)
    terminal.error(
      `Docker has ${gib(machine.memoryBytes)} of memory; the stack may take up to ${gib(model.memoryBytes)}, and under load ` +
        `containers may be killed. ${machine.desktop ? 'Docker Desktop: Settings → Resources. ' : ''}The bounds are *_MEMORY in ${join(stack.folder, '.env')}.`,
    );
}

function gib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

/** @returns the exit code */
async function failed(code: number, env: Env, terminal: Terminal): Promise<number> {
  if (code === 130 || code === 143) {
    terminal.error('Interrupted. What has started goes on: o11y-kit up resumes, o11y-kit down removes it.');
    return code;
  }
  const all = await containers(env);
  terminal.error('');
  for (const line of await explain(all, env)) terminal.error(line);
  terminal.error(
    all.length === 0
      ? 'Nothing was started: what Docker says above is the reason (no network, no space, a registry that refuses?).'
      : all.every(isWell)
        ? 'The stack is not up, though every container is well: what Docker says above is the reason.'
        : 'The stack is not whole. o11y-kit status says how it does, o11y-kit up tries again, o11y-kit down removes it.',
  );
  return 1;
}

async function succeeded(demo: boolean, env: Env, terminal: Terminal): Promise<void> {
  const all = await containers(env);
  const ports = all.flatMap(({ service, ports }) => ports.map((one) => ({ service, ...one })));
  terminal.out('The stack is up.\n');
  for (const { service, target, title, use } of ADDRESSES) {
    const one = ports.find((port) => port.service === service && port.target === target);
    if (one !== undefined) terminal.out(`  ${title.padEnd(13)} ${urlOf(one.host, one.port).padEnd(24)} ${use}`);
  }
  const otlp = ports.find(({ service, target }) => service === 'collector' && target === 4318);
  const elsewhere = otlp && otlp.port !== 4318 ? `OTEL_EXPORTER_OTLP_ENDPOINT=${urlOf(otlp.host, otlp.port)} ` : '';
  terminal.out(`\nSend to it:  ${elsewhere}node --import o11y-kit/preload app.js`);
  if (otlp !== undefined && (await portOwner(otlp.port)).kind !== 'collector')
    terminal.error(
      `But nothing takes telemetry at ${urlOf(otlp.host, otlp.port)}, though the collector is healthy: look at firewall and VPN.`,
    );
  if (demo) terminal.out('The demo has visitors: in a minute the dashboards show them.');
  const grafana = all.find(({ service }) => service === 'grafana');
  if (grafana !== undefined)
    terminal.out(`Password of Grafana's admin:  docker exec ${grafana.name} cat /var/lib/grafana/admin_password`);
  terminal.out('How it does: o11y-kit status    Stop it: o11y-kit down');
}
