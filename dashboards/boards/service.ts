import { METRICS } from '../../instrumentation/names.ts';
import { alerts, deployments } from '../parts/annotations.ts';
import { chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { heatmap } from '../parts/heatmap.ts';
import { errorShare, latency, REQUESTS, requestRate } from '../parts/http.ts';
import { cell, clicked, toDashboard, toLogs, toTraces } from '../parts/links.ts';
import { PROCESS, PROMETHEUS_OWN, RUNTIME } from '../parts/names.ts';
import { CLIENT_ERROR, failed, grown, max, part, quantile, rate, SELECTED, select, sum, withResource } from '../parts/promql.ts';
import { logs, traceList } from '../parts/signals.ts';
import { stat } from '../parts/stat.ts';
import { table } from '../parts/table.ts';
import { timeline } from '../parts/timeline.ts';
import type { DataLink, Section } from '../parts/types.ts';
import { UID } from '../parts/uids.ts';
import { COLOUR, NONE_IS_GOOD, rising, UNIT } from '../parts/units.ts';
import { choice, datasource, filters, instance, job, serviceName } from '../parts/variables.ts';

const THIS_SERVICE = 'resource.service.name =~ "${service_name:pipe}"';
const LINES = '{service_name=~"${service_name:pipe}"}';
const duration = METRICS.httpServerDuration;
const latencySteps = rising(0.5, 2);
const errorSteps = rising(0.01, 0.05);

const failedTraces = toTraces('Failed traces', `{ ${THIS_SERVICE} && status = error }`);
const slowTraces = toTraces('Slow traces', `{ ${THIS_SERVICE} && kind = server && duration > 500ms }`);
const errorLines = toLogs('Error lines', `${LINES} | detected_level=~"error|fatal|critical"`);

/** To a dashboard, for the service whose series was clicked. */
function ofService(title: string, uid: (typeof UID)[keyof typeof UID]): DataLink {
  return toDashboard(title, uid, [['job', clicked('job')]]);
}

const state: Section = {
  panels: [
    stat({
      title: 'Requests',
      read: 'Requests a second that the selected services answer. Streams and WebSockets count when they end.',
      act: 'A sudden fall with no deployment means that callers no longer reach the service: look at what stands in front of it. A sudden rise explains most of the rest.',
      unit: UNIT.requests,
      queries: [{ expr: requestRate() }],
      none: 'no traffic',
    }),
    stat({
      title: 'Errors',
      read: 'Share of requests answered with 5xx. Client mistakes (4xx) are not in it.',
      act: 'Above 1 % look down: which service, which route, since when. Above 5 % think of a rollback first.',
      unit: UNIT.share,
      queries: [{ expr: errorShare() }],
      thresholds: errorSteps,
      links: [failedTraces, errorLines],
      none: 'no traffic',
    }),
    stat({
      title: 'Latency, p95',
      read: 'Nineteen of twenty requests were faster than this. It is read from a histogram, so it is exact to the width of a bucket.',
      act: 'Compare with the median further down: if both rose, everything is slow (event loop, CPU, a dependency); if only p95 did, some routes or some instances are.',
      unit: UNIT.seconds,
      queries: [{ expr: latency(0.95), exemplar: true }],
      thresholds: latencySteps,
      links: [slowTraces],
      none: 'no traffic',
    }),
    stat({
      title: 'In flight',
      read: 'Requests that have begun and not ended, over all selected instances. Rate times latency gives the usual number.',
      act: 'Rising while the rate stands still: requests hang. See outgoing calls and the event loop below.',
      unit: UNIT.count,
      queries: [{ expr: sum(select(METRICS.httpServerActive, SELECTED)) }],
      none: 'none',
    }),
    stat({
      title: 'Event loop, busiest',
      read: 'Utilization of the busiest selected instance: the share of time in which its event loop ran code. At 100 % an instance can take no more, however idle the other cores are.',
      act: 'Above 90 % for minutes: add instances, or take a CPU profile. The Node runtime dashboard says whether it is garbage collection.',
      unit: UNIT.share,
      queries: [{ expr: max(select(METRICS.eventLoopUtilization, SELECTED)) }],
      thresholds: rising(0.7, 0.9),
      links: [toDashboard('Node runtime', UID.runtime, ['job', 'instance'])],
    }),
    stat({
      title: 'Instances down',
      read: 'Instances that Prometheus knows of and cannot scrape. The dead and the unreachable look the same.',
      act: 'Look at the state of the instance where it runs (its last log lines are below), then at the network between Prometheus and port 9464.',
      unit: UNIT.none,
      queries: [{ expr: sum(`1 - ${select(PROMETHEUS_OWN.up, SELECTED)}`) }],
      thresholds: NONE_IS_GOOD,
    }),
  ],
};

const services: Section = {
  title: 'Which service',
  panels: [
    table({
      title: 'Services',
      read: 'Each selected service with its share of the trouble, as it is at the end of the shown time. Worst first by errors.',
      act: 'Choose the service that is red by a click on its name: the whole page then shows that one only.',
      keys: [
        {
          label: 'job',
          name: 'Service',
          links: [
            toDashboard('Only this service', UID.service, [['job', cell('Service')]]),
            toDashboard('Node runtime', UID.runtime, [['job', cell('Service')]]),
            toDashboard('Error budget', UID.slo, [['job', cell('Service')]]),
            toDashboard('Compare releases', UID.releases, [['job', cell('Service')]]),
          ],
        },
      ],
      columns: [
        { name: 'Requests', expr: requestRate('job'), unit: UNIT.requests },
        { name: 'Errors', expr: errorShare('job'), unit: UNIT.share, thresholds: errorSteps, decimals: 2 },
        { name: 'p50', expr: latency(0.5, 'job'), unit: UNIT.seconds },
        { name: 'p95', expr: latency(0.95, 'job'), unit: UNIT.seconds, thresholds: latencySteps },
        {
          name: 'Event loop',
          expr: max(select(METRICS.eventLoopUtilization, SELECTED), 'job'),
          unit: UNIT.share,
          decimals: 0,
          thresholds: rising(0.7, 0.9),
        },
        {
          name: 'Heap of limit',
          expr: max(`${select(RUNTIME.heapUsed, SELECTED)} / ${select(METRICS.heapSizeLimit, SELECTED)}`, 'job'),
          unit: UNIT.share,
          decimals: 0,
          thresholds: rising(0.8, 0.9),
        },
      ],
      sort: 'Errors',
      w: 16,
      h: 7,
    }),
    table({
      title: 'Alerts',
      read: 'Alerts of the selected services that fire, or that will if it goes on (pending).',
      act: 'The alert of the greatest severity first; its notification has the link to the runbook.',
      keys: [
        { label: 'alertname', name: 'Alert' },
        { label: 'severity', name: 'Severity', width: 80 },
        { label: 'alertstate', name: 'State', width: 80 },
        { label: 'job', name: 'Service' },
      ],
      columns: [
        {
          name: 'Number',
          expr: `count by (alertname, severity, alertstate, job) (${select(PROMETHEUS_OWN.alerts, 'job=~"$job"')})`,
          unit: UNIT.none,
          width: 70,
        },
      ],
      none: 'no alert',
      w: 8,
      h: 7,
    }),
  ],
};

const red: Section = {
  title: 'Since when',
  panels: [
    chart({
      title: 'Requests by status',
      read: 'Requests a second by status class. Blue lines mark deployments, red bands alerts.',
      act: 'Does the change stand at a line? Then compare the releases. 4xx that rise alone are most often a caller that was deployed.',
      unit: UNIT.requests,
      queries: [
        {
          // What has no status (the client went away) is a class of its own.
          expr: `sum by (class) (label_replace(label_replace(${rate(part(duration, 'count'), REQUESTS)}, "class", "no answer", "", ""), "class", "\${1}xx", "http_response_status_code", "([1-5]).."))`,
          legend: '{{class}}',
        },
      ],
      colours: { '2xx': 'green', '3xx': 'blue', '4xx': 'orange', '5xx': 'red', 'no answer': 'purple' },
      stacked: true,
      links: [failedTraces, errorLines],
      w: 8,
    }),
    chart({
      title: 'Error share by service',
      read: 'Share of requests answered with 5xx, one line a service.',
      act: 'The service that rose first is where to look; those that rose after it call it.',
      unit: UNIT.share,
      queries: [{ expr: errorShare('job'), legend: '{{job}}' }],
      thresholds: errorSteps,
      links: [ofService('Only this service', UID.service), failedTraces, errorLines],
      w: 8,
    }),
    chart({
      title: 'Latency',
      read: 'Median, p95 and p99 of request duration. The dots are single requests: a click on one leads to its trace.',
      act: 'Open a dot high up: its trace says where the time went.',
      unit: UNIT.seconds,
      queries: [
        { expr: latency(0.5), legend: 'p50', exemplar: true },
        { expr: latency(0.95), legend: 'p95', exemplar: true },
        { expr: latency(0.99), legend: 'p99', exemplar: true },
      ],
      colours: { p50: 'green', p95: 'orange', p99: 'red' },
      links: [slowTraces],
      w: 8,
    }),
  ],
};

const routes: Section = {
  title: 'For whom',
  panels: [
    table({
      title: 'Top routes',
      read: 'Routes by their template. Time is how much of a second each second is spent in the route over all instances: what it costs.',
      act: 'The route with errors or with p95 far above the others is the one; its links lead to its traces. An empty route is a request that no handler matched.',
      keys: [
        { label: 'http_request_method', name: 'Method', width: 80 },
        {
          label: 'http_route',
          name: 'Route',
          links: [
            toDashboard('Only this route', UID.service, ['job', 'instance', ['route', cell('Route')]]),
            toTraces('Traces', `{ ${THIS_SERVICE} && span.http.route = "\${__data.fields["Route"]}" }`),
            toTraces('Failed traces', `{ ${THIS_SERVICE} && span.http.route = "\${__data.fields["Route"]}" && status = error }`),
          ],
        },
      ],
      columns: [
        { name: 'Requests', expr: requestRate('http_request_method', 'http_route'), unit: UNIT.requests },
        {
          name: 'Errors',
          expr: errorShare('http_request_method', 'http_route'),
          unit: UNIT.share,
          decimals: 2,
          thresholds: errorSteps,
        },
        { name: 'p50', expr: latency(0.5, 'http_request_method', 'http_route'), unit: UNIT.seconds },
        {
          name: 'p95',
          expr: latency(0.95, 'http_request_method', 'http_route'),
          unit: UNIT.seconds,
          thresholds: latencySteps,
        },
        {
          name: 'Time',
          expr: sum(rate(part(duration, 'sum'), REQUESTS), 'http_request_method', 'http_route'),
          unit: UNIT.seconds,
          bar: true,
        },
      ],
      sort: 'Time',
      w: 14,
      h: 10,
    }),
    heatmap({
      title: 'Latency, all requests',
      read: 'How many requests took how long: brighter is more. Two bands are two kinds of requests, such as cache hits and misses.',
      act: 'A second band that appears far above the first is a group of requests that something stops: filter by route and instance until it stands alone.',
      unit: UNIT.seconds,
      expr: sum(`increase(${select(part(duration, 'bucket'), REQUESTS)}[$__rate_interval])`, 'le'),
      links: [slowTraces],
      w: 10,
      h: 10,
    }),
    chart({
      title: 'Error share by instance',
      read: 'Share of requests answered with 5xx, one line an instance.',
      act: 'One line alone is one sick process: take it out, keep it for diagnosis. All lines together are the code, a dependency or the input.',
      unit: UNIT.share,
      queries: [{ expr: errorShare('job', 'instance'), legend: '{{job}} {{instance}}' }],
      links: [
        toDashboard('Node runtime', UID.runtime, [
          ['job', clicked('job')],
          ['instance', clicked('instance')],
        ]),
      ],
      w: 12,
      h: 7,
    }),
    chart({
      title: 'Latency by instance, p95',
      read: 'p95 of request duration, one line an instance.',
      act: 'One line above the rest: its event loop, its garbage collection, its node. All of them: a dependency.',
      unit: UNIT.seconds,
      queries: [{ expr: latency(0.95, 'job', 'instance'), legend: '{{job}} {{instance}}', exemplar: true }],
      links: [
        toDashboard('Node runtime', UID.runtime, [
          ['job', clicked('job')],
          ['instance', clicked('instance')],
        ]),
      ],
      w: 12,
      h: 7,
    }),
  ],
};

const why: Section = {
  title: 'Why',
  panels: [
    chart({
      title: 'Outgoing calls that fail',
      read: 'Share of calls to each host that failed: no answer, or 5xx.',
      act: 'A host that is red here and not on its own dashboard is a matter of the network, DNS, credentials or limits between the two.',
      unit: UNIT.share,
      queries: [
        {
          expr: failed(METRICS.httpClientDuration, SELECTED, CLIENT_ERROR, ['server_address']),
          legend: '{{server_address}}',
        },
      ],
      thresholds: errorSteps,
      links: [toDashboard('HTTP clients', UID.httpClients, ['job', 'instance', ['server', clicked('server_address')]])],
      w: 8,
    }),
    chart({
      title: 'Outgoing calls, p95',
      read: 'p95 of the duration of calls to each host, as the caller sees it: with waiting for a socket, DNS and TLS.',
      act: 'If a host is slow here, look whether it says the same of itself. If it does not, the time is lost on the way or in this process: compare with the event loop.',
      unit: UNIT.seconds,
      queries: [
        {
          expr: quantile(0.95, METRICS.httpClientDuration, SELECTED, ['server_address']),
          legend: '{{server_address}}',
          exemplar: true,
        },
      ],
      links: [toDashboard('HTTP clients', UID.httpClients, ['job', 'instance', ['server', clicked('server_address')]])],
      w: 8,
    }),
    chart({
      title: 'Event loop delay, greatest',
      read: 'Longest delay of the event loop in the last half minute to minute, of the worst instance of each service. While it is delayed, nothing else runs in that process: no request, no timer, no health check.',
      act: 'Above 100 ms something synchronous is too big: JSON of megabytes, a regular expression, crypto or file calls that end in `Sync`. Take a CPU profile while it happens.',
      unit: UNIT.seconds,
      queries: [{ expr: max(select(RUNTIME.lagMax, SELECTED), 'job'), legend: '{{job}}' }],
      thresholds: rising(0.1, 1),
      links: [ofService('Node runtime', UID.runtime)],
      w: 8,
    }),
    chart({
      title: 'Errors by type',
      read: 'Errors that the kit saw, by class or code, and by what one can do about them: `retriable` and `transient` pass, `invalid_input` is for the caller, `fatal` is for you.',
      act: 'Search for the type in the lines below; a new type after a deployment is a bug that came with it.',
      unit: UNIT.events,
      queries: [
        {
          expr: sum(rate(METRICS.errors, SELECTED), 'error_type', 'error_category'),
          legend: '{{error_type}} ({{error_category}})',
        },
      ],
      stacked: true,
      links: [toLogs('Lines with it', `${LINES} |= "\${__field.labels.error_type}"`)],
      none: 'no error',
      w: 8,
    }),
    chart({
      title: 'Log lines by level',
      read: 'Lines a second by level, counted in the process: they are right even where logs are sampled or lost.',
      act: 'Errors that rise with no failing request are failing work in the background. Lines that fall to nothing are a process that hangs.',
      unit: UNIT.events,
      queries: [{ expr: sum(rate(METRICS.logMessages, SELECTED), 'level'), legend: '{{level}}' }],
      colours: { fatal: 'dark-red', error: 'red', warn: 'orange', info: 'green', debug: 'blue', trace: 'purple' },
      stacked: true,
      links: [toDashboard('Logs', UID.logs, [])],
      w: 8,
    }),
    timeline({
      title: 'Health checks',
      read: 'The worst result of each check of each service. A process with a failing check says 503 on `/health/ready`.',
      act: '`/health` of an instance says in words what a check found.',
      queries: [
        {
          expr: `min by (job, check) (${select(METRICS.healthStatus, SELECTED)})`,
          legend: '{{job}} {{check}}',
        },
      ],
      states: { 0: ['fail', COLOUR.bad], 0.5: ['warn', COLOUR.warn], 1: ['pass', COLOUR.good] },
      w: 8,
      h: 8,
    }),
  ],
};

const versions: Section = {
  title: 'What runs',
  panels: [
    table({
      title: 'Instances',
      read: 'Every process, the version it runs, since when, and how often it started in the shown time.',
      act: 'More than one version of a service outside of a deployment is a deployment that stopped half way. Many starts are a crash loop: read the last lines of that instance.',
      keys: [
        { label: 'job', name: 'Service' },
        {
          label: 'instance',
          name: 'Instance',
          links: [
            toDashboard('Node runtime', UID.runtime, [
              ['job', cell('Service')],
              ['instance', cell('Instance')],
            ]),
          ],
        },
        { label: 'service_version', name: 'Version' },
        { label: 'deployment_environment_name', name: 'Environment' },
        { label: 'process_runtime_version', name: 'Node.js' },
      ],
      columns: [
        {
          name: 'Started',
          expr: `${withResource(select(PROCESS.start, SELECTED), ['service_version', 'deployment_environment_name', 'process_runtime_version'])} * 1000`,
          unit: UNIT.ago,
        },
        {
          name: 'Starts',
          expr: `1 + ${withResource(`changes(${select(PROCESS.start, SELECTED)}[$__range])`, ['service_version', 'deployment_environment_name', 'process_runtime_version'])}`,
          unit: UNIT.none,
          thresholds: rising(2, 4),
        },
      ],
      sort: 'Started',
      w: 16,
      h: 7,
    }),
    stat({
      title: 'Uncaught errors',
      read: 'Errors that nothing caught, in the shown time. An uncaught exception ends the process.',
      act: 'Each one is a bug: its stack is in the log line at level `fatal` or `error`.',
      unit: UNIT.none,
      queries: [{ expr: sum(grown(METRICS.unhandledErrors, SELECTED)) }],
      thresholds: NONE_IS_GOOD,
      none: '0',
      decimals: 0,
      links: [errorLines],
      w: 4,
      h: 7,
    }),
    stat({
      title: 'Open streams',
      read: 'Event streams and WebSockets that are open now. They are not in the latency above.',
      act: 'A sudden fall means that clients were cut off and will all come back at once.',
      unit: UNIT.count,
      queries: [{ expr: sum(select(METRICS.httpServerStreams, SELECTED)) }],
      none: 'none',
      links: [toDashboard('Streams', UID.streams, ['job', 'instance'])],
      w: 4,
      h: 7,
    }),
  ],
};

const evidence: Section = {
  title: 'Logs and traces of the selection',
  panels: [
    traceList({
      title: 'Failed traces',
      read: 'Traces in which a selected service failed, the newest first.',
      act: 'Open one: the deepest red span is the cause, those above it only pass it on.',
      query: `{ ${THIS_SERVICE} && status = error }`,
    }),
    traceList({
      title: 'Slow traces',
      read: 'Traces in which a selected service took more than half a second to answer.',
      act: 'Open one: the longest span without children is where the time went.',
      query: `{ ${THIS_SERVICE} && kind = server && duration > 500ms }`,
    }),
    logs({
      title: 'Warnings and errors',
      read: 'Log lines of the selected services from level `warn` on.',
      act: 'Open a line: its `trace_id` leads to the trace, its `correlation_id` to all lines of the request in all services.',
      query: `${LINES} | detected_level=~"warn|error|fatal|critical"`,
    }),
  ],
};

/** Is it broken, for whom, since when, and why: the page to open first. */
export const service = dashboard({
  uid: UID.service,
  title: 'Service overview',
  description: 'Is it broken, which service, since when, for whom, and why. Read it from top to bottom.',
  tags: ['red', 'http'],
  variables: [
    datasource('prometheus'),
    datasource('loki'),
    datasource('tempo'),
    job(),
    instance(),
    choice({
      name: 'route',
      label: 'Route',
      from: { metric: part(duration, 'count'), matchers: 'job=~"$job"', label: 'http_route' },
      // Also what no route matched, where the label is empty.
      all: '.*',
    }),
    serviceName(),
    filters(),
  ],
  annotations: [deployments(), alerts()],
  sections: [state, services, red, routes, why, versions, evidence],
});
