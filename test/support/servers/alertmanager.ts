import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { findProgram } from '../needs.ts';
import { type Server, serverFolder, startProgram } from './program.ts';

export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An alert as Alertmanager lists it. */
export interface ListedAlert extends PostedAlert {
  readonly status: { readonly state: string; readonly inhibitedBy: readonly string[]; readonly silencedBy: readonly string[] };
  readonly receivers: readonly { readonly name: string }[];
}

export interface AlertmanagerServer extends Server {
  readonly url: string;
  /** Alerts that fire from now on. */
  post(...alerts: readonly PostedAlert[]): Promise<void>;
  alerts(): Promise<readonly ListedAlert[]>;
}

/** Debian's name for it, and its own. */
const program = () => findProgram('prometheus-alertmanager') ?? findProgram('alertmanager');

/** For a test's `skip` option. */
export const needsAlertmanager: string | false =
  program() && findProgram('amtool')
    ? false
    : 'needs alertmanager: not on PATH (Debian: apt-get install prometheus-alertmanager)';

/** An Alertmanager with the flags of the stack's. */
export async function startAlertmanager({ config }: { config: string }): Promise<AlertmanagerServer> {
  const command = program();
  if (command === undefined) throw new Error(String(needsAlertmanager));
  const port = await freePort();
  const cwd = serverFolder('alertmanager');
  const file = join(cwd, 'alertmanager.yml');
  writeFileSync(file, config);
  const url = `http://127.0.0.1:${port}`;
  const server = await startProgram({
    command,
    args: [
      `--config.file=${file}`,
      `--storage.path=${join(cwd, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    cwd,
    port,
    answers: async () => (await fetch(`${url}/-/ready`)).ok,
  });
  return {
    ...server,
    url,
    async post(...alerts) {
      const body = JSON.stringify(alerts);
      const response = await fetch(`${url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      if (!response.ok) throw new Error(`Alertmanager answered ${response.status}: ${await response.text()}`);
    },
    alerts: async () => (await (await fetch(`${url}/api/v2/alerts`)).json()) as ListedAlert[],
  };
}
