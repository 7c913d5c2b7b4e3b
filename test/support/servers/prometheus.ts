import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCompose } from '../compose.ts';
import { freePort } from '../free-port.ts';
import { findProgram, needs } from '../needs.ts';
import { configFor, flagsFor, majorVersion } from './older-prometheus.ts';
import { type Server, serverFolder, startProgram } from './program.ts';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface PrometheusServer extends Server {
  readonly url: string;
  readonly major: number;
  /** `data` of an answer of its API; the path begins after `/api/v1`. */
  ask(path: string, parameters?: Readonly<Record<string, string>>): Promise<any>;
  /** An instant query. */
  query(expression: string): Promise<readonly Sample[]>;
}

export interface PrometheusOptions {
  /** The text of its `prometheus.yml`; keys that the machine's version does not know are taken out. */
  readonly config: string;
  /** Its port, where somebody has to know it before. */
  readonly port?: number;
}

/** For a test's `skip` option. */
export const needsPrometheus: string | false = needs('prometheus', 'promtool');

/** Flags of the stack's that name a place of the container. */
const PLACES = /^--(config\.file|storage\.tsdb\.path|web\.external-url|web\.route-prefix)=/;

/** A Prometheus with the flags of the stack's. */
export async function startPrometheus({ config, port: given }: PrometheusOptions): Promise<PrometheusServer> {
  const command = findProgram('prometheus');
  if (command === undefined) throw new Error(String(needsPrometheus));
  const major = majorVersion(command);
  const port = given ?? (await freePort());
  const cwd = serverFolder('prometheus');
  const file = join(cwd, 'prometheus.yml');
  writeFileSync(file, configFor(major, config));
  const flags = flagsFor(major, readCompose().services.prometheus.command ?? []).filter((flag) => !PLACES.test(flag));
  const url = `http://127.0.0.1:${port}`;
  const places = [`--config.file=${file}`, `--storage.tsdb.path=${join(cwd, 'data')}`, `--web.listen-address=127.0.0.1:${port}`];
  const server = await startProgram({
    command,
    args: [...places, ...flags, '--log.level=warn'],
    cwd,
    port,
    answers: async () => (await fetch(`${url}/-/ready`)).ok,
  });

  async function ask(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<any> {
    const response = await fetch(`${url}/api/v1${path}?${new URLSearchParams(parameters)}`);
    const { status, data, error } = (await response.json()) as { status: string; data: unknown; error?: string };
    if (status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${error}`);
    return data;
  }
  return { ...server, url, major, ask, query: async (expression) => (await ask('/query', { query: expression })).result };
}
