import { METRICS } from '../../instrumentation/names.ts';
import type { MetricGroup, MetricPanel } from '../api-types.ts';

/** How a line is read from a series. */
export type Reading =
  /** As it is: gauges. */
  | 'value'
  /** Growth a second: counters; of a histogram its count. */
  | 'rate'
  /** Growth of a histogram's sum a second. */
  | 'sumRate'
  /** A histogram's sum by its count: the average of what was observed. */
  | 'mean';

export interface LineDefinition {
  metric: string;
  read: Reading;
  /** What the line is called, before the values of `by`. */
  label?: string;
  /** Labels that tell lines apart; everything else is added up (and processes, unless it is a value). */
  by?: readonly string[];
  scale?: number;
}

export interface PanelDefinition extends Pick<MetricPanel, 'title' | 'unit' | 'states'> {
  lines: readonly LineDefinition[];
  /** Leaves out lines that are zero all the time: of many possible reasons few ever happen. */
  onlyIfAny?: boolean;
}

export interface GroupDefinition extends Pick<MetricGroup, 'id' | 'title'> {
  panels: readonly PanelDefinition[];
}

const m = METRICS;

function value(metric: string, label = '', ...by: string[]): LineDefinition {
  return { metric, read: 'value', label, by };
}

function rate(metric: string, label = '', ...by: string[]): LineDefinition {
  return { metric, read: 'rate', label, by };
}

function mean(metric: string, label = '', ...by: string[]): LineDefinition {
  return { metric, read: 'mean', label, by };
}

