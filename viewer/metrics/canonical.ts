import { METRICS } from '../../instrumentation/names.ts';
import type { Family, Labels } from './family.ts';

/**
 * One spelling for what senders spell differently: OpenTelemetry's own Prometheus exporter for JavaScript writes no
 * units, some write no `_total`, some count in milliseconds, and older conventions had other names.
 */
const SUFFIXES = /(?:_total)?(?:_(?:seconds|milliseconds|bytes|ratio))?(?:_total)?$/;

interface Known {
  name: string;
  scale: number;
}

const KNOWN = new Map<string, string>();
for (const { name } of Object.values(METRICS)) KNOWN.set(stem(name), name);

/** Names of conventions before HTTP's became stable. Their durations are milliseconds. */
const OLD: Record<string, Known> = {
  http_server_duration: { name: METRICS.httpServerDuration.name, scale: 0.001 },
  http_client_duration: { name: METRICS.httpClientDuration.name, scale: 0.001 },
  db_client_connections_usage: { name: METRICS.dbConnections.name, scale: 1 },
  db_client_connections_max: { name: METRICS.dbConnectionsMax.name, scale: 1 },
  db_client_connections_pending_requests: { name: METRICS.dbPendingRequests.name, scale: 1 },
};

const OLD_LABELS: Record<string, string> = {
  http_method: 'http_request_method',
  http_status_code: 'http_response_status_code',
  net_peer_name: 'server_address',
  net_peer_port: 'server_port',
  db_system: 'db_system_name',
  db_operation: 'db_operation_name',
  pool_name: 'db_client_connection_pool_name',
  state: 'db_client_connection_state',
};

/** The family under the name that the kit's own metrics have, in their unit; itself if it is none of them. */
export function canonical(family: Family): Family {
  const old = OLD[stem(family.name)];
  const name = old?.name ?? KNOWN.get(stem(family.name));
  if (name === undefined) return family;
  const scale = family.name.includes('_milliseconds') ? 0.001 : (old?.scale ?? 1);
  if (name === family.name && old === undefined) return family;
  return {
    ...family,
    name,
    samples: family.samples.map((sample) => ({
      ...sample,
      labels: old ? renamed(sample.labels) : sample.labels,
      value: family.type === 'gauge' ? sample.value * scale : sample.value,
      sum: sample.sum * scale,
      bounds: scale === 1 ? sample.bounds : sample.bounds.map((bound) => bound * scale),
      exemplars: sample.exemplars.map((one) => ({ ...one, value: one.value * scale })),
    })),
  };
}

function stem(name: string): string {
  return name.replace(SUFFIXES, '');
}

function renamed(labels: Labels): Labels {
  const out: Labels = Object.create(null);
  for (const [key, value] of Object.entries(labels)) out[OLD_LABELS[key] ?? key] = value;
  return out;
}
