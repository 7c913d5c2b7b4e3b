import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { percentile } from './statistics.ts';

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly seconds: number;
  readonly connections: number;
  /** Requests a second, sent whatever the answers do; without it, each connection sends as soon as it has its answer. */
  readonly rate?: number;
}

export interface LoadResult {
  /** Answers with status 200. */
  readonly completed: number;
  /** Those of them that came before the end of the time. */
  readonly inTime: number;
  /** Other answers, and connections that broke. */
  readonly failed: number;
  /** Requests that were due and could not be sent before the end, because no connection was free. */
  readonly unsent: number;
  readonly seconds: number;
  /** Latency in ms. With a rate it counts from when a request was due, so that a stalled server cannot hide its queue. */
  readonly p50: number;
  readonly p99: number;
  /** Share of one core that the generator itself used: near 1, it measured itself. */
  readonly busy: number;
}

/** Loads a server over raw keep-alive connections, one request at a time on each. */
export async function load({ port, path, seconds, connections, rate }: LoadOptions): Promise<LoadResult> {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  const latencies: number[] = [];
  const free: Connection[] = [];
  const due: number[] = [];
  let taken = 0;
  let failed = 0;
  let underWay = 0;
  let over = false;
  let idle = () => {};

  const all = await Promise.all(Array.from({ length: connections }, () => Connection.open(port, request, done, broken)));
  free.push(...all);
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const end = begun + seconds * 1000;
  if (rate === undefined) while (free.length > 0) send(performance.now());
  await pace();
  const elapsed = (performance.now() - begun) / 1000;
  over = true;
  const inTime = latencies.length;
  const unsent = due.length - taken;
  // What is under way is waited for, with a bound: it belongs to the latencies.
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 5000);
    idle = () => {
      if (underWay === 0) {
        clearTimeout(timer);
        resolve();
      }
    };
    idle();
  });
  const { user, system } = process.cpuUsage(cpu);
  for (const connection of all) connection.close();
  latencies.sort((a, b) => a - b);
  return {
    completed: latencies.length,
    inTime,
    failed: failed + underWay,
    unsent,
    seconds: elapsed,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    busy: (user + system) / 1e6 / elapsed,
  };

  function pace(): Promise<void> {
    let made = 0;
    const total = Math.round(seconds * (rate ?? 0));
    return new Promise((resolve) => {
      const tick = () => {
        const now = performance.now();
        if (rate !== undefined) {
          const wanted = now >= end ? total : Math.min(total, 1 + Math.floor(((now - begun) / 1000) * rate));
          // As of this tick: that timers are late by a millisecond is no latency of the server.
          for (; made < wanted; made++) due.push(now);
          while (taken < due.length && free.length > 0) send(due[taken++]);
        }
        if (now >= end) resolve();
        else setTimeout(tick, 1);
      };
      tick();
    });
  }

  function send(since: number): void {
    underWay++;
    free.pop()!.send(since);
  }

  function done(connection: Connection, status: number): void {
    underWay--;
    if (status === 200) latencies.push(performance.now() - connection.since);
    else failed++;
    free.push(connection);
    if (over) idle();
    else if (rate === undefined) send(performance.now());
    else if (taken < due.length) send(due[taken++]);
  }

  /** A connection that broke is not used again. */
  function broken(connection: Connection): void {
    failed++;
    if (connection.busy) underWay--;
    else free.splice(free.indexOf(connection), 1);
    if (over) idle();
  }
}

class Connection {
  since = 0;
  busy = false;
  /** By us. */
  closed = false;
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #done: (connection: Connection, status: number) => void;
  #pending = '';

  constructor(socket: Socket, request: Buffer, done: (connection: Connection, status: number) => void) {
    this.#socket = socket;
    this.#request = request;
    this.#done = done;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#read(chunk));
  }

  static open(
    port: number,
    request: Buffer,
    done: (connection: Connection, status: number) => void,
    broken: (connection: Connection) => void,
  ): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => {
        const connection = new Connection(socket, request, done);
        let closed = false;
        socket.off('error', reject).on('error', () => {});
        socket.on('close', () => {
          if (closed || connection.closed) return;
          closed = true;
          broken(connection);
        });
        resolve(connection);
      });
    });
  }

  send(since: number): void {
    this.since = since;
    this.busy = true;
    this.#socket.write(this.#request);
  }

  close(): void {
    this.closed = true;
    this.#socket.destroy();
  }

  /** As much of HTTP as the measured apps' answers need: a status, and a body of a given length. */
  #read(chunk: Buffer): void {
    this.#pending = this.#pending === '' ? chunk.toString('latin1') : this.#pending + chunk.toString('latin1');
    const head = this.#pending.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#pending)?.[1];
    if (length === undefined) throw new Error('an answer without content-length: the load generator cannot read it');
    if (this.#pending.length < head + 4 + Number(length)) return;
    const status = Number(this.#pending.slice(9, 12));
    this.#pending = '';
    this.busy = false;
    this.#done(this, status);
  }
}
