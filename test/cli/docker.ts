import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const STAND_IN = join(import.meta.dirname, 'docker-stand-in.mjs');

/** What the stand-in is to show; nothing of it, and all is well. */
export interface Scenario {
  /** The daemon's error, in the client's words, or `hangs`. */
  info?: string;
  /** A client that ends with 0 all the same. */
  oldClient?: boolean;
  /** Facts of `docker info`. */
  server?: { MemTotal?: number; OSType?: string; OperatingSystem?: string; ServerVersion?: string; DockerRootDir?: string };
  /** Where the client finds the daemon. */
  host?: string;
  /** Version of the plugin; null: it is not installed. */
  compose?: string | null;
  oldCompose?: boolean;
  /** What compose objects to in its files. */
  config?: string;
  up?: 'hangs' | 'pull fails';
  down?: string;
  /** What a container shows instead of being healthy, by service. */
  containers?: Record<string, { State?: string; Health?: string; ExitCode?: number; Publishers?: unknown[] }>;
  /** `docker inspect` and `docker logs` of a container. */
  states?: Record<string, unknown>;
  logs?: Record<string, string>;
  /** Names of containers that publish a port. */
  holders?: Record<string, string>;
}

export interface State {
  readonly containers: readonly { readonly Service: string }[];
  readonly volumes: readonly string[];
  readonly env?: string;
}

export interface Docker {
  /** Environment with the stand-in before everything on PATH, and free ports for the stack. */
  readonly env: Record<string, string>;
  readonly ports: Record<PortName, number>;
  /** What it was called with, without what only asks for facts. */
  calls(): string[][];
  /** The variables of compose itself that reached it. */
  composeVariables(): string[];
  /** Changes what it shows. */
  show(scenario: Scenario): void;
  /** What it believes to run. */
  state(): State | undefined;
  /** Makes it believe something else. */
  change(to: (state: State) => State): void;
}

const PORTS = ['GRAFANA', 'PROMETHEUS', 'ALERTMANAGER', 'LOKI', 'TEMPO', 'OTLP_GRPC', 'OTLP_HTTP', 'DEMO'] as const;
type PortName = (typeof PORTS)[number];

/** A `docker` command for one test. */
export async function standIn(scenario: Scenario = {}): Promise<Docker> {
  const folder = mkdtempSync(join(tmpdir(), 'docker-stand-in-'));
  writeFileSync(join(folder, 'docker'), `#!/bin/sh\nexec "${process.execPath}" "${STAND_IN}" "$@"\n`);
  chmodSync(join(folder, 'docker'), 0o755);
  const show = (what: Scenario) => writeFileSync(join(folder, 'scenario.json'), JSON.stringify(what));
  show(scenario);
  const numbers = await freePorts(PORTS.length);
  const ports = Object.fromEntries(PORTS.map((name, index) => [name, numbers[index]])) as Record<PortName, number>;
  function state(): State | undefined {
    const file = join(folder, 'state.json');
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  }
  const log = () =>
    readFileSync(join(folder, 'calls.log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { args: string[]; compose: string[] });
  return {
    env: {
      PATH: `${folder}${delimiter}${process.env.PATH}`,
      DOCKER_STAND_IN: folder,
      DOCKER_HOST: '',
      ...Object.fromEntries(PORTS.map((name) => [`${name}_PORT`, String(ports[name])])),
    },
    ports,
    show,
    calls: () => log().map(({ args }) => args),
    composeVariables: () => log().flatMap(({ compose }) => compose),
    state,
    change: (to) => writeFileSync(join(folder, 'state.json'), JSON.stringify(to(state()!))),
  };
}

/** Ports that were free a moment ago, all different: their sockets are open side by side. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
