import { type IncomingHttpHeaders, request } from 'node:http';
import { type AdminDeps, startAdmin } from '../../instrumentation/admin/admin.ts';
import { loadConfig } from '../../instrumentation/config.ts';
import { createStats } from '../../instrumentation/export/stats.ts';
import { type Listening, watchListening } from '../../instrumentation/health/listening.ts';
import { createMetrics } from '../../instrumentation/metrics/metrics.ts';
import { healthOf, messages } from '../health/support.ts';

/** The admin server with real metrics and health around it. */
export function adminOf(env: Record<string, string> = {}, given: Partial<AdminDeps> = {}) {
  const { config } = loadConfig({ OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1', ...env });
  const diagnostics = messages();
  const { health } = healthOf(env);
  const metrics = createMetrics({ config, diagnostics, stats: createStats(), resource: { attributes: {} } });
  const listening: Listening = watchListening();
  const resource = { serviceName: 'shop', job: 'eu/shop' };
  const admin = startAdmin({ config, diagnostics, resource, metrics, health, listening, ...given });
  const stop = () => {
    admin.stop();
    listening.stop();
  };
  return { admin, diagnostics, health, metrics, stop };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export function ask(
  url: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (body += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}
