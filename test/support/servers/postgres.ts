import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { freePort } from '../free-port.ts';
import { findProgram } from '../needs.ts';
import { type Server, serverFolder, startProgram, unprivileged } from './program.ts';

export interface PostgresServer extends Server {
  /** Without a password: the server trusts who comes from this machine. */
  readonly url: string;
  /** Runs SQL as the owner, for a test's tables. */
  sql(text: string): string;
  /** A session of its own that stays open, with a lock for example, until `end` has run its last words. */
  session(text: string): { end(text: string): Promise<void> };
}

/** Debian keeps the server's programs off PATH. */
function programs(): string | undefined {
  const onPath = findProgram('initdb');
  // A link to it stands alone; its neighbours are needed too.
  if (onPath) return dirname(realpathSync(onPath));
  return globSync('/usr/lib/postgresql/*/bin').findLast((folder) => existsSync(join(folder, 'initdb')));
}

/** For a test's `skip` option. */
export const needsPostgres: string | false = programs()
  ? false
  : 'needs postgres: no initdb (Debian: apt-get install postgresql)';

/** A PostgreSQL server with an empty database `shop`. */
export async function startPostgres({ settings = [] }: { settings?: readonly string[] } = {}): Promise<PostgresServer> {
  const bin = programs();
  if (bin === undefined) throw new Error(String(needsPostgres));
  const user = unprivileged('postgres');
  const folder = serverFolder('postgres', user);
  const data = join(folder, 'data');
  const run = (program: string, args: string[], input?: string) => {
    const options = { ...user, cwd: folder, encoding: 'utf8', timeout: 60_000, input } as const;
    const { status, stdout, stderr, error } = spawnSync(join(bin, program), args, options);
    if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr.trim().slice(-500)}`);
    return stdout;
  };
  run('initdb', ['-D', data, '-U', 'shop', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']);
  const port = await freePort();
  const all = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${folder}`, 'fsync=off', ...settings];
  const client = ['-h', '127.0.0.1', '-p', String(port), '-U', 'shop'];
  const server = await startProgram({
    command: join(bin, 'postgres'),
    args: ['-D', data, ...all.flatMap((each) => ['-c', each])],
    cwd: folder,
    port,
    // Fast shutdown: connections that are open are cut.
    signal: 'SIGINT',
    user,
    answers: () => spawnSync(join(bin, 'pg_isready'), ['-q', ...client], { timeout: 5000 }).status === 0,
  });
  run('createdb', [...client, 'shop']);
  return {
    ...server,
    url: `postgres://shop@127.0.0.1:${port}/shop`,
    session(text) {
      const psql = spawn(join(bin, 'psql'), [...client, '-d', 'shop', '-qAt'], {
        ...user,
        cwd: folder,
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      psql.stdin.write(text);
      return {
        async end(last) {
          const ended = once(psql, 'exit');
          psql.stdin.end(last);
          await ended;
        },
      };
    },
    sql: (text) => run('psql', [...client, '-d', 'shop', '-v', 'ON_ERROR_STOP=1', '-qAt'], text),
  };
}
