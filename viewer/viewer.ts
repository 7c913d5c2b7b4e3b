import { Hub } from './hub.ts';
import type { LogRecord, Span } from './model.ts';
import { listen } from './receive/listen.ts';
import { createReceiver } from './receive/receiver.ts';
import { Scraper } from './scrape/scraper.ts';
import { createApp } from './server/app.ts';
import { Assets } from './server/assets.ts';
import { Live } from './server/live.ts';

/** The port of OTLP/HTTP: the viewer answers where a collector would. */
export const DEFAULT_PORT = 4318;

export interface ViewerOptions {
  /** {@link DEFAULT_PORT} if absent; 0 for a free one. */
  port?: number;
  /** Address to bind to; both loopbacks if absent. */
  host?: string;
  /** What the telemetry may take; 64 MiB if absent. */
  memoryBytes?: number;
  /** Metrics pages to read besides those that services announce. */
  scrape?: readonly string[];
  scrapeIntervalMs?: number;
  /** Folder of the built page. */
  assets?: string;
  version: string;
  /** Told of what has just been stored. */
  onSpans?: (spans: readonly Span[]) => void;
  onLogs?: (logs: readonly LogRecord[]) => void;
}

export interface Viewer {
  readonly url: string;
  readonly port: number;
  readonly hub: Hub;
  close(): Promise<void>;
}

/**
 * Starts the viewer: receiver, store, scraper, JSON API and page on one port.
 *
 * @throws the error of `listen` if the port is taken.
 */
export async function startViewerServer(options: ViewerOptions): Promise<Viewer> {
  const { port = DEFAULT_PORT, host, memoryBytes, version } = options;
  const hub = new Hub({ memoryBytes, announced: (url, service) => scraper.announce(url, service) });
  const live = new Live(hub);
  const scraper = new Scraper({
    urls: options.scrape,
    intervalMs: options.scrapeIntervalMs,
    read: (reading, families) => hub.addFamilies(reading, families),
    gone: (service, source) => hub.metrics.remove({ service, source }),
    health() {
      hub.changes.note('health');
      hub.changes.flush();
    },
  });
  const receiver = createReceiver({
    traces(spans) {
      hub.addSpans(spans);
      options.onSpans?.(spans);
    },
    logs(logs) {
      hub.addLogs(logs);
      options.onLogs?.(logs);
    },
    metrics: (metrics) => hub.addMetrics(metrics),
    rejected(count) {
      hub.rejected += count;
    },
  });
  const app = createApp({ hub, scraper, version, receiver, live, host, assets: new Assets(options.assets) });
  const listening = await listen(app, port, host).catch((error) => {
    scraper.close();
    throw error;
  });
  return {
    url: `http://localhost:${listening.port}`,
    port: listening.port,
    hub,
    async close() {
      live.close();
      scraper.close();
      await listening.close();
    },
  };
}
