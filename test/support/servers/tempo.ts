import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPOSE, stackEnv, withReplacements } from '../compose.ts';
import { freePort } from '../free-port.ts';
import { findProgram, needs } from '../needs.ts';
import { type Server, serverFolder, startProgram } from './program.ts';

/** A trace that a search found. */
export interface FoundTrace {
  readonly traceID: string;
  readonly rootServiceName: string;
  readonly rootTraceName: string;
  readonly durationMs: number;
}

export interface TempoServer extends Server {
  readonly url: string;
  readonly otlpGrpc: string;
  readonly otlpHttp: string;
  /** A TraceQL search over the last hour. */
  search(query: string): Promise<readonly FoundTrace[]>;
  /** A trace by its id, as OTLP JSON; undefined where Tempo has none. */
  trace(id: string): Promise<any>;
}

/** For a test's `skip` option. */
export const needsTempo: string | false = needs('tempo');

/** Tempo with the stack's `tempo.yaml`, but for addresses and paths. `remoteWrite` is where the metrics of its generator go. */
export async function startTempo({ remoteWrite }: { remoteWrite: string }): Promise<TempoServer> {
  const command = findProgram('tempo');
  if (command === undefined) throw new Error(String(needsTempo));
  const [port, inner, grpc, http] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const cwd = serverFolder('tempo');
  const file = join(cwd, 'tempo.yaml');
  writeFileSync(
    file,
    withReplacements(join(COMPOSE, 'tempo/tempo.yaml'), {
      'http_listen_port: 3200': `http_listen_address: 127.0.0.1\n  http_listen_port: ${port}`,
      'grpc_listen_port: 9095': `grpc_listen_address: 127.0.0.1\n  grpc_listen_port: ${inner}`,
      '0.0.0.0:4317': `127.0.0.1:${grpc}`,
      '0.0.0.0:4318': `127.0.0.1:${http}`,
      '/var/tempo': cwd,
      'http://prometheus:9090': remoteWrite,
    }) + placesByDefault(cwd, await freePort(), inner),
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
  return {
    ...server,
    url,
    otlpGrpc: `127.0.0.1:${grpc}`,
    otlpHttp: `http://127.0.0.1:${http}`,
    async search(query) {
      const now = Math.ceil(Date.now() / 1000);
      const range = { start: String(now - 3600), end: String(now + 1) };
      const response = await fetch(`${url}/api/search?${new URLSearchParams({ q: query, ...range })}`);
      if (!response.ok) throw new Error(`Tempo answered ${response.status} to ${query}: ${await response.text()}`);
      return ((await response.json()) as { traces?: FoundTrace[] }).traces ?? [];
    },
    async trace(id) {
      const response = await fetch(`${url}/api/v2/traces/${id}`);
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`Tempo answered ${response.status} for trace ${id}: ${await response.text()}`);
      return ((await response.json()) as { trace?: unknown }).trace;
    },
  };
}

/** Addresses and paths that the file leaves to their defaults, which in a container are its own. */
function placesByDefault(folder: string, gossip: number, grpc: number): string {
  return `
memberlist: { bind_addr: [127.0.0.1], bind_port: ${gossip}, advertise_addr: 127.0.0.1 }
querier: { frontend_worker: { frontend_address: '127.0.0.1:${grpc}' } }
backend_worker: { backend_scheduler_addr: '127.0.0.1:${grpc}' }
backend_scheduler: { local_work_path: ${folder}/work }
`;
}
