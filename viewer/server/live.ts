import type { ServerResponse } from 'node:http';
import type { Change } from '../api-types.ts';
import type { Hub } from '../hub.ts';

/** At most four events a second: more cannot be read, and each makes the page ask again. */
const INTERVAL_MS = 250;
/** Comments that keep the connection from being taken for dead. */
const HEARTBEAT_MS = 15_000;
const MAX_CLIENTS = 64;
/** A client that does not read is let go; it comes back by itself and asks for all. */
const MAX_BACKLOG_BYTES = 256 * 1024;

/** Server-sent events: tells every open page that something changed. */
export class Live {
  readonly #hub: Hub;
  readonly #clients = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(hub: Hub) {
    this.#hub = hub;
    hub.changes.listener = () => this.#schedule();
  }

  /** Turns an answer into a stream of events. */
  open(res: ServerResponse): void {
    if (this.#clients.size >= MAX_CLIENTS) {
      res.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '10' }).end('Too many pages are open\n');
      return;
    }
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    res.socket?.setNoDelay(true);
    res.write(`retry: 1000\n\n${this.#event()}`);
    this.#clients.add(res);
    res.on('close', () => this.#clients.delete(res));
    this.#heartbeat ??= setInterval(() => this.#send(':\n\n'), HEARTBEAT_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    this.#hub.changes.listener = undefined;
    for (const client of this.#clients) client.destroy();
    this.#clients.clear();
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    // With no one looking there is nothing to tell, and what changed need not be remembered either.
    if (this.#clients.size === 0) {
      this.#hub.changes.reset();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#hub.changes.some) return;
      const event = this.#event();
      this.#hub.changes.reset();
      this.#send(event);
    }, INTERVAL_MS);
    this.#timer.unref();
  }

  #send(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength > MAX_BACKLOG_BYTES) client.destroy();
      else client.write(text);
    }
  }

  #event(): string {
    const { changes, traces, logs, services, droppedTotal, generation } = this.#hub;
    const change: Change = {
      traces: String(traces.last),
      logs: String(logs.last),
      changed: [...changes.traces],
      moreChanged: changes.moreTraces,
      metrics: changes.metrics,
      health: changes.health,
      services: services.size,
      dropped: droppedTotal,
      generation,
    };
    return `event: change\ndata: ${JSON.stringify(change)}\n\n`;
  }
}
