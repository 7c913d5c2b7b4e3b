import { portOwner } from '../port-owner.ts';
import type { Container } from './containers.ts';
import type { Env } from './docker.ts';
import { isFree, listenerOn, nextFree } from './listener.ts';
import type { Wanted } from './model.ts';
import { titleOf } from './services.ts';

const OTLP_HTTP = 4318;

/**
 * Says of each port that the stack wants and someone else has: who has it, and how to take another.
 *
 * @param variables name of the variable of a port, by the port inside the container
 * @returns a text for each, none if all are free or are the stack's own already
 */
export async function takenPorts(
  wanted: readonly Wanted[],
  own: readonly Container[],
  variables: ReadonlyMap<number, { name: string }>,
  env: Env,
): Promise<string[]> {
  const ours = new Set(own.flatMap(({ ports }) => ports.map(({ port }) => port)));
  const texts: string[] = [];
  for (const one of wanted) {
    if (ours.has(one.port) || (await isFree(one.host, one.port))) continue;
    const variable = variables.get(one.target)?.name;
    const other = variable === undefined ? '' : `, or: ${variable}=${await nextFree(one.host, one.port)} o11y-kit up`;
    texts.push(`Port ${one.port} (${titleOf(one.service, one.target)}) is taken by ${await holder(one, env)}${other}`);
  }
  return texts;
}

async function holder({ port, target }: Wanted, env: Env): Promise<string> {
  const who = await listenerOn(port, env);
  const by = who === '' ? '' : `, ${who}`;
  if (target === OTLP_HTTP) {
    const owner = await portOwner(port);
    if (owner.kind === 'viewer')
      return `the viewer of o11y-kit${by}.\n  End it (Ctrl-C there): the stack takes its place, and no setting of an app changes`;
    if (owner.kind === 'collector') return `another OpenTelemetry collector${by}.\n  Stop it`;
  }
  return `${who || 'someone whom this user may not see'}.\n  Stop it`;
}
