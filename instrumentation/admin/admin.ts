import type { Config } from '../config.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import type { Health } from '../health/health.ts';
import type { Listening } from '../health/listening.ts';
import { type Bound, bind } from './bind.ts';
import { place } from './hosts.ts';
import { createPages, type Sources } from './pages.ts';
import { announce } from './targets.ts';

const DEFAULT_PORT = 9464;
const MOST_TRIES = 50;

export interface AdminDeps {
  readonly config: Config;
  readonly diagnostics: Diagnostics;
  readonly resource: { readonly serviceName: string; readonly job: string };
  readonly metrics: Pick<Sources, 'page'>;
  readonly health: Pick<Health, 'live' | 'ready' | 'report'>;
  readonly listening: Pick<Listening, 'beforeBind'>;
}

export interface AdminAddress {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`; `/metrics` and `/health` stand under it. */
  readonly url: string;
}

export interface Admin {
  /** Settles once the first attempt to listen is over; undefined where nothing listens. Never rejects. */
  readonly ready: Promise<AdminAddress | undefined>;
  /** Where it listens now; it moves when the app wants its port. */
  address(): AdminAddress | undefined;
  /** Frees the port and removes the announcement, at once. */
  stop(): void;
}

/** Serves /metrics and /health. Keeps nothing alive, and makes way for the app. */
export function startAdmin({ config, diagnostics, resource, metrics, health, listening }: AdminDeps): Admin {
  const byHand = config.adminPort !== undefined;
  const { hosts, reachable } = place(config);
  const handler = createPages(
    { page: (accept) => metrics.page(accept), live: health.live, ready: health.ready, report: health.report },
    diagnostics,
  );
  let bound: Bound | undefined;
  let stopped = false;
  let withdraw = () => {};

  async function open(first: number): Promise<AdminAddress | undefined> {
    const last = byHand ? first : Math.min(first + MOST_TRIES - 1, 65_535);
    for (let port = first; port <= last && !stopped; port++) {
      try {
        bound = await bind(handler, hosts, port);
      } catch (error) {
        if (!byHand && isTaken(error)) continue;
        return void unavailable(port, error);
      }
      if (stopped) return void release();
      withdraw = announce(
        { address: `${reachable}:${bound.port}`, job: resource.job, service: resource.serviceName },
        config,
        diagnostics,
      );
      return address();
    }
    if (!stopped) diagnostics.warn(`/metrics and /health are not served: no port from ${first} to ${last} is free.`);
    return undefined;
  }

  function unavailable(port: number, error: unknown): void {
    const setting = byHand ? `OTEL_EXPORTER_PROMETHEUS_PORT: port ${port}` : `Port ${port}`;
    diagnostics.error(`${setting} cannot be used (${reason(error)}). /metrics and /health are not served; the app runs on.`);
  }

  function address(): AdminAddress | undefined {
    return bound && { host: reachable, port: bound.port, url: `http://${reachable}:${bound.port}` };
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
        `The app listens on port ${port} itself: /metrics and /health are no longer served there, nor elsewhere, because OTEL_EXPORTER_PROMETHEUS_PORT names that port.`,
      );
    } else void open(port + 1);
  });

  return {
    ready: open(config.adminPort ?? DEFAULT_PORT),
    address,
    stop: () => {
      stopped = true;
      forget();
      release();
    },
  };
}

function isTaken(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' || code === 'EACCES';
}
