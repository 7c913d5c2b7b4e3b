import { stripVTControlCharacters } from 'node:util';
import { safe } from '../../viewer/terminal/text.ts';
import { type Container, isWell } from './containers.ts';
import { docker, type Env } from './docker.ts';

const LINES = 12;
const MOST_CHARACTERS = 400;

/** Why services do not run, as far as Docker and they themselves tell: their state, and the last lines of their logs. */
export async function explain(all: readonly Container[], env: Env): Promise<string[]> {
  const broken = all.filter((one) => !isWell(one));
  // What was made and never started, or has only begun to start, mostly waits for one of the others.
  const [waiting, starting] = [
    broken.filter(({ state }) => state === 'created'),
    broken.filter(({ health }) => health === 'starting'),
  ];
  const worst = broken.filter((one) => !waiting.includes(one) && !starting.includes(one));
  const culprits = [worst, starting, waiting].find((some) => some.length > 0) ?? [];
  const lines: string[] = [];
  for (const one of culprits) lines.push(...(await story(one, env)), '');
  const others = (some: readonly Container[]) => some.map(({ service }) => service).join(', ');
  if (culprits === worst && starting.length > 0) lines.push(`Still starting: ${others(starting)}`);
  if (culprits !== waiting && waiting.length > 0) lines.push(`Not started, as they wait for others: ${others(waiting)}`);
  if (lines.length > 0 && lines.at(-1) !== '') lines.push('');
  return lines;
}

async function story(one: Container, env: Env): Promise<string[]> {
  const state = await inspect(one, env);
  const check = state.Health?.Log?.at(-1);
  const facts = [
    ...(state.OOMKilled
      ? [`it was killed at its bound of memory: raise ${one.service.toUpperCase().replaceAll('-', '_')}_MEMORY`]
      : []),
    ...(state.Error ? [`Docker says: ${clean(state.Error)}`] : []),
    ...(one.health !== 'healthy' && check?.Output?.trim()
      ? [`its health check says: ${clean(check.Output.trim().split('\n').at(-1)!)}`]
      : []),
  ];
  const log = await lastLines(one, env);
  return [
    `${one.service}: ${describe(one)}`,
    ...facts.map((fact) => `  ${fact}`),
    ...log.map((line) => `  | ${line}`),
    `  all of it: docker logs ${one.name}`,
  ];
}

/** State and health in one or two words. */
export function describe({ state, health, exitCode }: Container): string {
  if (state === 'running') return health === '' ? 'running' : health;
  if (state === 'exited') return `ended with exit code ${exitCode}`;
  if (state === 'restarting') return 'ends and is started again and again';
  return state;
}

interface State {
  OOMKilled?: boolean;
  Error?: string;
  Health?: { Log?: { Output?: string }[] | null };
}

async function inspect({ id }: Container, env: Env): Promise<State> {
  const { code, out } = await docker(['inspect', '--format', '{{json .State}}', id], env);
  try {
    return code === 0 ? JSON.parse(out) : {};
  } catch {
    return {};
  }
}

async function lastLines({ id }: Container, env: Env): Promise<string[]> {
  const { out, err } = await docker(['logs', '--tail', String(LINES), id], env);
  return `${out}${err}`
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-LINES)
    .map(clean);
}

function clean(line: string): string {
  const text = safe(stripVTControlCharacters(line));
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
