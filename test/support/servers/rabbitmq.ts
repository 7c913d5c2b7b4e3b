import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { findProgram } from '../needs.ts';
import { type Server, serverFolder, startProgram, unprivileged } from './program.ts';

export interface RabbitmqServer extends Server {
  readonly url: string;
}

/** Debian's program on PATH works on its own folders only; behind it is RabbitMQ's. */
const COMMAND = ['/usr/lib/rabbitmq/bin/rabbitmq-server', findProgram('rabbitmq-server') ?? ''].find((path) => existsSync(path));

/** For a test's `skip` option. */
export const needsRabbitmq: string | false = COMMAND
  ? false
  : 'needs rabbitmq: not on PATH (Debian: apt-get install rabbitmq-server)';

/** A RabbitMQ server of its own, with a name service of its own. */
export async function startRabbitmq(): Promise<RabbitmqServer> {
  if (COMMAND === undefined) throw new Error(String(needsRabbitmq));
  const user = unprivileged('rabbitmq');
  const cwd = serverFolder('rabbitmq', user);
  const [port, distribution, names] = [await freePort(), await freePort(), await freePort()];
  const plugins = join(cwd, 'enabled_plugins');
  writeFileSync(plugins, '[].', { mode: 0o644 });
  const env = {
    PATH: process.env.PATH,
    HOME: cwd,
    ERL_EPMD_PORT: String(names),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `test${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(cwd, 'data'),
    RABBITMQ_LOG_BASE: join(cwd, 'logs'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_CONF_ENV_FILE: join(cwd, 'none'),
    RABBITMQ_CONFIG_FILE: join(cwd, 'none'),
  };
  // The name service goes into the background by itself, and would outlive the server.
  const forget = () => void spawnSync('epmd', ['-port', String(names), '-kill'], { env, timeout: 10_000 });
  const server = await startProgram({ command: COMMAND, args: [], cwd, port, user, env, answers: () => greets(port) });
  const stop = async () => {
    await server.stop();
    forget();
  };
  return {
    ...server,
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    async kill() {
      await server.kill();
      // It would go on to hold the name of the server that died.
      forget();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Whether it answers the protocol's header. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('AMQP\0\0\x09\x01'))
      .setTimeout(2000, () => socket.destroy())
      .once('data', () => {
        resolve(true);
        socket.destroy();
      })
      .once('error', () => resolve(false))
      .once('close', () => resolve(false));
  });
}
