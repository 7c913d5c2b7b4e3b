/** What is measured: apps, variants, and which of them in which round. */
import { join } from 'node:path';
import { root } from '../../scripts/tools.ts';

export type AppName = 'express' | 'fastify' | 'service';
export type ModuleSystem = 'cjs' | 'esm';

export const APPS: Readonly<Record<AppName, { readonly letter: string; readonly title: string; readonly path: string }>> = {
  express: { letter: 'a', title: 'Express route', path: '/users/42' },
  fastify: { letter: 'b', title: 'Fastify route', path: '/users/42' },
  service: { letter: 'c', title: 'Express route with a pino line, a pg query and a fetch', path: '/orders/42' },
};

/** Of the apps, the same in every folder. */
export const APP_PACKAGES = { express: '5.3.0', fastify: '5.12.8', pino: '10.4.0', pg: '8.23.1' } as const;

/** Which part of the telemetry a variant delivers as it is set up here; what it does not is no loss. */
export interface Delivers {
  readonly spans: boolean;
  /** The app's own log lines, with the trace's id. */
  readonly logs: boolean;
  readonly metrics: 'otlp' | 'page' | false;
  /** Access lines that it writes for a request that the app does not log. */
  readonly accessLines?: boolean;
}

export interface Ports {
  readonly sink: number;
  readonly metrics: number;
}

export interface Variant {
  readonly name: string;
  readonly title: string;
  /** The folder that it runs in; variants that differ in settings only share one. */
  readonly folder: string;
  /** Beside {@link APP_PACKAGES}. `pack` is this tree, packed. */
  readonly packages: Readonly<Record<string, string>> | 'pack';
  /** Node's flags, as its documentation gives them. Paths are relative to the folder. */
  readonly flags: Readonly<Record<ModuleSystem, readonly string[]>>;
  env(ports: Ports): Record<string, string>;
  readonly delivers: Delivers;
  /** Share of the requests that are to have spans. */
  readonly sampled: number;
}

const NOTHING: Delivers = { spans: false, logs: false, metrics: false };
const kitFlags = ['--import', 'o11y-kit/preload'];
const kit = {
  folder: 'o11y-kit',
  packages: 'pack',
  flags: { cjs: kitFlags, esm: kitFlags },
  sampled: 1,
} as const;

function kitEnv({ sink, metrics }: Ports): Record<string, string> {
  return {
    ...otlp(sink),
    OTEL_EXPORTER_PROMETHEUS_PORT: String(metrics),
  };
}

function otlp(sink: number): Record<string, string> {
  return { OTEL_SERVICE_NAME: 'bench', OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sink}` };
}

/** Detectors that ask a cloud's metadata address would only wait for nothing here. */
const LOCAL_DETECTORS = { OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process' };

export const VARIANTS: readonly Variant[] = [
  {
    name: 'bare',
    title: 'bare',
    folder: 'bare',
    packages: {},
    flags: { cjs: [], esm: [] },
    env: () => ({}),
    delivers: NOTHING,
    sampled: 0,
  },
  {
    ...kit,
    name: 'kit',
    title: 'o11y-kit, no access lines',
    env: (ports) => ({ ...kitEnv(ports), O11Y_ACCESS_LOG: 'off' }),
    delivers: { spans: true, logs: true, metrics: 'page' },
  },
  {
    ...kit,
    name: 'kit-as-it-comes',
    title: 'o11y-kit as it comes',
    env: kitEnv,
    delivers: { spans: true, logs: true, metrics: 'page', accessLines: true },
  },
  {
    ...kit,
    name: 'kit-1-percent',
    title: 'o11y-kit, no access lines, 1 % sampled',
    env: (ports) => ({
      ...kitEnv(ports),
      O11Y_ACCESS_LOG: 'off',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
    }),
    delivers: { spans: true, logs: true, metrics: 'page' },
    sampled: 0.01,
  },
  {
    name: 'otel',
    title: 'OpenTelemetry auto-instrumentations',
    folder: 'otel',
    packages: { '@opentelemetry/auto-instrumentations-node': '0.82.0', '@opentelemetry/api': '1.10.0' },
    flags: {
      cjs: ['--require', '@opentelemetry/auto-instrumentations-node/register'],
      // Without the loader hook an ESM app gets no spans of its framework.
      esm: ['--import', './peers/otel-esm.mjs', '--import', '@opentelemetry/auto-instrumentations-node/register'],
    },
    env: ({ sink }) => ({
      ...otlp(sink),
      ...LOCAL_DETECTORS,
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'otlp',
    }),
    delivers: { spans: true, logs: true, metrics: 'otlp' },
    sampled: 1,
  },
  {
    name: 'dd-trace',
    title: 'dd-trace',
    folder: 'dd-trace',
    packages: { 'dd-trace': '6.21.0' },
    flags: { cjs: ['--require', 'dd-trace/init'], esm: ['--import', 'dd-trace/initialize.mjs'] },
    env: ({ sink }) => ({ DD_TRACE_AGENT_URL: `http://127.0.0.1:${sink}`, DD_SERVICE: 'bench' }),
    // Its log lines carry the ids, and another program is to collect them; its metrics come from the agent.
    delivers: { spans: true, logs: false, metrics: false },
    sampled: 1,
  },
  {
    name: 'elastic',
    title: 'Elastic (EDOT)',
    folder: 'elastic',
    packages: { '@elastic/opentelemetry-node': '1.18.0' },
    flags: { cjs: ['--import', '@elastic/opentelemetry-node'], esm: ['--import', '@elastic/opentelemetry-node'] },
    // Its default is to leave log lines to another program; OpenTelemetry's own ships them.
    env: ({ sink }) => ({ ...otlp(sink), ...LOCAL_DETECTORS, ELASTIC_OTEL_NODE_ENABLE_LOG_SENDING: 'true' }),
    delivers: { spans: true, logs: true, metrics: 'otlp' },
    sampled: 1,
  },
  {
    name: 'sentry',
    title: 'Sentry',
    folder: 'sentry',
    packages: { '@sentry/node': '11.12.0' },
    flags: { cjs: ['--require', './peers/sentry.cjs'], esm: ['--import', './peers/sentry.cjs'] },
    env: ({ sink }) => ({ SENTRY_DSN: `http://public@127.0.0.1:${sink}/1` }),
    delivers: { spans: true, logs: true, metrics: false },
    sampled: 1,
  },
];

