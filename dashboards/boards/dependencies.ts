import { METRICS } from '../../instrumentation/names.ts';
import { alerts, deployments } from '../parts/annotations.ts';
import { chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { cell, clicked, toDashboard, toTraces } from '../parts/links.ts';
import { logTable } from '../parts/log-panels.ts';
import { CLIENT_ERROR, failed, grown, part, quantile, rate, SELECTED, select, share, sum } from '../parts/promql.ts';
import { logs, traceList } from '../parts/signals.ts';
import { stat } from '../parts/stat.ts';
import { table } from '../parts/table.ts';
import { UID } from '../parts/uids.ts';
import { falling, NONE_IS_GOOD, rising, UNIT } from '../parts/units.ts';
import { choice, datasource, filters, instance, job, serviceName } from '../parts/variables.ts';

const DB = `${SELECTED}, db_system_name=~"$system"`;
const MY_SPANS = 'resource.service.name =~ "${service_name:pipe}"';
const SLOW = '{service_name=~"${service_name:pipe}"} | component="database" | db_query_text!=""';
const operation = ['db_system_name', 'db_operation_name', 'db_collection_name'] as const;
const pool = 'db_client_connection_pool_name';
const latencySteps = rising(0.1, 0.5);
const errorSteps = rising(0.01, 0.05);
const ofSystem = toTraces(
  'Failed calls of this system',
  `{ ${MY_SPANS} && span.db.system.name = "${clicked('db_system_name')}" && status = error }`,
);

/** What the services lean on: databases and their pools, caches, slow queries, other services. */
export const dependencies = dashboard({
  uid: UID.dependencies,
  title: 'Dependencies',
  description: 'What the services lean on, as they see it: databases, connection pools, slow queries, caches, other services.',
  tags: ['databases', 'dependencies'],
  variables: [
    datasource('prometheus'),
    datasource('loki'),
    datasource('tempo'),
    job(),
    instance(),
    choice({
      name: 'system',
      label: 'Database',
      from: { metric: part(METRICS.dbDuration, 'count'), matchers: 'job=~"$job"', label: 'db_system_name' },
      all: '.*',
    }),
    serviceName(),
    filters(),
  ],
  annotations: [deployments(), alerts()],
  sections: [
    {
      panels: [
        stat({
          title: 'Database operations',
          read: 'Queries and commands a second that the selected services send.',
          act: 'Many more for the same requests since a deployment is a query in a loop: the trace of one request shows it at a glance.',
          unit: UNIT.operations,
          queries: [{ expr: sum(rate(part(METRICS.dbDuration, 'count'), DB)) }],
          none: 'no database',
        }),
        stat({
          title: 'Failed operations',
          read: 'Share of database operations that failed.',
          act: 'The reasons are below: no connection, a constraint, a lock, a statement that was ended.',
          unit: UNIT.share,
          queries: [{ expr: failed(METRICS.dbDuration, DB, 'error_type!=""') }],
          thresholds: errorSteps,
          none: 'no database',
        }),
        stat({
          title: 'Duration of operations, p95',
          read: 'p95 of database operations, from the call to the result. Waiting for a connection of the pool is not in it.',
          act: 'Slow here and quick in the database itself: results are too large, or the event loop is late to read them.',
          unit: UNIT.seconds,
          queries: [{ expr: quantile(0.95, METRICS.dbDuration, DB) }],
          thresholds: latencySteps,
          none: 'no database',
        }),
        stat({
          title: 'Waiting for a connection',
          read: 'Requests that wait for a connection of a pool at this moment.',
          act: 'Above zero for minutes the pool is dry. Look for slow queries and for transactions that stay open before you make it larger.',
          unit: UNIT.count,
          queries: [{ expr: sum(select(METRICS.dbPendingRequests, SELECTED)) }],
          thresholds: NONE_IS_GOOD,
          none: 'no pool',
        }),
        stat({
          title: 'Given up on the pool',
          read: 'Requests for a connection that timed out in the shown time.',
          act: 'Each is a failed request. See who holds the connections.',
          unit: UNIT.count,
          queries: [{ expr: sum(grown(METRICS.dbTimeouts, SELECTED)) }],
          thresholds: NONE_IS_GOOD,
          none: '0',
        }),
        stat({
          title: 'Cache hits',
          read: 'Share of look-ups that were answered from a cache.',
          act: 'A fall sends that load to what is behind the cache: was it emptied, did keys or lifetimes change?',
          unit: UNIT.share,
          queries: [{ expr: share(METRICS.cacheRequests, `${SELECTED}, result=~"hit|miss"`, 'result="hit"') }],
          thresholds: falling(0.5, 0.8),
          none: 'no cache',
        }),
      ],
    },
    {
      title: 'Databases',
      panels: [
        table({
          title: 'Operations',
          read: 'Each kind of operation on each table or collection. Time is how much of a second each second is spent in it, over all instances.',
          act: 'The greatest time first: an index there saves most. An operation with failures has its traces behind the link.',
          keys: [
            { label: 'db_system_name', name: 'Database' },
            {
              label: 'db_operation_name',
              name: 'Operation',
              links: [toTraces('Traces', `{ ${MY_SPANS} && span.db.operation.name = "${cell('Operation')}" }`)],
            },
            { label: 'db_collection_name', name: 'On' },
          ],
          columns: [
            { name: 'Calls', expr: sum(rate(part(METRICS.dbDuration, 'count'), DB), ...operation), unit: UNIT.operations },
            {
              name: 'Failed',
              expr: failed(METRICS.dbDuration, DB, 'error_type!=""', operation),
              unit: UNIT.share,
              decimals: 2,
              thresholds: errorSteps,
            },
            { name: 'p50', expr: quantile(0.5, METRICS.dbDuration, DB, operation), unit: UNIT.seconds },
            {
              name: 'p95',
              expr: quantile(0.95, METRICS.dbDuration, DB, operation),
              unit: UNIT.seconds,
              thresholds: latencySteps,
            },
            { name: 'Time', expr: sum(rate(part(METRICS.dbDuration, 'sum'), DB), ...operation), unit: UNIT.seconds, bar: true },
          ],
          sort: 'Time',
        }),
        chart({
          title: 'Duration by database, p95',
          read: 'p95 of the operations on each database system. The dots are single operations: a click leads to the trace.',
          act: 'One system alone is that server. All at once is this process or its network.',
          unit: UNIT.seconds,
          queries: [
            { expr: quantile(0.95, METRICS.dbDuration, DB, ['db_system_name']), legend: '{{db_system_name}}', exemplar: true },
          ],
          thresholds: latencySteps,
          links: [ofSystem],
          w: 8,
        }),
        chart({
          title: 'Failed operations by reason',
          read: 'Failed operations a second by the code that the database or the driver gave.',
          act: '`ECONNREFUSED` and `57P0x`: the server is down or ends sessions. `23xxx`: constraints, the data. `40001`, `40P01`: locks, try again.',
          unit: UNIT.operations,
          queries: [
            {
              expr: sum(rate(part(METRICS.dbDuration, 'count'), `${DB}, error_type!=""`), 'db_system_name', 'error_type'),
              legend: '{{db_system_name}} {{error_type}}',
            },
          ],
          stacked: true,
          links: [ofSystem],
          none: 'none failed',
          w: 8,
        }),
        chart({
          title: 'Operations by database',
          read: 'Operations a second on each database system.',
          act: 'Compare with the requests: the quotient is operations a request, and should not change by itself.',
          unit: UNIT.operations,
          queries: [{ expr: sum(rate(part(METRICS.dbDuration, 'count'), DB), 'db_system_name'), legend: '{{db_system_name}}' }],
          stacked: true,
          w: 8,
        }),
      ],
    },
    {
      title: 'Connection pools',
      panels: [
        chart({
          title: 'Connections used, of most',
          read: 'Connections in use as a share of the most that the pool opens, by pool and instance.',
          act: 'At 100 % the next request waits. Is the pool too small, or are connections held for too long?',
          unit: UNIT.share,
          max: 1,
          queries: [
            {
              expr: `${sum(select(METRICS.dbConnections, SELECTED, 'db_client_connection_state="used"'), 'job', 'instance', pool)} / ${sum(select(METRICS.dbConnectionsMax, SELECTED), 'job', 'instance', pool)}`,
              legend: `{{job}} {{instance}} {{${pool}}}`,
            },
          ],
          thresholds: rising(0.8, 0.95),
          w: 8,
        }),
        chart({
          title: 'Waiting requests by pool',
          read: 'Requests that wait for a connection, by pool. It goes up before requests time out.',
          act: 'Rising: find the transaction that is open for longest (`pg_stat_activity`, `SHOW PROCESSLIST`).',
          unit: UNIT.count,
          queries: [{ expr: sum(select(METRICS.dbPendingRequests, SELECTED), 'job', pool), legend: `{{job}} {{${pool}}}` }],
          thresholds: NONE_IS_GOOD,
          w: 8,
        }),
        chart({
          title: 'Wait for a connection, p95',
          read: 'p95 of the time to get a connection from the pool. It stands before the duration of the operation.',
          act: 'Near the timeout of the pool, requests fail next.',
          unit: UNIT.seconds,
          queries: [
            { expr: quantile(0.95, METRICS.dbWaitTime, SELECTED, ['job', pool]), legend: `{{job}} {{${pool}}}`, exemplar: true },
          ],
          thresholds: latencySteps,
          w: 8,
        }),
      ],
    },
    {
      title: 'Connections to other services',
      panels: [
        chart({
          title: 'Connections by host',
          read: 'Connections that the HTTP clients have open to each host, those that serve a request and idle ones, and the most that they open where they have a limit.',
          act: 'All in use at the limit: further calls wait. Many idle ones cost the other side memory: lower the keep-alive time.',
          unit: UNIT.count,
          queries: [
            {
              expr: sum(select(METRICS.httpClientConnections, SELECTED), 'server_address', 'http_connection_state'),
              legend: '{{server_address}} {{http_connection_state}}',
            },
            {
              expr: sum(select(METRICS.httpClientConnectionsMax, SELECTED), 'server_address'),
              legend: '{{server_address}} most',
            },
          ],
          none: 'no connections',
          w: 8,
        }),
        chart({
          title: 'Calls that wait, by host',
          read: 'Calls that are not on a connection yet: the limit of the client is reached, or a connection is being opened.',
          act: 'Rising while the host answers slowly: a time limit and a breaker keep the queue short. Rising while it answers quickly: allow more connections.',
          unit: UNIT.count,
          queries: [
            {
              expr: sum(select(METRICS.httpClientPending, SELECTED), 'job', 'server_address'),
              legend: '{{job}} {{server_address}}',
            },
          ],
          thresholds: NONE_IS_GOOD,
          none: 'no calls',
          w: 8,
        }),
        chart({
          title: 'Wait of calls, p95',
          read: 'p95 of the time that calls of fetch and undici wait until they go out. In a pool with a limit it stands before the duration of the call.',
          act: 'Longer than the call itself: the pool is the bottleneck, not the other service.',
          unit: UNIT.seconds,
          queries: [
            {
              expr: quantile(0.95, METRICS.httpClientWait, SELECTED, ['job', 'server_address']),
              legend: '{{job}} {{server_address}}',
              exemplar: true,
            },
          ],
          thresholds: latencySteps,
          none: 'no calls',
          w: 8,
        }),
      ],
    },
    {
      title: 'Slow queries',
      panels: [
        logTable({
          title: 'Slow queries by shape',
          read: 'Statements that took longer than `O11Y_SLOW_QUERY_MS`, by their shape (values are never kept), in the shown time.',
          act: 'The most frequent first: `EXPLAIN (ANALYZE, BUFFERS)` of that shape says whether an index is missing.',
          expr: `topk(20, sum by (service_name, db_system_name, db_query_text) (count_over_time(${SLOW} [$__range])))`,
          keys: [
            { label: 'service_name', name: 'Service' },
            { label: 'db_system_name', name: 'Database' },
            { label: 'db_query_text', name: 'Statement' },
          ],
          value: 'Times',
        }),
        logs({
          title: 'Slow queries, the newest',
          read: 'The lines of slow queries, with their duration.',
          act: 'Open one: its `trace_id` leads to the request that sent it.',
          query: SLOW,
          w: 12,
          h: 8,
        }),
      ],
    },
    {
      title: 'Caches and other services',
      panels: [
        chart({
          title: 'Hits by cache',
          read: 'Share of look-ups of each cache that were answered from it.',
          act: 'A dent at a deployment is a cold cache. A slow fall is keys that no longer match.',
          unit: UNIT.share,
          max: 1,
          queries: [
            {
              expr: share(METRICS.cacheRequests, `${SELECTED}, result=~"hit|miss"`, 'result="hit"', ['cache']),
              legend: '{{cache}}',
            },
          ],
          none: 'no cache',
          w: 6,
        }),
        chart({
          title: 'Cache look-ups by result',
          read: 'Look-ups a second by result. An `error` is a cache that did not answer.',
          act: 'Errors: the app should go on without it. Does what is behind it bear that?',
          unit: UNIT.operations,
          queries: [{ expr: sum(rate(METRICS.cacheRequests, SELECTED), 'cache', 'result'), legend: '{{cache}} {{result}}' }],
          stacked: true,
          none: 'no cache',
          w: 6,
        }),
        chart({
          title: 'Failed calls of other services',
          read: 'Share of HTTP calls to each host with no answer or a 5xx.',
          act: 'More about a host on the dashboard of HTTP clients.',
          unit: UNIT.share,
          queries: [
            {
              expr: failed(METRICS.httpClientDuration, SELECTED, CLIENT_ERROR, ['server_address']),
              legend: '{{server_address}}',
            },
          ],
          thresholds: errorSteps,
          links: [toDashboard('HTTP clients', UID.httpClients, ['job', 'instance', ['server', clicked('server_address')]])],
          none: 'no calls',
          w: 6,
        }),
        traceList({
          title: 'Failed database calls',
          read: 'Traces with a database call that failed, the newest first.',
          act: 'Open one: what else did the request do, and did it try again?',
          query: `{ ${MY_SPANS} && span.db.system.name != "" && status = error }`,
          w: 6,
        }),
      ],
    },
  ],
});
