import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { type Postgres, startPostgres } from './postgres.ts';
import { ask, end, helper } from './process.ts';

/** What the measured apps talk to: for the service a database and another service, and a sink for those that only start. */
export interface Surroundings {
  readonly sinkPort: number;
  /** Where the service finds the others. */
  readonly env: Readonly<Record<string, string>>;
  /** Undefined where the machine has no PostgreSQL, or none is wanted. */
  readonly postgres?: Postgres;
  close(): Promise<void>;
}

/** A backend for one process. */
export async function startSink(): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const child = helper(join(import.meta.dirname, 'sink-process.ts'));
  try {
    return { process: child, port: (await ask<{ port: number }>(child)).port };
  } catch (error) {
    await end(child, 0);
    throw error;
  }
}

export async function surroundings(withDatabase: boolean): Promise<Surroundings> {
  const helpers = ['sink-process.ts', 'upstream-process.ts'].map((file) => helper(join(import.meta.dirname, file)));
  let postgres: Postgres | undefined;
  const close = async () => {
    await Promise.all(helpers.map((child) => end(child, 5000)));
    await postgres?.stop();
  };
  try {
    const [sink, upstream] = await Promise.all(helpers.map((child) => ask<{ port: number }>(child)));
    if (withDatabase) postgres = await startPostgres();
    const env: Record<string, string> = { BENCH_UPSTREAM: `http://127.0.0.1:${upstream.port}/stock` };
    if (postgres) env.BENCH_POSTGRES = postgres.url;
    return { sinkPort: sink.port, env, ...(postgres && { postgres }), close };
  } catch (error) {
    await close();
    throw error;
  }
}
