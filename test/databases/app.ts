import { join } from 'node:path';
import { type App, type AppOptions, spawnApp } from '../support/app.ts';
import { until } from '../support/until.ts';

const apps = join(import.meta.dirname, '../apps/libraries');

export interface DatabaseApp extends App {
  /** Status and body of an action. */
  ask(path: string, headers?: Record<string, string>): Promise<{ status: number; body: any }>;
  /** A check of `/health` by the beginning of its name; undefined while there is none. */
  check(name: string): Promise<{ status: string; output?: string; time?: string; required: boolean } | undefined>;
  /** Waits until a check has a status. */
  turns(name: string, status: 'pass' | 'warn' | 'fail'): Promise<{ output?: string; required: boolean }>;
}

/** Starts an app of test/apps/libraries, see row.ts of the matrix. */
export async function startApp(
  library: string,
  url: string,
  { env, args = [], ...options }: Partial<AppOptions> = {},
): Promise<DatabaseApp> {
  const app = await spawnApp({
    args: [...args, join(apps, 'run.cjs')],
    cwd: apps,
    env: { APP: library, LIBRARY: library, SERVER_URL: url, ...env },
    ...options,
  });
  async function check(name: string) {
    const { checks } = (await (await fetch(`${await app.adminUrl()}/health`)).json()) as { checks: Record<string, any[]> };
    const found = Object.keys(checks).find((key) => key.startsWith(name));
    return found === undefined ? undefined : checks[found][0];
  }
  return {
    ...app,
    async ask(path, headers) {
      const response = await fetch(`http://127.0.0.1:${app.port}/${path}`, { headers });
      return { status: response.status, body: await response.json() };
    },
    check,
    turns: (name, status) =>
      until(`${name} to be ${status}`, async () => {
        const found = await check(name);
        return found?.status === status && found.time !== undefined ? found : undefined;
      }),
  };
}
