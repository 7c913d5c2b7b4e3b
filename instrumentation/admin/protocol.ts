import { readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { HealthReport, Readiness } from '../health/health.ts';
import type { Snapshot } from '../metrics/metrics.ts';

/** Changes with every change of the messages: processes of another version do not talk to each other. */
export const PROTOCOL = 1;

export type Family = Snapshot['families'][number];

export interface WorkerHealth extends Readiness {
  readonly report: HealthReport;
}

export type FromWorker =
  /** The first message. @param job only processes of one service share a page */
  | { readonly type: 'hello'; readonly protocol: number; readonly job: string; readonly pid: number }
  /** A snapshot comes family by family, so that neither side holds its event loop for all of it. */
  | { readonly type: 'family'; readonly id: number; readonly family: Family }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'health'; readonly health: WorkerHealth };

export type FromPrimary =
  | { readonly type: 'welcome'; readonly host: string; readonly port: number }
  | { readonly type: 'refused' }
  | { readonly type: 'get'; readonly id: number }
  /** Answers an `end` that was not asked for. */
  | { readonly type: 'kept'; readonly id: number };

const LONGEST_LINE = 8 * 1024 * 1024;

/**
 * The local socket at which the primary with this process id answers; a worker knows it from its parent's id. On Linux it
 * has no file; the process namespace is in its name because containers of one pod share a network but count from 1 each.
 */
export function socketPath(primaryPid: number): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\o11y-kit-${primaryPid}`;
  if (process.platform !== 'linux') return join(tmpdir(), `o11y-kit-${userInfo().uid}-${primaryPid}.sock`);
  return `\0o11y-kit/${namespace()}/${primaryPid}`;
}

function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** JSON, one message a line. A line that is too long or no JSON ends the connection. */
export function receive<T>(socket: Socket, onMessage: (message: T) => void): void {
  let parts: string[] = [];
  let length = 0;
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    let from = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      parts.push(text.slice(from, at));
      from = at + 1;
      const line = parts.join('');
      parts = [];
      length = 0;
      try {
        onMessage(JSON.parse(line));
      } catch {
        socket.destroy();
        return;
      }
    }
    parts.push(text.slice(from));
    length += text.length - from;
    if (length > LONGEST_LINE) socket.destroy();
  });
}

/** @returns whether the other side keeps up; if not, `drain` follows */
export function send(socket: Socket, message: FromWorker | FromPrimary): boolean {
  return socket.writable && socket.write(JSON.stringify(message) + '\n');
}
