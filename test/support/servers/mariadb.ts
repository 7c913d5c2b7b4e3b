import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { findProgram } from '../needs.ts';
import { type Server, serverFolder, startProgram, unprivileged } from './program.ts';

export interface MariadbServer extends Server {
  readonly url: string;
  /** Runs SQL as root, for a test's tables. */
  sql(text: string): string;
}

/** For a test's `skip` option. */
export const needsMariadb: string | false =
  findProgram('mariadbd') && findProgram('mariadb-install-db')
    ? false
    : 'needs mariadb: not on PATH (Debian: apt-get install mariadb-server)';

/** A MariaDB server with an empty database `shop`, whose root has no password. */
export async function startMariadb({ settings = [] }: { settings?: readonly string[] } = {}): Promise<MariadbServer> {
  if (needsMariadb) throw new Error(needsMariadb);
  const user = unprivileged('mysql');
  const cwd = serverFolder('mariadb', user);
  const port = await freePort();
  const socket = join(cwd, 'socket');
  const run = (program: string, args: readonly string[], input?: string) => {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      ...user,
      cwd,
      encoding: 'utf8',
      timeout: 60_000,
      input,
    });
    if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr.trim().slice(-500)}`);
    return stdout;
  };
  const data = join(cwd, 'data');
  run('mariadb-install-db', [
    '--no-defaults',
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
    `--datadir=${data}`,
  ]);
  const client = ['--no-defaults', `--socket=${socket}`, '--user=root'];
  const server = await startProgram({
    command: findProgram('mariadbd') as string,
    args: [
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      '--innodb-flush-log-at-trx-commit=0',
      ...settings,
    ],
    cwd,
    port,
    user,
    answers: () => spawnSync('mariadb-admin', [...client, 'ping'], { timeout: 5000 }).status === 0,
  });
  run('mariadb', client, 'create database shop');
  return {
    ...server,
    url: `mysql://root@127.0.0.1:${port}/shop`,
    sql: (text) => run('mariadb', [...client, 'shop'], text),
  };
}
