import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, globSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/free-port.ts';
import { findProgram } from '../../test/support/needs.ts';
import { LOAD_CORE, onCore } from './process.ts';

export interface Postgres {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

const SCHEMA = `create table orders (id integer primary key, customer text not null, total numeric(10, 2) not null);
insert into orders select i, 'customer ' || i, i * 1.25 from generate_series(1, 1000) as i;
analyze orders;
`;

/** Debian keeps the server's programs off PATH. */
function programs(): string | undefined {
  const onPath = findProgram('initdb');
  // A link to it stands alone; its neighbours are needed too.
  if (onPath) return dirname(realpathSync(onPath));
  return globSync('/usr/lib/postgresql/*/bin').findLast((folder) => existsSync(join(folder, 'initdb')));
}

/**
 * Starts a PostgreSQL server of our own on a free port, in a folder that goes with it.
 *
 * @returns undefined where the machine has none.
 */
export async function startPostgres(): Promise<Postgres | undefined> {
  const bin = programs();
  if (bin === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-bench-pg-'));
  const user = unprivileged();
  if (user) chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
  const data = join(folder, 'data');
  const options = { ...user, cwd: folder, encoding: 'utf8', timeout: 60_000 } as const;
  const run = (program: string, args: string[]) => {
    const { status, stdout, stderr, error } = spawnSync(join(bin, program), args, options);
    if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr.trim().slice(-500)}`);
    return stdout;
  };
  let server: ChildProcess | undefined;
  try {
    run('initdb', ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']);
    const port = await freePort();
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${folder}`, 'fsync=off'];
    const [command, args] = onCore(LOAD_CORE, join(bin, 'postgres'), ['-D', data, ...settings.flatMap((each) => ['-c', each])]);
    server = spawn(command, args, { ...user, cwd: folder, stdio: 'ignore' });
    await ready(join(bin, 'pg_isready'), port, server);
    const schema = join(folder, 'schema.sql');
    writeFileSync(schema, SCHEMA, { mode: 0o644 });
    const psql = ['-h', '127.0.0.1', '-p', String(port), '-U', 'bench', '-d', 'postgres', '-v', 'ON_ERROR_STOP=1', '-qAt'];
    run('psql', [...psql, '-f', schema]);
    const version = run('psql', [...psql, '-c', 'show server_version']).trim();
    const started = server;
    return { url: `postgres://bench@127.0.0.1:${port}/postgres`, version, stop: () => stop(started, folder) };
  } catch (error) {
    if (server) await stop(server, folder);
    else rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim() || Number.NaN),
    );
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid, gid };
  }
  throw new Error('PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody"');
}

async function ready(program: string, port: number, server: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(100)) {
    if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}`);
    const { status, error } = spawnSync(program, ['-q', '-h', '127.0.0.1', '-p', String(port)]);
    if (error) throw error;
    if (status === 0) return;
  }
  throw new Error('postgres does not accept connections after 30 s');
}

async function stop(server: ChildProcess, folder: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = once(server, 'exit');
    // Fast shutdown: connections that are open are cut.
    server.kill('SIGINT');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
