import { type Config, SETTINGS } from './config.ts';
import type { Resource } from './resource.ts';
import { show } from './settings.ts';

interface Facts {
  readonly version: string;
  readonly config: Config;
  readonly resource: Resource;
  readonly adminUrl: string | undefined;
  readonly servesMetrics: boolean;
  readonly wired: readonly { readonly name: string; readonly version?: string }[];
}

/** The one line that says what runs: version, service, what is wired, addresses, and the settings given by hand. */
export function startLine({ version, config, resource, adminUrl, servesMetrics, wired }: Facts): string {
  const libraries = wired.map(({ name, version: of }) => (of ? `${name} ${of}` : name));
  const service = [resource.serviceName, resource.serviceVersion].filter(Boolean).join(' ');
  const parts = [
    `o11y-kit ${version}: ${service}`,
    `traces ${destination(config, 'traces')}, logs ${destination(config, 'logs')}`,
    adminUrl ? (servesMetrics ? `metrics ${adminUrl}/metrics` : `health ${adminUrl}/health`) : 'metrics and health not served',
    `wired ${['http', ...new Set(libraries)].join(', ')}`,
  ];
  const given = settingsGiven(config);
  if (given.length > 0) parts.push(`set ${given.join(', ')}`);
  // A name or value given from outside must not write a second line, nor steer a terminal.
  return parts.join(' | ').replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

function destination(config: Config, signal: 'traces' | 'logs'): string {
  const exporter = config[`${signal}Exporter`];
  return exporter === 'otlp' ? `→ ${show(config[`${signal}Endpoint`] || config.endpoint)}` : exporter;
}

function settingsGiven(config: Config): string[] {
  return Object.entries(SETTINGS)
    .filter(([, { env }]) => config.given.includes(env))
    .map(
      ([key, { env, secret }]) => `${env}=${secret ? '[redacted]' : show(config[key as keyof typeof SETTINGS]).slice(0, 100)}`,
    );
}
