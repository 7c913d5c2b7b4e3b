import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { SDK_INFO } from '@opentelemetry/core';
import type { Config } from './config.ts';
import { uuidv7 } from './ids.ts';

/**
 * Who this process is, in every signal.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/resource/
 */
export interface Resource {
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly serviceNamespace: string;
  readonly instanceId: string;
  readonly environment: string;
  /** Prometheus' `job`: `namespace/name`, or the name where there is no namespace. */
  readonly job: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

const MOST_PARENTS = 32;

// Where Node's names are not those of the conventions.
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'x86', arm: 'arm32', ppc: 'ppc32' };
const SYSTEMS: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };

/** Settings first, then the nearest package.json above the app's entry file, then `unknown_service:node`. Never throws. */
export function detectResource(config: Config, kitVersion: string): Resource {
  const { entry } = config.surroundings;
  const given = config.resourceAttributes;
  const manifest = nearestManifest(entry ? dirname(entry) : process.cwd());
  const serviceName = config.serviceName || given['service.name'] || manifest.name || 'unknown_service:node';
  const serviceNamespace = given['service.namespace'] ?? '';
  const serviceVersion = given['service.version'] ?? manifest.version ?? '';
  const instanceId = given['service.instance.id'] ?? uuidv7();
  const environment = given['deployment.environment.name'] ?? config.surroundings.nodeEnv;
  const attributes: Record<string, string | number | boolean> = {
    'service.name': serviceName,
    'service.instance.id': instanceId,
    'host.name': hostname(),
    'host.arch': ARCHITECTURES[process.arch] ?? process.arch,
    'os.type': SYSTEMS[process.platform] ?? process.platform,
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.sdk.version': SDK_INFO['telemetry.sdk.version'],
    'telemetry.distro.name': 'o11y-kit',
    'telemetry.distro.version': kitVersion,
    ...given,
  };
  attributes['service.name'] = serviceName;
  if (serviceVersion) attributes['service.version'] = serviceVersion;
  if (environment) attributes['deployment.environment.name'] = environment;
  const job = serviceNamespace ? `${serviceNamespace}/${serviceName}` : serviceName;
  return { serviceName, serviceVersion, serviceNamespace, instanceId, environment, job, attributes };
}

/** The nearest package.json that has a name; one without (a `{"type":"module"}` marker) is passed over. */
function nearestManifest(folder: string): { name?: string; version?: string } {
  for (let depth = 0; depth < MOST_PARENTS; depth++) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      if (typeof name === 'string' && name) return { name, version: typeof version === 'string' ? version : undefined };
    } catch {
      // None here, or not readable: go on with the parent.
    }
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  return {};
}
