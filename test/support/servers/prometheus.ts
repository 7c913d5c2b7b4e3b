import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { needs } from '../needs.ts';
import { type Server, serverFolder, startProgram } from './program.ts';

/** A series of an answer: with one value, or with those of a range. Values are text, as Prometheus gives them. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

export interface PrometheusServer extends Server {
  readonly url: string;
  /** An instant query. @throws with Prometheus's own words if it refuses it */
  query(expr: string, time?: number): Promise<Series[]>;
  /** A query over a range; times and step in seconds. */
  queryRange(expr: string, start: number, end: number, step: number): Promise<Series[]>;
  /** Any path below `/api/v1`, with its `data`. */
  ask(path: string, parameters?: Readonly<Record<string, string>>): Promise<any>;
  /** Reads its configuration and its rules again. */
  reload(): Promise<void>;
}

export interface PrometheusOptions {
  /** Text of `prometheus.yml`. */
  readonly config: string;
  /** Further flags, after those for the folder, the address, exemplars and reloading. */
  readonly flags?: readonly string[];
  /** The program; by default the one on PATH. */
  readonly command?: string;
  /** Its port, where somebody has to know it before; by default a free one. */
  readonly port?: number;
}

/** For a test's `skip` option. */
export const needsPrometheus = needs('prometheus');

/** A Prometheus of our own on a free port, with exemplars kept. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const { config, flags = [], command, port = await freePort() } = options;
  const program = command ?? 'prometheus';
  const cwd = serverFolder('prometheus');
  const file = join(cwd, 'prometheus.yml');
  writeFileSync(file, config);
  const url = `http://127.0.0.1:${port}`;
  const server = await startProgram({
    command: program,
    args: [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(cwd, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-lifecycle',
      '--enable-feature=exemplar-storage',
      '--log.level=warn',
      ...flags,
    ],
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

  return {
    ...server,
    url,
    ask,
    query: async (expr, time) => (await ask('/query', { query: expr, ...(time ? { time: String(time) } : {}) })).result,
    queryRange: async (query, start, end, step) =>
      (await ask('/query_range', { query, start: String(start), end: String(end), step: String(step) })).result,
    async reload() {
      const response = await fetch(`${url}/-/reload`, { method: 'POST' });
      if (!response.ok) throw new Error(`Prometheus does not reload: ${await response.text()}`);
    },
  };
}

/** `promtool <args>` on a file; its words if it finds fault, otherwise an empty text. */
export function promtool(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', timeout: 180_000 });
  return status === 0 ? '' : `${stdout}${stderr}`;
}
