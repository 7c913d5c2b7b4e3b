import { METRICS, type MetricDefinition } from '../names.ts';

/** The kit measures these itself, for every request: a second library that reports them would count each one twice. */
export const OWN: ReadonlySet<string> = new Set([
  METRICS.httpServerDuration.name,
  METRICS.httpServerActive.name,
  METRICS.httpClientDuration.name,
]);

/** Instruments whose labels are decided by the contract, so that no attribute can make them many. */
export const KNOWN: ReadonlyMap<string, MetricDefinition> = new Map(
  Object.values(METRICS as Record<string, MetricDefinition>)
    .filter(({ name }) => /^(http|rpc|db|messaging|gen_ai)_/.test(name))
    .map((definition) => [definition.name, definition]),
);

/** What libraries called these before the names became stable. */
export const RENAMED_INSTRUMENTS: Readonly<Record<string, string>> = {
  'db.client.connections.usage': 'db.client.connection.count',
  'db.client.connections.max': 'db.client.connection.max',
  'db.client.connections.pending_requests': 'db.client.connection.pending_requests',
  'db.client.connections.timeouts': 'db.client.connection.timeouts',
  'messaging.client.published.messages': 'messaging.client.sent.messages',
};

export const RENAMED_LABELS: Readonly<Record<string, string>> = {
  pool_name: 'db_client_connection_pool_name',
  state: 'db_client_connection_state',
  db_system: 'db_system_name',
  db_operation: 'db_operation_name',
  db_sql_table: 'db_collection_name',
  db_mongodb_collection: 'db_collection_name',
  messaging_destination: 'messaging_destination_name',
  gen_ai_system: 'gen_ai_provider_name',
};
