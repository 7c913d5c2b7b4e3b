import { connect } from 'node:net';
import { freePort } from '../free-port.ts';
import { findProgram } from '../needs.ts';
import { type Server, serverFolder, startProgram } from './program.ts';

export interface RedisServer extends Server {
  readonly url: string;
}

/** For a test's `skip` option. */
export const needsRedis: string | false = findProgram('redis-server')
  ? false
  : 'needs redis-server: not on PATH (Debian: apt-get install redis-server)';

/** A Redis server that keeps nothing on disk. */
export async function startRedis({ settings = [] }: { settings?: readonly string[] } = {}): Promise<RedisServer> {
  const command = findProgram('redis-server');
  if (command === undefined) throw new Error(String(needsRedis));
  const port = await freePort();
  const cwd = serverFolder('redis');
  const server = await startProgram({
    command,
    args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', cwd, ...settings],
    cwd,
    port,
    answers: () => ping(port),
  });
  return { ...server, url: `redis://127.0.0.1:${port}` };
}

function ping(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
      .setTimeout(2000, () => socket.destroy())
      .once('data', (data) => {
        resolve(data.toString().startsWith('+PONG'));
        socket.destroy();
      })
      .once('error', () => resolve(false))
      .once('close', () => resolve(false));
  });
}
