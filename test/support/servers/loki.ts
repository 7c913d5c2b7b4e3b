import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPOSE, stackEnv, withReplacements } from '../compose.ts';
import { freePort } from '../free-port.ts';
import { findProgram, needs } from '../needs.ts';
import { type Server, serverFolder, startProgram } from './program.ts';

/** A stream of a LogQL answer; structured metadata is among its labels. */
export interface LogStream {
  readonly stream: Readonly<Record<string, string>>;
  /** `[nanoseconds, line]`. */
  readonly values: readonly (readonly [string, string])[];
}

export interface LokiServer extends Server {
  readonly url: string;
  /** A LogQL query for lines of the last hour. */
  lines(query: string): Promise<readonly LogStream[]>;
  /** `data` of an answer of its API. */
  ask(path: string): Promise<any>;
}

export interface LokiOptions {
  /** Folder of rule files. */
  readonly rules: string;
  readonly alertmanager: string;
}

/** For a test's `skip` option. */
export const needsLoki: string | false = needs('loki');

/** Loki with the stack's `loki.yaml`, but for addresses and paths. */
export async function startLoki({ rules, alertmanager }: LokiOptions): Promise<LokiServer> {
  const command = findProgram('loki');
  if (command === undefined) throw new Error(String(needsLoki));
  const [port, grpc] = await Promise.all([freePort(), freePort()]);
  const cwd = serverFolder('loki');
  mkdirSync(join(cwd, 'data'));
  const file = join(cwd, 'loki.yaml');
  writeFileSync(
    file,
    withReplacements(join(COMPOSE, 'loki/loki.yaml'), {
      'http_listen_port: 3100': `http_listen_address: 127.0.0.1\n  http_listen_port: ${port}`,
      'grpc_listen_port: 9095': `grpc_listen_address: 127.0.0.1\n  grpc_listen_port: ${grpc}`,
      '/etc/o11y-kit/loki-rules': rules,
      ' /loki': ` ${join(cwd, 'data')}`,
      'http://alertmanager:9093': alertmanager,
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  const server = await startProgram({
    command,
    args: [`-config.file=${file}`, '-config.expand-env=true'],
    cwd,
    port,
    env: { ...process.env, ...stackEnv() },
    answers: async () => (await fetch(`${url}/ready`)).ok,
  });

  async function ask(path: string): Promise<any> {
    const response = await fetch(url + path);
    if (!response.ok) throw new Error(`Loki answered ${response.status} to ${path}: ${await response.text()}`);
    return ((await response.json()) as { data: unknown }).data;
  }
  return {
    ...server,
    url,
    ask,
    async lines(query) {
      const parameters = new URLSearchParams({ query, since: '1h', limit: '1000' });
      return (await ask(`/loki/api/v1/query_range?${parameters}`)).result;
    },
  };
}
