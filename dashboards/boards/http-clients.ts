import { METRICS } from '../../instrumentation/names.ts';
import { alerts, deployments } from '../parts/annotations.ts';
import { chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { heatmap } from '../parts/heatmap.ts';
import { cell, clicked, toDashboard, toTraces } from '../parts/links.ts';
import { CLIENT_ERROR, failed, part, quantile, rate, SELECTED, select, sum } from '../parts/promql.ts';
import { traceList } from '../parts/signals.ts';
import { stat } from '../parts/stat.ts';
import { table } from '../parts/table.ts';
import { UID } from '../parts/uids.ts';
import { rising, UNIT } from '../parts/units.ts';
import { choice, datasource, filters, instance, job, serviceName } from '../parts/variables.ts';

const duration = METRICS.httpClientDuration;
const CALLS = `${SELECTED}, server_address=~"$server"`;
const MY_SPANS = 'resource.service.name =~ "${service_name:pipe}" && kind = client';
const errorSteps = rising(0.01, 0.1);
const latencySteps = rising(0.5, 2.5);
const failedCalls = toTraces(
  'Failed calls',
  `{ ${MY_SPANS} && span.server.address = "\${__field.labels.server_address}" && status = error }`,
);
const onlyThis = toDashboard('Only this host', UID.httpClients, ['job', 'instance', ['server', clicked('server_address')]]);

/** How the services that are called behave, as their callers see it. */
export const httpClients = dashboard({
  uid: UID.httpClients,
  title: 'HTTP clients',
  description: 'What the selected services call, how often, how long it takes and how it fails, as the callers see it.',
  tags: ['http', 'dependencies'],
  variables: [
    datasource('prometheus'),
    datasource('tempo'),
    job(part(duration, 'count')),
    instance(),
    choice({
      name: 'server',
      label: 'Called host',
      from: { metric: part(duration, 'count'), matchers: 'job=~"$job"', label: 'server_address' },
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
          title: 'Calls',
          read: 'Calls a second that the selected services make. A retry is a call of its own.',
          act: 'Calls that rise while requests do not are retries: see whether errors rise too, and whether the retries have a backoff.',
          unit: UNIT.requests,
          queries: [{ expr: sum(rate(part(duration, 'count'), CALLS)) }],
          none: 'no calls',
          w: 6,
        }),
        stat({
          title: 'Failed',
          read: 'Share of calls with no answer or a 5xx.',
          act: 'The table below says which host. Is it down, or is the way to it?',
          unit: UNIT.share,
          queries: [{ expr: failed(duration, CALLS, CLIENT_ERROR) }],
          thresholds: errorSteps,
          none: 'no calls',
          w: 6,
        }),
        stat({
          title: 'Turned away (4xx)',
          read: 'Share of calls answered 4xx: the other side says that the call was wrong, not allowed, or one too many (429).',
          act: '401 and 403: credentials that expired. 429: call less, or agree on a higher limit. 404 and 400 after a deployment: the two sides no longer fit.',
          unit: UNIT.share,
          queries: [{ expr: failed(duration, CALLS, 'http_response_status_code=~"4.."') }],
          thresholds: rising(0.05, 0.25),
          none: 'no calls',
          w: 6,
        }),
        stat({
          title: 'Duration, p95',
          read: 'Nineteen of twenty calls were faster, from the begin of the call to the end of the answer.',
          act: 'Slow calls hold requests, sockets and memory: set a timeout that is shorter than that of your own callers.',
          unit: UNIT.seconds,
          queries: [{ expr: quantile(0.95, duration, CALLS), exemplar: true }],
          thresholds: latencySteps,
          none: 'no calls',
          w: 6,
        }),
      ],
    },
    {
      title: 'Which host',
      panels: [
        table({
          title: 'Called hosts',
          read: 'Each host that is called, and by whom. Time is how much of a second each second is spent waiting for it.',
          act: 'Worst first by failures. A click on the host leaves only that one on the page.',
          keys: [
            {
              label: 'server_address',
              name: 'Host',
              links: [
                toDashboard('Only this host', UID.httpClients, ['job', 'instance', ['server', cell('Host')]]),
                toTraces(
                  'Failed calls',
                  `{ ${MY_SPANS} && span.server.address = "\${__data.fields["Host"]}" && status = error }`,
                ),
              ],
            },
            { label: 'server_port', name: 'Port', width: 70 },
            {
              label: 'job',
              name: 'Caller',
              links: [toDashboard('Service overview', UID.service, [['job', cell('Caller')]])],
            },
          ],
          columns: [
            {
              name: 'Calls',
              expr: sum(rate(part(duration, 'count'), CALLS), 'server_address', 'server_port', 'job'),
              unit: UNIT.requests,
            },
            {
              name: 'Failed',
              expr: failed(duration, CALLS, CLIENT_ERROR, ['server_address', 'server_port', 'job']),
              unit: UNIT.share,
              decimals: 2,
              thresholds: errorSteps,
            },
            {
              name: 'p50',
              expr: quantile(0.5, duration, CALLS, ['server_address', 'server_port', 'job']),
              unit: UNIT.seconds,
            },
            {
              name: 'p95',
              expr: quantile(0.95, duration, CALLS, ['server_address', 'server_port', 'job']),
              unit: UNIT.seconds,
              thresholds: latencySteps,
            },
            {
              name: 'Time',
              expr: sum(rate(part(duration, 'sum'), CALLS), 'server_address', 'server_port', 'job'),
              unit: UNIT.seconds,
              bar: true,
            },
          ],
          sort: 'Failed',
        }),
      ],
    },
    {
      title: 'How it fails, how long it takes',
      panels: [
        chart({
          title: 'Failed calls by reason',
          read: 'Calls a second that failed: a status, or the code of the error (`ECONNREFUSED` nobody listens, `ECONNRESET` cut off, `ETIMEDOUT` or `UND_ERR_HEADERS_TIMEOUT` no answer in time, `ENOTFOUND` no such name).',
          act: 'Refused: the other side is down or its address is wrong. Reset: it restarts, or a proxy closes idle connections earlier than the client. Timeouts: it is overloaded.',
          unit: UNIT.requests,
          queries: [
            {
              expr: sum(rate(part(duration, 'count'), `${CALLS}, error_type!=""`), 'server_address', 'error_type'),
              legend: '{{server_address}} {{error_type}}',
            },
          ],
          stacked: true,
          links: [failedCalls, onlyThis],
          none: 'no failed call',
        }),
        chart({
          title: 'Duration by host, p95',
          read: 'p95 of the duration of calls to each host. The dots are single calls: a click on one leads to its trace.',
          act: 'All hosts slow at once is this process (event loop) or its network. One host alone is that host.',
          unit: UNIT.seconds,
          queries: [
            {
              expr: quantile(0.95, duration, CALLS, ['server_address']),
              legend: '{{server_address}}',
              exemplar: true,
            },
          ],
          links: [failedCalls, onlyThis],
        }),
        chart({
          title: 'Calls by host and status',
          read: 'Calls a second, by host and status. An empty status is a call without an answer.',
          act: 'Look for the status that came with the deployment line.',
          unit: UNIT.requests,
          queries: [
            {
              expr: sum(rate(part(duration, 'count'), CALLS), 'server_address', 'http_response_status_code'),
              legend: '{{server_address}} {{http_response_status_code}}',
            },
          ],
          stacked: true,
          links: [onlyThis],
        }),
        heatmap({
          title: 'Duration, all calls',
          read: 'How many calls took how long: brighter is more. A band right at a timeout of yours is calls that never came back.',
          act: 'Choose a host above to see its own.',
          unit: UNIT.seconds,
          expr: sum(`increase(${select(part(duration, 'bucket'), CALLS)}[$__rate_interval])`, 'le'),
        }),
      ],
    },
    {
      title: 'Traces',
      panels: [
        traceList({
          title: 'Failed calls',
          read: 'Traces with a call that failed, the newest first.',
          act: 'Open one: if the called service has a span below the call, the cause is there; if it has none, the call never reached it.',
          query: `{ ${MY_SPANS} && status = error }`,
        }),
        traceList({
          title: 'Slow calls',
          read: 'Traces with a call of more than half a second.',
          act: 'A called span much shorter than the call: the time was lost between the two (DNS, TLS, a queue for sockets).',
          query: `{ ${MY_SPANS} && duration > 500ms }`,
        }),
      ],
    },
  ],
});
