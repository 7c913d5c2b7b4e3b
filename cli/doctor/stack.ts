import { type Config, otlpTarget } from '../../instrumentation/config.ts';
import { type Container, containers, isWell } from '../stack/containers.ts';
import type { Env } from '../stack/docker.ts';
import { urlOf } from '../stack/services.ts';
import { type Finding, findings } from './finding.ts';

const { ok, note, problem } = findings('Backend');

const SUBJECT = 'the stack in Docker';
/** Whoever has no Docker, or a slow one, does not wait for it. */
const TIMEOUT_MS = 3000;

/** Whether the stack of `o11y-kit up` runs on this machine, and whether it is what the app sends to. Nothing if there is none. */
export async function stackOf(config: Config, env: Env): Promise<Finding[]> {
  const all = await containers(env, TIMEOUT_MS).catch(() => []);
  if (!all.some(({ state }) => state === 'running')) return [];
  const unwell = all.filter((one) => !isWell(one)).map(({ service }) => service);
  if (unwell.length > 0)
    return [problem(SUBJECT, `${unwell.join(', ')}: not well`, '`o11y-kit status` says how it does, `o11y-kit up` why.')];
  const at = collector(all);
  if (at === undefined) return [note(SUBJECT, 'runs, but its collector is open to no port of this machine.')];
  if (wants(config, at.port)) return [ok(SUBJECT, `runs, and takes what is sent to ${at.url}`)];
  return [
    note(SUBJECT, `runs, but takes what is sent to ${at.url}: not what this app sends.`, `OTEL_EXPORTER_OTLP_ENDPOINT=${at.url}`),
  ];
}

function collector(all: readonly Container[]): { url: string; port: number } | undefined {
  const port = all.find(({ service }) => service === 'collector')?.ports.find(({ target }) => target === 4318);
  return port && { url: urlOf(port.host, port.port), port: port.port };
}

function wants(config: Config, port: number): boolean {
  const { hostname, port: given, protocol } = new URL(otlpTarget(config, 'traces').url);
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return local && Number(given || (protocol === 'https:' ? 443 : 80)) === port;
}
