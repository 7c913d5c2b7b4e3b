import { Trouble } from '../command.ts';
import { type Answer, docker, type Env } from './docker.ts';

/** What runs the containers. */
export interface Engine {
  /** Bytes of memory: of this machine, or of Docker Desktop's virtual machine. */
  readonly memoryBytes: number;
  /** Docker Desktop, whose resources are settings of its own. */
  readonly desktop: boolean;
  /** Installed as a snap, which sees only a part of the file system. */
  readonly snap: boolean;
  /** Version of the compose plugin. */
  readonly compose: string;
}

/** The first that do everything the compose files say: `!reset`, and `start_interval` of health checks. */
const LEAST_COMPOSE = '2.24.4';
const LEAST_ENGINE = '25.0.0';
const INSTALL = 'https://docs.docker.com/engine/install/';
const VIEW = 'Without Docker, `o11y-kit view` shows traces, logs and metrics of this machine in one process.';

/**
 * Finds out whether containers can be run here.
 *
 * @throws {Trouble} that says what is missing and how to get it
 */
export async function engine(env: Env): Promise<Engine> {
  const [info, host, plugin] = await Promise.all([
    docker(['info', '--format', '{{json .}}'], env),
    endpoint(env),
    docker(['compose', 'version', '--short'], env),
  ]);
  if (info.code === 127) throw new Trouble(`Docker is not installed, or \`docker\` is not on PATH: ${INSTALL}\n${VIEW}`);
  const facts = parse(info);
  // Older clients say it in this list and end with 0.
  const problems = [info.err, ...(facts.ServerErrors ?? [])].join('\n').trim();
  if (info.code !== 0 || !facts.MemTotal) throw new Trouble(unreachable(problems, host));
  if (facts.OSType && facts.OSType !== 'linux')
    throw new Trouble(
      `Docker runs ${facts.OSType} containers; the stack needs Linux containers. Docker Desktop's menu has the switch.`,
    );
  if (isBelow(facts.ServerVersion ?? '', LEAST_ENGINE))
    throw new Trouble(`Docker Engine ${facts.ServerVersion} is too old: ${LEAST_ENGINE} or later is needed. ${INSTALL}`);
  if (!isLocal(host))
    throw new Trouble(
      `The Docker daemon runs on another machine (${host}), which cannot read the stack's files on this one.\n` +
        'Run the command there, or choose a local daemon: docker context use default, and no DOCKER_HOST.',
    );
  return {
    memoryBytes: facts.MemTotal,
    desktop: /docker desktop/i.test(facts.OperatingSystem ?? ''),
    snap: /^\/var\/snap\//.test(facts.DockerRootDir ?? ''),
    compose: compose(plugin),
  };
}

interface Info {
  MemTotal?: number;
  OSType?: string;
  ServerVersion?: string;
  OperatingSystem?: string;
  DockerRootDir?: string;
  ServerErrors?: string[] | null;
}

function parse({ out }: Answer): Info {
  try {
    return JSON.parse(out) ?? {};
  } catch {
    return {};
  }
}

function unreachable(problems: string, host: string): string {
  const at = host === '' ? '' : ` at ${host}`;
  if (/permission denied/i.test(problems))
    return (
      `Docker does not let this user in: permission denied${at}.\n` +
      'Add yourself to its group and log in again: sudo usermod -aG docker "$USER"   (who is in that group can become root)\n' +
      'or run Docker without root: https://docs.docker.com/engine/security/rootless/'
    );
  const nobody =
    /cannot connect|is the docker daemon running|connection refused|no such (file|host)|failed to connect|error during connect/i;
  if (problems === '' || nobody.test(problems)) {
    const start =
      process.platform === 'linux' ? 'sudo systemctl start docker, or start Docker Desktop.' : 'start Docker Desktop.';
    const context = /^unix:\/\/\/var\/run\/docker\.sock$|^npipe:|^$/.test(host)
      ? ''
      : '\nIs that the right one? `docker context ls` lists what there is; DOCKER_HOST overrides it.';
    return `No Docker daemon answers${at}. Start it: ${start}${context}\n${VIEW}`;
  }
  return `Docker cannot be used: ${problems}`;
}

/** Where the client looks for the daemon; empty if it does not tell (podman's stand-in). */
async function endpoint(env: Env): Promise<string> {
  const { code, out } = await docker(['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'], env);
  return code === 0 ? out.trim() : (env.DOCKER_HOST ?? '');
}

function isLocal(host: string): boolean {
  return host === '' || /^(unix|npipe):/.test(host) || /^tcp:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$)/.test(host);
}

/** @throws {Trouble} */
function compose({ code, out }: Answer): string {
  const version = out.trim().replace(/^v/, '');
  if (code !== 0 || version === '')
    throw new Trouble(
      `Docker is there, but its plugin \`docker compose\` is not (docker-compose, version 1, cannot stand in).\n` +
        'Debian, Ubuntu, Fedora: the package docker-compose-plugin; others: https://docs.docker.com/compose/install/',
    );
  if (isBelow(version, LEAST_COMPOSE))
    throw new Trouble(
      `Docker Compose ${version} is too old: ${LEAST_COMPOSE} or later is needed. https://docs.docker.com/compose/install/`,
    );
  return version;
}

/** Of what is no version it is not known, and not held against it. */
function isBelow(version: string, least: string): boolean {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  if (numbers === undefined) return false;
  const wanted = least.split('.').map(Number);
  const first = numbers.findIndex((number, index) => number !== wanted[index]);
  return first !== -1 && numbers[first] < wanted[first];
}