/** Whose process of a quiet service is measured. */
export const QUIET: ReadonlySet<string> = new Set(['bare', 'kit', 'otel', 'dd-trace']);
/** Who starts as another variant does. */
export const SAME_START: ReadonlySet<string> = new Set(['kit-as-it-comes', 'kit-1-percent']);

/** Measured by turns in each round, and compared with the bare app in the same round. */
export interface Group {
  readonly app: AppName;
  readonly module: ModuleSystem;
  /** Major version of Node. */
  readonly node: number;
  readonly variants: readonly string[];
  /** Latency at a fixed rate is measured, and what an idle service costs. */
  readonly full: boolean;
  /** Measured in the first pass alone. */
  readonly once?: boolean;
  /**
   * A second table of the same app, for the variants that no goal is about. Eight in one table wait for some ten seconds between
   * their turns, and some of them then had turns of several times the cost (docs/performance.md).
   */
  readonly second?: boolean;
}

const EVERYWHERE = ['bare', 'kit', 'otel'];
const JUDGED = [...EVERYWHERE, 'dd-trace'];
const NOT_JUDGED = ['bare', 'kit-as-it-comes', 'elastic', 'sentry'];
const NAMES = Object.keys(APPS) as AppName[];

/** @param quick a look: bare, the kit and OpenTelemetry on the two routes. */
export function plan(quick: boolean): Group[] {
  if (quick) {
    return (['express', 'fastify'] as const).map((app) => ({ app, module: 'cjs', node: 24, variants: EVERYWHERE, full: true }));
  }
  const main = NAMES.flatMap((app): Group[] => {
    const variants = app === 'service' ? JUDGED : [...JUDGED, 'kit-1-percent'];
    const table = { app, module: 'cjs', node: 24, full: true } as const;
    return [
      { ...table, variants },
      { ...table, variants: NOT_JUDGED, second: true },
    ];
  });
  const others = (
    [
      [24, 'esm'],
      [22, 'cjs'],
      [26, 'cjs'],
    ] as const
  ).flatMap(([node, module]) => {
    const variants = module === 'esm' ? JUDGED : EVERYWHERE;
    return NAMES.map((app): Group => ({ app, module, node, variants, full: false, once: node !== 24 }));
  });
  return [...main, ...others];
}

export function variantOf(name: string): Variant {
  const found = VARIANTS.find((variant) => variant.name === name);
  if (!found) throw new Error(`no variant "${name}"; there are ${VARIANTS.map((variant) => variant.name).join(', ')}`);
  return found;
}

export function isKit(variant: string): boolean {
  return variantOf(variant).packages === 'pack';
}

export function keyOf({ app, module, node, second }: Group): string {
  return `${app} ${module} node${node}${second ? ' second' : ''}`;
}

/** The Node binary that came with the dependencies. */
export function nodeBinary(major: number): string {
  return join(root, 'node_modules', `node${major}-${process.platform}-${process.arch}`, 'bin/node');
}
