import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Trouble } from '../command.ts';
import { docker, type Env } from './docker.ts';
import { type Choice, overlaysOf, type Stack } from './stack.ts';

/** A port that a service is to get on this machine. */
export interface Wanted {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  readonly target: number;
}

/** What the compose files come to once variables, overlays and profiles are resolved. */
export interface Model {
  readonly services: readonly string[];
  readonly ports: readonly Wanted[];
  /** The most that all containers together may take. */
  readonly memoryBytes: number;
}

/**
 * Has compose read its files.
 *
 * @throws {Trouble} with what compose objects to
 */
export async function modelOf({ compose, services: named }: Choice, env: Env): Promise<Model> {
  const { code, out, err } = await docker([...compose, 'config', '--format', 'json', ...named], env);
  if (code !== 0) throw new Trouble(`The compose files are not accepted:\n${err.trim()}`);
  const services = Object.entries<any>(JSON.parse(out).services ?? {});
  return {
    services: services.map(([name]) => name).sort(),
    ports: services.flatMap(([service, { ports }]) =>
      (ports ?? [])
        .filter((one: any) => Number(one.published) > 0 && (one.protocol ?? 'tcp') === 'tcp')
        .map((one: any) => ({ service, host: one.host_ip ?? '', port: Number(one.published), target: one.target })),
    ),
    memoryBytes: services.reduce((sum, [, one]) => sum + Number(one.mem_limit ?? one.deploy?.resources?.limits?.memory ?? 0), 0),
  };
}

/** Name of the variable that holds a port, by the port inside the container: read from how the files publish it. */
export function portVariables({ folder }: Stack): Map<number, { name: string; standard: number }> {
  const files = ['compose.yaml', ...overlaysOf(folder).map((name) => `overlays/${name}.yaml`)];
  return new Map(
    files
      .map((name) => join(folder, name))
      .filter((file) => existsSync(file))
      .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\$\{(\w+_PORT):-(\d+)\}:(\d+)/g)])
      .map(([, name, standard, target]) => [Number(target), { name, standard: Number(standard) }]),
  );
}

/** Every port moved up, but for those that the environment names. */
export function withOffset(stack: Stack, offset: number, env: Env): Env {
  if (offset === 0) return env;
  const moved = [...portVariables(stack).values()].map(({ name, standard }) => [name, String(standard + offset)]);
  return { ...Object.fromEntries(moved), ...Object.fromEntries(Object.entries(env).filter(([, value]) => value)) };
}
