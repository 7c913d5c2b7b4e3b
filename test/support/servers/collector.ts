import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { COMPOSE, withReplacements } from '../compose.ts';
import { freePort } from '../free-port.ts';
import { findProgram } from '../needs.ts';
import { type Server, serverFolder, startProgram } from './program.ts';

export interface CollectorServer extends Server {
  /** Base address for OTLP/HTTP. */
  readonly url: string;
  readonly health: string;
}

export interface CollectorOptions {
  /** `host:port` of Tempo's OTLP/gRPC. */
  readonly tempo: string;
  readonly loki: string;
  readonly prometheus: string;
  /** Files that are laid over `collector.yaml`: of `compose/collector`, or anywhere by an absolute path. */
  readonly overlays?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The collector's names: of the contrib distribution, of the core one, of one that was built for oneself. */
export const collectorProgram = (): string | undefined =>
  ['otelcol-contrib', 'otelcol', 'otelcol-custom'].map(findProgram).find((path) => path !== undefined);

/** For a test's `skip` option. */
export const needsCollector: string | false = collectorProgram()
  ? false
  : 'needs collector: no otelcol-contrib on PATH (https://github.com/open-telemetry/opentelemetry-collector-releases)';

/** The OpenTelemetry Collector with the stack's `collector.yaml`, but for addresses. */
export async function startCollector(options: CollectorOptions): Promise<CollectorServer> {
  const { tempo, loki, prometheus, overlays = [], env } = options;
  const command = collectorProgram();
  if (command === undefined) throw new Error(String(needsCollector));
  const [port, grpc, health, metrics] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const cwd = serverFolder('collector');
  const file = join(cwd, 'collector.yaml');
  writeFileSync(
    file,
    withReplacements(join(COMPOSE, 'collector/collector.yaml'), {
      '0.0.0.0:4317': `127.0.0.1:${grpc}`,
      '0.0.0.0:4318': `127.0.0.1:${port}`,
      '0.0.0.0:13133': `127.0.0.1:${health}`,
      'host: 0.0.0.0, port: 8888': `host: 127.0.0.1, port: ${metrics}`,
      'tempo:4317': tempo,
      'http://loki:3100': loki,
      'http://prometheus:9090': prometheus,
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  const healthUrl = `http://127.0.0.1:${health}/`;
  const server = await startProgram({
    command,
    args: [file, ...overlays.map((name) => resolve(COMPOSE, 'collector', name))].map((path) => `--config=${path}`),
    cwd,
    port,
    env: { ...process.env, ...env },
    answers: async () => (await fetch(healthUrl)).ok,
  });
  return { ...server, url, health: healthUrl };
}
