import type { RequestListener } from 'node:http';
import { Hub } from './hub.ts';
import type { LogRecord, Span } from './model.ts';
import { Recorder } from './persist/recorder.ts';
import { restore } from './persist/restore.ts';
import { openDatabase } from './persist/sqlite.ts';
import { listen } from './receive/listen.ts';
import { createReceiver } from './receive/receiver.ts';
import { Scraper } from './scrape/scraper.ts';
import { createApp } from './server/app.ts';
import { Assets } from './server/assets.ts';
import { IDENTITY_HEADER } from './server/headers.ts';
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
  /** SQLite file that keeps traces and logs over a restart. */
  database?: string;
  /** Told what goes wrong while it runs. */
  problem?: (message: string) => void;
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
 * @throws the error of `listen` if the port is taken; {@link DatabaseError} if the database cannot be used.
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
  // The port first: a second viewer must not touch the file of the first.
  let ready = options.database === undefined;
  const handler: RequestListener = (req, res) => {
    if (ready) app(req, res);
    // Senders come back by themselves.
    else res.writeHead(503, { 'retry-after': '1', [IDENTITY_HEADER]: version }).end('The viewer is reading its database\n');
  };
  const listening = await listen(handler, port, host).catch((error) => {
    scraper.close();
    throw error;
  });
  const recorder = await keep(hub, options).catch(async (error) => {
    await close();
    throw error;
  });
  ready = true;
  return {
    url: `http://localhost:${listening.port}`,
    port: listening.port,
    hub,
    async close() {
      await close();
      recorder?.close();
    },
  };

  async function close(): Promise<void> {
    live.close();
    scraper.close();
    await listening.close();
  }
}

/** Loads what the database file holds, and keeps it up to date from now on. */
async function keep(hub: Hub, { database, problem }: ViewerOptions): Promise<Recorder | undefined> {
  if (database === undefined) return undefined;
  const db = await openDatabase(database);
  const recorder = new Recorder(db, ({ message }) => {
    hub.database = null;
    problem?.(`${database} can no longer be written (${message}): traces and logs are kept in memory only.`);
  });
  // What is restored is in the file already; only what finds no room any more is to be deleted from it.
  hub.journal = {
    span() {},
    log() {},
    cleared() {},
    traceGone: (traceId) => recorder.traceGone(traceId),
    logGone: (seq) => recorder.logGone(seq),
  };
  restore(db, hub);
  hub.journal = recorder;
  hub.database = database;
  return recorder;
}
