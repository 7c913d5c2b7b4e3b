import { Trouble } from '../command.ts';
import { docker, type Env } from './docker.ts';

/** The name under which compose keeps everything of the stack, wherever its files lie. */
export const PROJECT = 'o11y-kit';

/** A container of the stack. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  /** As Docker has it: `running`, `exited`, `restarting`, `created`, `paused`, `dead`. */
  readonly state: string;
  /** `healthy`, `unhealthy`, `starting`, or empty where there is no check. */
  readonly health: string;
  /** State, age and health in Docker's words. */
  readonly status: string;
  readonly exitCode: number;
  readonly ports: readonly Published[];
}

/** A port of a container that can be reached on this machine. */
export interface Published {
  readonly host: string;
  readonly port: number;
  /** The port inside. */
  readonly target: number;
}

/**
 * The containers of the stack, running or not; found by the project's name, so no compose file is needed.
 *
 * @throws {Trouble}
 */
export async function containers(env: Env, timeoutMs?: number): Promise<Container[]> {
  const { code, out, err } = await docker(
    ['compose', '--project-name', PROJECT, 'ps', '--all', '--no-trunc', '--format', 'json'],
    env,
    timeoutMs,
  );
  if (code !== 0) throw new Trouble(`Docker Compose cannot list the containers: ${err.trim() || `exit code ${code}`}`);
  try {
    return rows(out).map(container);
  } catch {
    throw new Trouble(`Docker Compose lists the containers in a form that is not known: ${out.slice(0, 200)}`);
  }
}

/** Since 2.21 a row is a line, before all were one array. */
function rows(out: string): any[] {
  const text = out.trim();
  if (text === '') return [];
  if (text.startsWith('[')) return JSON.parse(text);
  return text.split('\n').map((line) => JSON.parse(line));
}

function container(row: any): Container {
  return {
    id: row.ID,
    name: row.Name,
    service: row.Service,
    state: row.State,
    health: row.Health ?? '',
    status: row.Status ?? row.State,
    exitCode: row.ExitCode ?? 0,
    ports: (row.Publishers ?? [])
      .filter((one: any) => one.PublishedPort > 0 && one.Protocol === 'tcp')
      .map((one: any) => ({ host: one.URL, port: one.PublishedPort, target: one.TargetPort })),
  };
}

/** Whether it does what it is there for. One that had a job and did it has ended with 0. */
export function isWell({ state, health, exitCode }: Container): boolean {
  if (state === 'exited') return exitCode === 0;
  return state === 'running' && (health === '' || health === 'healthy');
}
