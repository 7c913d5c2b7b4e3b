import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { docker, type Env } from './docker.ts';

/** Whether nobody listens on a port: on the given address, and on `::1`, which browsers try first for `localhost`. */
export async function isFree(host: string, port: number): Promise<boolean> {
  const hosts = host === '127.0.0.1' || host === '' || host === '0.0.0.0' ? [host || '0.0.0.0', '::1'] : [host];
  for (const one of hosts) if (!(await canListen(one, port))) return false;
  return true;
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // Anything but "in use" is not for this to judge: no such address here, or a port that only Docker may open.
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The next port above that nobody listens on. */
export async function nextFree(host: string, port: number): Promise<number> {
  for (let next = port + 1; next < Math.min(port + 200, 65_536); next++) if (await isFree(host, next)) return next;
  return port;
}

/** Who listens on a port, as far as this user may know: `the container "x"`, `the process 4711 (node)`, or empty. */
export async function listenerOn(port: number, env: Env): Promise<string> {
  const format = '{{.Names}}';
  const { code, out } = await docker(['ps', '--filter', `publish=${port}`, '--format', format], env);
  const name = out.trim().split('\n', 1)[0];
  if (code === 0 && name !== '') return `the container "${name}"`;
  const process = globalThis.process.platform === 'linux' ? ofProc(port) : await ofLsof(port);
  return process === undefined ? '' : `the process ${process.pid} (${process.name})`;
}

interface Listener {
  pid: string;
  name: string;
}

/** The sockets that listen are in /proc/net; whose they are, in the open files of each process that one may look into. */
function ofProc(port: number): Listener | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6']
      .flatMap((file) => tolerant(() => readFileSync(file, 'utf8').split('\n')) ?? [])
      .map((line) => line.trim().split(/\s+/))
      // 0A: listens.
      .filter(([, local, , state]) => state === '0A' && local.endsWith(`:${hex}`))
      .map((fields) => `socket:[${fields[9]}]`),
  );
  if (inodes.size === 0) return undefined;
  for (const pid of (tolerant(() => readdirSync('/proc')) ?? []).filter((name) => /^\d+$/.test(name))) {
    const files = tolerant(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
    if (files.some((fd) => inodes.has(tolerant(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? '')))
      return { pid, name: tolerant(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? '?' };
  }
  return undefined;
}

/** Processes come and go, and most of them are none of this user's business. */
function tolerant<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function ofLsof(port: number): Promise<Listener | undefined> {
  return new Promise((resolve) => {
    execFile('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { timeout: 5000 }, (error, out) => {
      const [, pid, name] = /^p(\d+)\n(?:.*\n)*?c(.+)$/m.exec(error ? '' : out) ?? [];
      resolve(pid === undefined ? undefined : { pid, name });
    });
  });
}
