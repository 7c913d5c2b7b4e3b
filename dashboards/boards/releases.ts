import { VariableSort } from '@grafana/grafana-foundation-sdk/dashboard';
import { METRICS } from '../../instrumentation/names.ts';
import { alerts, deployments } from '../parts/annotations.ts';
import { chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { cell, toDashboard, toTraces } from '../parts/links.ts';
import { PROCESS, RUNTIME } from '../parts/names.ts';
import { part, rate, SERVER_ERROR, select, sum } from '../parts/promql.ts';
import { traceList } from '../parts/signals.ts';
import { table } from '../parts/table.ts';
import type { Query } from '../parts/targets.ts';
import { UID } from '../parts/uids.ts';
import { rising, UNIT } from '../parts/units.ts';
import { choice, datasource, filters, instance, job, serviceName } from '../parts/variables.ts';

const duration = METRICS.httpServerDuration;
const SERVICE = 'job=~"$job", instance=~"$instance"';
const VERSION = 'service_version=~"$baseline|$candidate"';
const names = { A: '$baseline', B: '$candidate' } as const;

/** Only of the processes of the two versions, with the version as a label. */
function byVersion(expression: string, ...by: readonly string[]): string {
  const version = `group by (job, instance, service_version) (${select(METRICS.targetInfo, SERVICE, VERSION)})`;
  return sum(`${expression} * on (job, instance) group_left (service_version) ${version}`, 'service_version', ...by);
}

function quantile(q: number, ...by: readonly string[]): string {
  return `histogram_quantile(${q}, ${byVersion(rate(part(duration, 'bucket'), SERVICE), 'le', ...by)})`;
}

function requests(...by: readonly string[]): string {
  return byVersion(rate(part(duration, 'count'), SERVICE), ...by);
}

function errors(...by: readonly string[]): string {
  const all = requests(...by);
  const wrong = byVersion(rate(part(duration, 'count'), `${SERVICE}, ${SERVER_ERROR}`), ...by);
  return `(${wrong} or 0 * ${all}) / (${all} > 0)`;
}

/** Of one version alone: a row of the table of routes has a column for each. */
function ofOne(expression: string, version: string): string {
  return expression.replaceAll(VERSION, `service_version="${version}"`);
}

/** A mean over the processes of each version, which does not depend on how many there are. */
function perProcess(expression: string): string {
  const version = `group by (job, instance, service_version) (${select(METRICS.targetInfo, SERVICE, VERSION)})`;
  return `avg by (service_version) (${expression} * on (job, instance) group_left (service_version) ${version})`;
}

function compared(expr: string, exemplar = false): readonly Query[] {
  return [{ expr, legend: '{{service_version}}', exemplar }];
}

const onRoute = ['http_request_method', 'http_route'] as const;
const colours = { [names.A]: 'blue', [names.B]: 'orange' };
const errorSteps = rising(0.01, 0.05);

/** Whether a version is worse than another one: while it is rolled out, or afterwards. */
export const releases = dashboard({
  uid: UID.releases,
  title: 'Release comparison',
  description:
    'Is the new version worse than the old one: errors, latency, cost and log lines of two versions of a service, side by side.',
  tags: ['deployments'],
  variables: [
    datasource('prometheus'),
    datasource('tempo'),
    job(part(duration, 'count'), false),
    choice({
      name: 'baseline',
      label: 'Version A',
      description: 'The version to compare with.',
      from: { metric: METRICS.targetInfo, matchers: 'job=~"$job"', label: 'service_version' },
      many: false,
    }),
    choice({
      name: 'candidate',
      label: 'Version B',
      description: 'The version that is judged; the highest one at first.',
      from: { metric: METRICS.targetInfo, matchers: 'job=~"$job"', label: 'service_version' },
      many: false,
      sort: VariableSort.NaturalDesc,
    }),
    instance(),
    serviceName(),
    filters(),
  ],
  annotations: [deployments(), alerts()],
  sections: [
    {
      panels: [
        table({
          title: 'A against B',
          read: 'Both versions at the end of the shown time, each by its own requests. CPU a request is the CPU time of the processes divided by what they answered.',
          act: 'Any number of B that is a fifth worse than that of A, with some hundred requests behind it, is a reason to stop the rollout. With few requests wait.',
          keys: [{ label: 'service_version', name: 'Version' }],
          columns: [
            {
              name: 'Processes',
              expr: `count by (service_version) (${select(METRICS.targetInfo, SERVICE, VERSION)})`,
              unit: UNIT.none,
            },
            { name: 'Requests', expr: requests(), unit: UNIT.requests },
            { name: 'Errors', expr: errors(), unit: UNIT.share, decimals: 2, thresholds: errorSteps },
            { name: 'p50', expr: quantile(0.5), unit: UNIT.seconds },
            { name: 'p95', expr: quantile(0.95), unit: UNIT.seconds },
            { name: 'p99', expr: quantile(0.99), unit: UNIT.seconds },
            {
              name: 'CPU a request',
              expr: `${byVersion(rate(PROCESS.cpu, SERVICE))} / (${requests()} > 0)`,
              unit: UNIT.seconds,
            },
            { name: 'Memory a process', expr: perProcess(select(PROCESS.rss, SERVICE)), unit: UNIT.bytes },
          ],
          sort: 'Version',
          h: 5,
        }),
      ],
    },
    {
      title: 'Requests',
      panels: [
        chart({
          title: 'Error share',
          read: 'Share of requests answered with 5xx, one line a version.',
          act: 'B above A from its first minute on: roll back. Both alike: it is not the release.',
          unit: UNIT.share,
          queries: compared(errors()),
          colours,
          thresholds: errorSteps,
          links: [
            toTraces(
              'Failed traces of this version',
              '{ resource.service.name =~ "${service_name:pipe}" && resource.service.version = "${__field.labels.service_version}" && status = error }',
            ),
          ],
          w: 8,
        }),
        chart({
          title: 'Latency, p95',
          read: 'p95 of request duration, one line a version. A version is slow in its first minute (empty caches, code not yet compiled).',
          act: 'If B stays above A after some minutes, open its dots and compare their traces with those of A.',
          unit: UNIT.seconds,
          queries: compared(quantile(0.95), true),
          colours,
          w: 8,
        }),
        chart({
          title: 'Latency, p50',
          read: 'The median of request duration, one line a version. It does not move by a few slow requests.',
          act: 'A median that moved is something on the way of every request: middleware, serialisation, a query more.',
          unit: UNIT.seconds,
          queries: compared(quantile(0.5), true),
          colours,
          w: 8,
        }),
        chart({
          title: 'Requests',
          read: 'Requests a second, one line a version: how far the rollout is.',
          act: 'A version that runs and gets no requests is not in the load balancer, or not ready.',
          unit: UNIT.requests,
          queries: compared(requests()),
          colours,
          stacked: true,
          w: 8,
        }),
        table({
          title: 'Routes, A against B',
          read: 'Every route in both versions.',
          act: 'The route whose B column is worse is the one that the change touched.',
          keys: [
            { label: 'http_request_method', name: 'Method', width: 80 },
            {
              label: 'http_route',
              name: 'Route',
              links: [toDashboard('This route', UID.service, ['job', ['route', cell('Route')]])],
            },
          ],
          columns: [
            {
              name: 'Errors A',
              expr: ofOne(sumOut(errors(...onRoute)), '$baseline'),
              unit: UNIT.share,
              decimals: 2,
              thresholds: errorSteps,
            },
            {
              name: 'Errors B',
              expr: ofOne(sumOut(errors(...onRoute)), '$candidate'),
              unit: UNIT.share,
              decimals: 2,
              thresholds: errorSteps,
            },
            { name: 'p95 A', expr: ofOne(sumOut(quantile(0.95, ...onRoute)), '$baseline'), unit: UNIT.seconds },
            { name: 'p95 B', expr: ofOne(sumOut(quantile(0.95, ...onRoute)), '$candidate'), unit: UNIT.seconds },
          ],
          sort: 'Errors B',
          w: 16,
        }),
      ],
    },
    {
      title: 'What it costs',
      panels: [
        chart({
          title: 'CPU a request',
          read: 'CPU seconds of the processes of a version, divided by the requests they answered.',
          act: 'More for the same routes is more work a request: compare CPU profiles of one process of each.',
          unit: UNIT.seconds,
          queries: compared(`${byVersion(rate(PROCESS.cpu, SERVICE))} / (${requests()} > 0)`),
          colours,
          w: 8,
        }),
        chart({
          title: 'Heap of limit',
          read: 'Used heap as a share of its limit, mean of the processes of a version. A new process starts low.',
          act: 'A line that climbs where that of A is flat is a leak that came with B.',
          unit: UNIT.share,
          queries: compared(perProcess(`(${select(RUNTIME.heapUsed, SERVICE)} / ${select(METRICS.heapSizeLimit, SERVICE)})`)),
          colours,
          w: 8,
        }),
        chart({
          title: 'Event loop utilization',
          read: 'Mean of the processes of a version.',
          act: 'Compare only where both get the same share of requests.',
          unit: UNIT.share,
          queries: compared(perProcess(select(METRICS.eventLoopUtilization, SERVICE))),
          colours,
          w: 8,
        }),
        chart({
          title: 'Error lines a request',
          read: 'Log lines of level `error` and `fatal` for each request.',
          act: 'Lines without failing requests are failures that somebody catches: read them before the rollout goes on.',
          unit: UNIT.none,
          queries: compared(`${byVersion(rate(METRICS.logMessages, `${SERVICE}, level=~"error|fatal"`))} / (${requests()} > 0)`),
          colours,
          none: 'no error line',
          w: 8,
        }),
        chart({
          title: 'Processes by version',
          read: 'How many processes of each version run.',
          act: 'Both for longer than a rollout takes: it stopped half way.',
          unit: UNIT.none,
          queries: [
            {
              expr: `count by (service_version) (${select(METRICS.targetInfo, 'job=~"$job"')})`,
              legend: '{{service_version}}',
            },
          ],
          colours,
          stacked: true,
          steps: true,
          w: 8,
        }),
        traceList({
          title: 'Failed traces of version B',
          read: 'Traces in which a process of version B failed.',
          act: 'Open one: does the failing span exist in the traces of A?',
          query:
            '{ resource.service.name =~ "${service_name:pipe}" && resource.service.version = "$candidate" && status = error }',
          w: 8,
        }),
      ],
    },
  ],
});

/** Without the version, so that the columns of both versions meet in one row of a route. */
function sumOut(expression: string): string {
  return `sum without (service_version) (${expression})`;
}
