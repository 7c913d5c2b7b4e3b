import type { Cluster } from 'node:cluster';
import { createRequire } from 'node:module';
import type { Config } from '../config.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import type { Health } from '../health/health.ts';
import type { Listening } from '../health/listening.ts';
import type { Metrics, Page } from '../metrics/metrics.ts';
import { toPage } from '../metrics/render.ts';
import { type Bound, bind } from './bind.ts';
import { clusterReadiness, clusterReport } from './cluster-health.ts';
import { type Gathering, gatherWorkers } from './cluster-primary.ts';
import { joinPrimary, type Membership } from './cluster-worker.ts';
import { place } from './hosts.ts';
import { createPages } from './pages.ts';
import { announce } from './targets.ts';

const DEFAULT_PORT = 9464;
const MOST_TRIES = 50;
const LOST_MS = 1000;

export interface AdminDeps {
  readonly config: Pick<Config, 'adminHost' | 'adminPort' | 'targetsDir' | 'surroundings'>;
  readonly diagnostics: Diagnostics;
  readonly resource: { readonly serviceName: string; readonly job: string };
  readonly metrics: Pick<Metrics, 'page' | 'snapshot'>;
  /** Whether `OTEL_METRICS_EXPORTER` names prometheus; health is served in any case. Default true. */
  readonly servesMetrics?: boolean;
  readonly health: Pick<Health, 'live' | 'ready' | 'report'>;
  readonly listening: Pick<Listening, 'beforeBind'>;
}

export interface AdminAddress {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`; `/metrics` and `/health` stand under it. */
  readonly url: string;
  /** The same for programs on this machine: loopback where it listens there, which the viewer insists on. */
  readonly localUrl: string;
}

export interface Admin {
  /** Settles once the first attempt to listen is over; undefined where nothing listens. Never rejects. */
  readonly ready: Promise<AdminAddress | undefined>;
  /** Where this process' numbers are to be had now: it moves when the app wants its port, and a worker's is its primary's. */
  address(): AdminAddress | undefined;
  /** Makes sure that nothing is lost with this process, if it is one of a cluster. Never rejects. */
  flush(timeoutMs: number): Promise<void>;
  /** Frees the port and removes the announcement, at once. */
  stop(): void;
}

/**
 * Serves /metrics and /health. Keeps nothing alive, and makes way for the app. In a cluster whose primary has the kit too,
 * the primary serves the sum of all; otherwise every worker serves its own numbers on the next free port.
 */
export function startAdmin({
  config,
  diagnostics,
  resource,
  metrics,
  servesMetrics = true,
  health,
  listening,
}: AdminDeps): Admin {
  // Only `require` gives the module as node:net loads it anyway; a script that never listens does not get here at all.
  const cluster: Cluster = createRequire(import.meta.url)('node:cluster');
  const byHand = config.adminPort !== undefined;
  const firstPort = config.adminPort ?? DEFAULT_PORT;
  const { hosts, reachable, local } = place(config);
  let bound: Bound | undefined;
  let gathering: Gathering | undefined;
  let membership: Membership | undefined;
  let stopped = false;
  let withdraw = () => {};
  let moving: Promise<AdminAddress | undefined> | undefined;

  const workers = () => gathering?.workers() ?? [];
  const handler = createPages(
    {
      page: servesMetrics ? page : undefined,
      live: health.live,
      ready: () => clusterReadiness(health.ready(), workers()),
      report: () => clusterReport(health.report(), workers()),
    },
    diagnostics,
  );

  async function page(accept: string | undefined): Promise<Page> {
    if (!gathering?.active()) return metrics.page(accept);
    return toPage((await gathering.snapshot(await metrics.snapshot())).families, accept);
  }

  /** Takes the first free port from `first` on. Resolves when that is settled, whatever came between. */
  async function open(first: number): Promise<AdminAddress | undefined> {
    const last = byHand ? first : Math.min(first + MOST_TRIES - 1, 65_535);
    for (let port = first; port <= last && !stopped; port++) {
      const attempt = (bound = bind(handler, hosts, port));
      try {
        // The app wanted this very port meanwhile, or all is over: whoever closed it has seen to the rest.
        if (!(await attempt.listening)) return stopped ? undefined : moving;
      } catch (error) {
        if (bound === attempt) bound = undefined;
        if (!byHand && isTaken(error)) continue;
        unavailable(port, error);
        return undefined;
      }
      const target = { address: `${reachable}:${attempt.port}`, job: resource.job, service: resource.serviceName };
      if (servesMetrics) withdraw = announce(target, config, diagnostics);
      return address();
    }
    if (!stopped)
      diagnostics.warn(`O11Y_PORT_TAKEN: /metrics and /health are not served: no port from ${first} to ${last} is free.`);
    return undefined;
  }

  async function join(): Promise<AdminAddress | undefined> {
    const onLost = () => {
      membership = undefined;
      // A worker whose primary has died ends, too, as soon as its channel tells it.
      setTimeout(() => {
        if (!stopped && process.connected) void open(firstPort);
      }, LOST_MS).unref();
    };
    membership = await joinPrimary({ job: resource.job, metrics, health, onLost });
    if (stopped) membership?.leave();
    return membership === undefined ? open(firstPort) : address();
  }

  function unavailable(port: number, error: unknown): void {
    const setting = byHand ? `OTEL_EXPORTER_PROMETHEUS_PORT: port ${port}` : `Port ${port}`;
    diagnostics.error(
      `O11Y_PORT_TAKEN: ${setting} cannot be used (${reason(error)}). /metrics and /health are not served; the app runs on.`,
    );
  }

  function address(): AdminAddress | undefined {
    const at = membership ?? (bound?.held ? { host: reachable, port: bound.port } : undefined);
    return at && { host: at.host, port: at.port, url: `http://${at.host}:${at.port}`, localUrl: `http://${local}:${at.port}` };
  }

  function release(): void {
    withdraw();
    withdraw = () => {};
    bound?.close();
    bound = undefined;
  }

  const forget = listening.beforeBind((port) => {
    if (bound?.port !== port) return;
    release();
    if (byHand) {
      diagnostics.error(
        `O11Y_PORT_TAKEN: the app listens on port ${port} itself: /metrics and /health are no longer served, because OTEL_EXPORTER_PROMETHEUS_PORT names that port and no other.`,
      );
    } else moving = open(port + 1);
  });
  const onFork = () => {
    gathering ??= gatherWorkers({ job: resource.job, diagnostics, address });
  };
  cluster.on('fork', onFork);

  return {
    ready: cluster.isWorker ? join() : open(firstPort),
    address,
    flush: async (timeoutMs) => membership?.handOver(timeoutMs),
    stop: () => {
      stopped = true;
      forget();
      cluster.off('fork', onFork);
      gathering?.stop();
      membership?.leave();
      release();
    },
  };
}

function isTaken(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' || code === 'EACCES';
}