/** What a service's page shows, in this order; the names are the kit's, prom-client's and OpenTelemetry's. */
export const GROUPS: readonly GroupDefinition[] = [
  {
    id: 'runtime',
    title: 'Runtime',
    panels: [
      {
        title: 'Event loop delay',
        unit: 'seconds',
        lines: [
          value('nodejs_eventloop_lag_p99_seconds', 'p99'),
          value('nodejs_eventloop_lag_max_seconds', 'max'),
          value('nodejs_eventloop_delay_p99_seconds', 'p99'),
          value('nodejs_eventloop_delay_max_seconds', 'max'),
        ],
      },
      {
        title: 'Event loop utilization',
        unit: 'ratio',
        lines: [value(m.eventLoopUtilization.name, 'busy'), value('nodejs_eventloop_utilization', 'busy')],
      },
      {
        title: 'CPU (cores)',
        unit: 'ratio',
        lines: [
          rate('process_cpu_user_seconds_total', 'user'),
          rate('process_cpu_system_seconds_total', 'system'),
          rate('process_cpu_time_seconds_total', '', 'process_cpu_state'),
        ],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        lines: [
          value('process_resident_memory_bytes', 'resident'),
          value('nodejs_heap_size_total_bytes', 'heap'),
          value('nodejs_heap_size_used_bytes', 'heap used'),
          value('nodejs_external_memory_bytes', 'external'),
          value('v8js_memory_heap_used_bytes', '', 'v8js_heap_space_name'),
        ],
      },
      {
        title: 'Garbage collection (share of time)',
        unit: 'ratio',
        lines: [
          { metric: 'nodejs_gc_duration_seconds', read: 'sumRate', by: ['kind'] },
          { metric: 'v8js_gc_duration_seconds', read: 'sumRate', by: ['v8js_gc_type'] },
        ],
      },
      {
        title: 'Requests in flight',
        unit: 'count',
        lines: [
          value(m.httpServerActive.name, '', 'http_request_method'),
          value(m.httpServerStreams.name, 'streams', 'network_protocol_name', 'http_route'),
        ],
      },
      {
        title: 'Handles and files',
        unit: 'count',
        lines: [value('nodejs_active_handles_total', 'handles'), value('process_open_fds', 'files')],
      },
    ],
  },
  {
    id: 'breakers',
    title: 'Circuit breakers',
    panels: [
      {
        title: 'State',
        unit: 'state',
        states: [
          { value: 0, text: 'closed', level: 'good' },
          { value: 1, text: 'open', level: 'bad' },
          { value: 2, text: 'half-open', level: 'warn' },
        ],
        lines: [value(m.breakerState.name, '', 'name')],
      },
      { title: 'Calls', unit: 'per second', lines: [rate(m.breakerRequests.name, '', 'name', 'result')] },
    ],
  },
  {
    id: 'queues',
    title: 'Queues',
    panels: [
      { title: 'Jobs', unit: 'count', lines: [value(m.bullmqJobCount.name, '', 'queue', 'state')] },
      { title: 'Jobs done', unit: 'per second', lines: [rate(m.bullmqJobs.name, '', 'queue', 'result')] },
      { title: 'Oldest waiting job', unit: 'seconds', lines: [value(m.bullmqOldestWaiting.name, '', 'queue')] },
      {
        title: 'Dead letters',
        unit: 'per second',
        lines: [rate(m.bullmqDeadLettered.name, '', 'queue', 'error_category')],
      },
      { title: 'Messages sent', unit: 'per second', lines: [rate(m.messagingSent.name, '', 'messaging_destination_name')] },
      {
        title: 'Messages processed',
        unit: 'per second',
        lines: [rate(m.messagingProcess.name, '', 'messaging_destination_name')],
      },
    ],
  },
  {
    id: 'streams',
    title: 'Redis streams',
    panels: [
      { title: 'Length', unit: 'count', lines: [value(m.redisStreamLength.name, '', 'stream')] },
      { title: 'Lag of groups', unit: 'count', lines: [value(m.redisStreamLag.name, '', 'stream', 'group')] },
    ],
  },
  {
    id: 'pools',
    title: 'Connection pools',
    panels: [
      {
        title: 'Connections',
        unit: 'count',
        lines: [
          value(m.dbConnections.name, '', 'db_client_connection_pool_name', 'db_client_connection_state'),
          value(m.dbConnectionsMax.name, 'most', 'db_client_connection_pool_name'),
        ],
      },
      {
        title: 'Waiting for a connection',
        unit: 'count',
        lines: [value(m.dbPendingRequests.name, '', 'db_client_connection_pool_name')],
      },
      {
        title: 'Time to get a connection (mean)',
        unit: 'seconds',
        lines: [mean(m.dbWaitTime.name, '', 'db_client_connection_pool_name')],
      },
      {
        title: 'Timeouts',
        unit: 'per second',
        lines: [rate(m.dbTimeouts.name, '', 'db_client_connection_pool_name')],
      },
    ],
  },
  {
    id: 'work',
    title: 'Work',
    panels: [
      { title: 'Operations', unit: 'per second', lines: [rate(m.operationDuration.name, '', 'component', 'operation')] },
      {
        title: 'Duration of operations (mean)',
        unit: 'seconds',
        lines: [mean(m.operationDuration.name, '', 'component', 'operation')],
      },
      {
        title: 'Operations timed out',
        unit: 'per second',
        lines: [rate(m.operationTimeouts.name, '', 'component', 'operation')],
      },
      { title: 'Retries', unit: 'per second', lines: [rate(m.retryAttempts.name, '', 'name', 'result')] },
      { title: 'Rate limits', unit: 'per second', lines: [rate(m.rateLimitRequests.name, '', 'limiter', 'result')] },
      { title: 'Caches', unit: 'per second', lines: [rate(m.cacheRequests.name, '', 'cache', 'result')] },
      { title: 'Errors', unit: 'per second', lines: [rate(m.errors.name, '', 'error_category', 'error_type')] },
      { title: 'Unhandled errors', unit: 'per second', lines: [rate(m.unhandledErrors.name, '', 'kind')] },
      {
        title: 'Feature flags',
        unit: 'per second',
        lines: [rate(m.featureFlags.name, '', 'feature_flag_key', 'feature_flag_result_variant')],
      },
    ],
  },
  {
    id: 'ai',
    title: 'Models',
    panels: [
      {
        title: 'Tokens',
        unit: 'per second',
        lines: [{ metric: m.aiTokens.name, read: 'sumRate', by: ['gen_ai_request_model', 'gen_ai_token_type'] }],
      },
      { title: 'Duration (mean)', unit: 'seconds', lines: [mean(m.aiDuration.name, '', 'gen_ai_request_model')] },
      {
        title: 'Cost an hour',
        unit: 'dollars',
        lines: [{ metric: m.aiCost.name, read: 'rate', by: ['gen_ai_request_model'], scale: 3600 }],
      },
    ],
  },
  {
    id: 'telemetry',
    title: 'Telemetry',
    panels: [
      { title: 'Log lines', unit: 'per second', lines: [rate(m.logMessages.name, '', 'level')] },
      { title: 'Sent', unit: 'per second', lines: [rate(m.exported.name, '', 'signal')] },
      { title: 'Given up', unit: 'per second', lines: [rate(m.dropped.name, '', 'signal', 'reason')], onlyIfAny: true },
    ],
  },
];
