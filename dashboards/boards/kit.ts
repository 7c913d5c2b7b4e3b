import { METRICS, OVERFLOW } from '../../instrumentation/names.ts';
import { alerts, restarts } from '../parts/annotations.ts';
import { chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { cell, clicked, toDashboard } from '../parts/links.ts';
import { PROMETHEUS_OWN } from '../parts/names.ts';
import { grown, part, quantile, rate, SELECTED, select, sum } from '../parts/promql.ts';
import { stat } from '../parts/stat.ts';
import { table } from '../parts/table.ts';
import { timeline } from '../parts/timeline.ts';
import { UID } from '../parts/uids.ts';
import { COLOUR, NONE_IS_GOOD, rising, UNIT } from '../parts/units.ts';
import { datasource, filters, instance, job } from '../parts/variables.ts';

const dropped = sum(rate(METRICS.dropped, SELECTED), 'signal');
const exported = sum(rate(METRICS.exported, SELECTED), 'signal');
const lossSteps = rising(0.001, 0.01);

/** Whether what the other dashboards show can be believed. */
export const kit = dashboard({
  uid: UID.kit,
  title: 'The kit itself',
  description: 'Can the other dashboards be believed: what is sent, what is lost and why, what a scrape costs.',
  tags: ['meta'],
  variables: [datasource('prometheus'), job(), instance(), filters()],
  annotations: [restarts(), alerts()],
  sections: [
    {
      panels: [
        stat({
          title: 'Exported',
          read: 'Spans and log records a second that the backend accepted.',
          act: 'Nothing while there is traffic: see what is dropped, and the `exporter` health check.',
          unit: UNIT.events,
          queries: [{ expr: sum(rate(METRICS.exported, SELECTED)) }],
          w: 6,
        }),
        stat({
          title: 'Lost',
          read: 'Share of spans and log records that never reached the backend.',
          act: 'The reasons are below. Metrics are not concerned: they are fetched by Prometheus.',
          unit: UNIT.share,
          decimals: 2,
          queries: [
            {
              expr: `sum(${dropped}) / (sum(${dropped}) + sum(${exported}) > 0)`,
            },
          ],
          thresholds: lossSteps,
          none: 'nothing sent',
          w: 6,
        }),
        stat({
          title: 'Collectors that fail',
          read: 'Metric collectors that did not work in the last scrape, over all selected instances.',
          act: 'The page of metrics has everything but the metrics of that collector. `O11Y_*` and the log of the process say why.',
          unit: UNIT.none,
          queries: [{ expr: sum(`1 - ${select(METRICS.collectorSuccess, SELECTED)}`) }],
          thresholds: NONE_IS_GOOD,
          w: 6,
        }),
        stat({
          title: 'Instances not scraped',
          read: 'Instances that Prometheus knows of and cannot reach.',
          act: 'Dead, or is port 9464 closed to Prometheus? `O11Y_TARGETS_DIR` and `OTEL_EXPORTER_PROMETHEUS_HOST` decide where it listens.',
          unit: UNIT.none,
          queries: [{ expr: sum(`1 - ${select(PROMETHEUS_OWN.up, SELECTED)}`) }],
          thresholds: NONE_IS_GOOD,
          w: 6,
        }),
      ],
    },
    {
      title: 'Traces and logs on their way',
      panels: [
        chart({
          title: 'Exported, by signal',
          read: 'Spans and log records a second that the backend accepted.',
          act: 'A fall to zero with traffic is a backend that does not answer.',
          unit: UNIT.events,
          queries: [{ expr: exported, legend: '{{signal}}' }],
          w: 8,
        }),
        chart({
          title: 'Dropped, by reason',
          read: '`queue_full`: made faster than the backend takes them. `export_failed`: the backend did not answer, through all retries. `rejected`: it refused them. `shutdown`: there was no time at the end. `worker_lost`: the thread that ships logs died.',
          act: '`queue_full`: sample traces, or raise `OTEL_BSP_MAX_QUEUE_SIZE`. `export_failed`: is the collector up, is `OTEL_EXPORTER_OTLP_ENDPOINT` right? `rejected`: its log says why.',
          unit: UNIT.events,
          queries: [{ expr: sum(rate(METRICS.dropped, SELECTED), 'signal', 'reason'), legend: '{{signal}} {{reason}}' }],
          thresholds: NONE_IS_GOOD,
          w: 8,
        }),
        chart({
          title: 'Duration of exports, p95',
          read: 'p95 of the duration of an export request with its retries.',
          act: 'Near the timeout of 10 s the queue fills and drops follow: look at the collector and the stores behind it.',
          unit: UNIT.seconds,
          queries: [{ expr: quantile(0.95, METRICS.exportDuration, SELECTED, ['signal']), legend: '{{signal}}' }],
          thresholds: rising(1, 5),
          w: 8,
        }),
      ],
    },
    {
      title: 'Metrics on their way',
      panels: [
        chart({
          title: 'Scrape duration',
          read: 'How long a scrape of each instance took, as Prometheus saw it. The page is made on the main thread: this time is taken from requests.',
          act: 'Above 100 ms there are too many series, see the next panel; or the event loop was blocked.',
          unit: UNIT.seconds,
          queries: [{ expr: select(PROMETHEUS_OWN.scrapeDuration, SELECTED), legend: '{{job}} {{instance}}' }],
          thresholds: rising(0.1, 1),
          links: [
            toDashboard('Node runtime', UID.runtime, [
              ['job', clicked('job')],
              ['instance', clicked('instance')],
            ]),
          ],
          w: 8,
        }),
        chart({
          title: 'Series of an instance',
          read: 'Samples that one scrape brought. A few hundred are usual, some thousand are much.',
          act: 'A line that grows with traffic is a label whose values come from requests: find it in `/metrics` and bound it.',
          unit: UNIT.count,
          queries: [{ expr: select(PROMETHEUS_OWN.samples, SELECTED), legend: '{{job}} {{instance}}' }],
          links: [
            toDashboard('Node runtime', UID.runtime, [
              ['job', clicked('job')],
              ['instance', clicked('instance')],
            ]),
          ],
          w: 8,
        }),
        timeline({
          title: 'Collectors',
          read: 'Whether each collector of metrics worked, on its worst instance.',
          act: 'A red one tells what is missing on the other dashboards.',
          queries: [
            {
              expr: `min by (job, collector) (${select(METRICS.collectorSuccess, SELECTED)})`,
              legend: '{{job}} {{collector}}',
            },
          ],
          states: { 0: ['failed', COLOUR.bad], 1: ['ok', COLOUR.good] },
          w: 8,
          h: 8,
        }),
        chart({
          title: 'Requests beyond the limit of series',
          read: `Requests and calls a second that are counted under \`${OVERFLOW}\`, because their metric has reached \`O11Y_MAX_SERIES\` series. Nothing is right.`,
          act: 'Find the label with too many values (most often raw paths or host names) and bound it; then raise the limit if it must be.',
          unit: UNIT.requests,
          queries: [
            {
              expr: sum(rate(part(METRICS.httpServerDuration, 'count'), `${SELECTED}, http_route="${OVERFLOW}"`), 'job'),
              legend: '{{job}} requests',
            },
            {
              expr: sum(rate(part(METRICS.httpClientDuration, 'count'), `${SELECTED}, server_address="${OVERFLOW}"`), 'job'),
              legend: '{{job}} outgoing calls',
            },
          ],
          none: 'none',
          w: 8,
        }),
        chart({
          title: 'Log lines by service',
          read: 'Log lines a second of each service, counted in the process.',
          act: 'A service far above the others pays for it in CPU and in storage: is a debug level still on?',
          unit: UNIT.events,
          queries: [{ expr: sum(rate(METRICS.logMessages, SELECTED), 'job'), legend: '{{job}}' }],
          stacked: true,
          w: 8,
        }),
        table({
          title: 'Dropped in the shown time',
          read: 'Spans and log records that were given up since the begin of the shown time, by service.',
          act: 'What was lost stays lost. For these services the traces and logs of that time are incomplete, their metrics are not.',
          keys: [
            { label: 'job', name: 'Service', links: [toDashboard('Service overview', UID.service, [['job', cell('Service')]])] },
            { label: 'signal', name: 'Signal' },
          ],
          columns: [
            {
              name: 'Dropped',
              expr: sum(grown(METRICS.dropped, SELECTED), 'job', 'signal'),
              unit: UNIT.count,
              thresholds: NONE_IS_GOOD,
            },
          ],
          sort: 'Dropped',
          w: 8,
        }),
      ],
    },
  ],
});
