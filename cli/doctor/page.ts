import { accessSync, constants, statSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { place } from '../../instrumentation/admin/hosts.ts';
import type { Config } from '../../instrumentation/config.ts';
import { type Finding, findings } from './finding.ts';

const { ok, note, problem } = findings('Metrics page');

export const DEFAULT_METRICS_PORT = 9464;
const ASK_MS = 1000;

/** Whether /metrics and /health can be served, and whether Prometheus is told where. */
export async function pageOf(config: Config, targets: string): Promise<Finding[]> {
  if (!config.metricsExporter.includes('prometheus'))
    return [note('not served', 'OTEL_METRICS_EXPORTER leaves "prometheus" out: no /metrics; /health is served all the same.')];
  return [await portOf(config), targetsOf(config, targets)];
}

async function portOf(config: Config): Promise<Finding> {
  const { hosts } = place(config);
  const port = config.adminPort ?? DEFAULT_METRICS_PORT;
  const subject = `port ${port}`;
  if (config.adminPort === 0) return ok('any free port', 'the line at the start of the app says which');
  const error = await bindError(hosts[0], port);
  if (error === undefined) return ok(subject, `is free on ${hosts[0] ?? 'all interfaces'}`);
  const owner = error.code === 'EADDRINUSE' ? await ownerOf(hosts[0] ?? '127.0.0.1', port) : error.message;
  if (config.adminPort === undefined && error.code === 'EADDRINUSE')
    return note(subject, `is taken${owner}: the next free port is used, and the line at the start of the app says which.`);
  return problem(
    subject,
    error.code === 'EADDRINUSE'
      ? `is taken${owner}, and OTEL_EXPORTER_PROMETHEUS_PORT names no other: nothing is served.`
      : owner,
    'Free it, set another port or address, or unset OTEL_EXPORTER_PROMETHEUS_PORT and _HOST.',
  );
}

function bindError(host: string | undefined, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Text about who has the port, if it is an app with the kit. */
function ownerOf(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ host, port, path: '/health', agent: false, timeout: ASK_MS }, (response) => {
      response.resume();
      const health = /^application\/health\+json/.test(response.headers['content-type'] ?? '');
      resolve(health ? ' by another observed app' : '');
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(''));
  });
}

function targetsOf({ targetsDir }: Config, folder: string): Finding {
  if (folder === '')
    return note('targets folder', 'cannot be told: neither O11Y_TARGETS_DIR nor HOME is set. Nothing is announced.');
  const trouble = troubleWith(folder);
  if (trouble === undefined) return ok('targets folder', `${folder}: running apps announce their addresses there`);
  if (trouble === 'absent' && !targetsDir)
    return note(
      'targets folder',
      `there is none: apps do not announce their addresses. \`o11y-kit view\` and \`o11y-kit up\` make it.`,
    );
  const text = trouble === 'absent' ? `there is no folder ${folder}` : `${folder}: ${trouble}`;
  return problem('targets folder', `${text}; the address is not announced.`, `Make the folder, or unset O11Y_TARGETS_DIR.`);
}

function troubleWith(folder: string): string | undefined {
  try {
    if (!statSync(folder).isDirectory()) return 'is no folder';
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'absent' : message;
  }
}
