import { METRICS } from '../../instrumentation/names.ts';
import { alerts, deployments } from '../parts/annotations.ts';
import { chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { clicked, toLogs } from '../parts/links.ts';
import { grown, max, part, quantile, rate, SELECTED, select, share, sum } from '../parts/promql.ts';
import { logs } from '../parts/signals.ts';
import { stat } from '../parts/stat.ts';
import { table } from '../parts/table.ts';
import { timeline } from '../parts/timeline.ts';
import { UID } from '../parts/uids.ts';
import { COLOUR, NONE_IS_GOOD, rising, UNIT } from '../parts/units.ts';
import { datasource, filters, instance, job, serviceName } from '../parts/variables.ts';

const STREAM = '{service_name=~"${service_name:pipe}"}';
const onName = toLogs('Lines with this name', `${STREAM} |= "${clicked('name')}"`);
const results = {
  success: 'green',
  failure: 'red',
  timeout: 'orange',
  rejected: 'purple',
  fallback: 'blue',
};

/** What stands between a failure and the user: breakers, retries, time limits, rate limits, bulkheads. */
export const resilience = dashboard({
  uid: UID.resilience,
  title: 'Resilience',
  description: 'What stands between a failure and its users: circuit breakers, retries, time limits, rate limits, bulkheads.',
  tags: ['resilience', 'breakers'],
  variables: [datasource('prometheus'), datasource('loki'), job(), instance(), serviceName(), filters()],
  annotations: [deployments(), alerts()],
  sections: [
    {
      panels: [
        stat({
          title: 'Breakers not closed',
          read: 'Circuit breakers that are open or half-open, over all selected instances.',
          act: 'Their names are below. What they guard fails: look there, not at the breaker.',
          unit: UNIT.none,
          queries: [{ expr: `sum(${select(METRICS.breakerState, SELECTED)} > bool 0)` }],
          thresholds: NONE_IS_GOOD,
          none: 'no breaker',
        }),
        stat({
          title: 'Rejected by breakers',
          read: 'Share of calls that an open breaker turned away without trying.',
          act: 'These calls cost nothing and answer at once. Is there a fallback for them?',
          unit: UNIT.share,
          queries: [{ expr: share(METRICS.breakerRequests, `${SELECTED}, result!="fallback"`, 'result="rejected"') }],
          thresholds: rising(0.01, 0.1),
          none: 'no calls',
        }),
        stat({
          title: 'Retries',
          read: 'Failed attempts a second that are followed by another one.',
          act: 'Each is load on something that is already unwell. Rising with the failures: check that there is a backoff with jitter.',
          unit: UNIT.operations,
          queries: [{ expr: sum(rate(METRICS.retryAttempts, `${SELECTED}, result="failure"`)) }],
          none: 'none',
        }),
        stat({
          title: 'Given up after retries',
          read: 'Calls in the shown time that failed with their last attempt too.',
          act: 'Users saw these. Their category says whether retrying could ever have helped.',
          unit: UNIT.count,
          queries: [{ expr: sum(grown(METRICS.retryAttempts, `${SELECTED}, result="exhausted"`)) }],
          thresholds: NONE_IS_GOOD,
          none: '0',
        }),
        stat({
          title: 'Out of time',
          read: 'Operations in the shown time that exceeded their time limit.',
          act: 'A limit that is often hit is too short, or what it guards is too slow: see the durations below.',
          unit: UNIT.count,
          queries: [{ expr: sum(grown(METRICS.operationTimeouts, SELECTED)) }],
          thresholds: NONE_IS_GOOD,
          none: '0',
        }),
        stat({
          title: 'Turned away by rate limits',
          read: 'Share of requests that a rate limiter of the selected services refused.',
          act: 'One client alone: speak to them. All of them: the limit is too low for the traffic that is meant to be there.',
          unit: UNIT.share,
          queries: [{ expr: share(METRICS.rateLimitRequests, SELECTED, 'result="limited"') }],
          thresholds: rising(0.01, 0.1),
          none: 'no limiter',
        }),
      ],
    },
    {
      title: 'Circuit breakers',
      panels: [
        timeline({
          title: 'State of breakers',
          read: 'Each breaker at its worst over the selected instances: closed lets calls through, open turns them away, half-open tries some.',
          act: 'Open for long: what it guards is down. Open and closed in turn: it is half well, or the threshold is too low.',
          queries: [{ expr: max(select(METRICS.breakerState, SELECTED), 'job', 'name'), legend: '{{job}} {{name}}' }],
          states: { 0: ['closed', COLOUR.good], 1: ['open', COLOUR.bad], 2: ['half-open', COLOUR.warn] },
          none: 'no breaker',
          w: 12,
          h: 8,
        }),
        chart({
          title: 'Calls by result',
          read: 'Calls a second through all breakers, by result. `fallback` comes in addition to what it stood in for.',
          act: '`timeout` before `failure` is a slow dependency, `failure` at once a broken one.',
          unit: UNIT.operations,
          queries: [{ expr: sum(rate(METRICS.breakerRequests, SELECTED), 'result'), legend: '{{result}}' }],
          colours: results,
          stacked: true,
        }),
        table({
          title: 'Breakers',
          read: 'Each breaker at the end of the shown time. Openings are those of the shown time.',
          act: 'Many openings and few failures: the breaker opens too early. Many failures and none: too late.',
          keys: [
            { label: 'job', name: 'Service' },
            { label: 'name', name: 'Breaker' },
          ],
          columns: [
            {
              name: 'Calls',
              expr: sum(rate(METRICS.breakerRequests, `${SELECTED}, result!="fallback"`), 'job', 'name'),
              unit: UNIT.operations,
            },
            {
              name: 'Not successful',
              expr: share(METRICS.breakerRequests, `${SELECTED}, result!="fallback"`, 'result!="success"', ['job', 'name']),
              unit: UNIT.share,
              decimals: 1,
              thresholds: rising(0.05, 0.25),
            },
            {
              name: 'Openings',
              expr: sum(grown(METRICS.breakerChanges, `${SELECTED}, to="open"`), 'job', 'name'),
              unit: UNIT.count,
              thresholds: rising(1, 3),
            },
          ],
          sort: 'Openings',
          w: 12,
        }),
        chart({
          title: 'State changes and probes',
          read: 'Changes of state a second, and calls that half-open breakers let through to see whether it is over.',
          act: 'Probes that fail keep it open. None at all while it is open: nobody calls it any more.',
          unit: UNIT.operations,
          queries: [
            { expr: sum(rate(METRICS.breakerChanges, SELECTED), 'name', 'to'), legend: '{{name}} → {{to}}' },
            { expr: sum(rate(METRICS.breakerProbes, SELECTED), 'name', 'result'), legend: '{{name}} probe {{result}}' },
          ],
          links: [onName],
          none: 'no change',
        }),
      ],
    },
    {
      title: 'Retries, time limits, bulkheads',
      panels: [
        chart({
          title: 'Attempts by result',
          read: 'Attempts a second: `success`; `failure`, which is followed by another one; `exhausted`, which was the last.',
          act: 'Many failures and no exhausted one: the retries do their work, and hide a dependency that needs looking after.',
          unit: UNIT.operations,
          queries: [{ expr: sum(rate(METRICS.retryAttempts, SELECTED), 'name', 'result'), legend: '{{name}} {{result}}' }],
          links: [onName],
          none: 'no retries',
          w: 8,
        }),
        chart({
          title: 'Operations out of time',
          read: 'Operations a second that exceeded their time limit, by component and operation.',
          act: 'The work may still go on after it: does the limit cancel it, or only stop waiting?',
          unit: UNIT.operations,
          queries: [
            {
              expr: sum(rate(METRICS.operationTimeouts, SELECTED), 'component', 'operation'),
              legend: '{{component}} {{operation}}',
            },
          ],
          none: 'none',
          w: 8,
        }),
        chart({
          title: 'Duration of operations, p95',
          read: 'p95 of each named operation (`operation(name, fn)`). The dots lead to traces.',
          act: 'A p95 close to the time limit: the next slowdown turns into failures.',
          unit: UNIT.seconds,
          queries: [
            {
              expr: quantile(0.95, METRICS.operationDuration, SELECTED, ['component', 'operation']),
              legend: '{{component}} {{operation}}',
              exemplar: true,
            },
          ],
          none: 'no named operation',
          w: 8,
        }),
        chart({
          title: 'Operations that fail',
          read: 'Share of each named operation that throws.',
          act: 'Stages of a pipeline: the first one that rose is the cause.',
          unit: UNIT.share,
          queries: [
            {
              expr: share(part(METRICS.operationDuration, 'count'), SELECTED, 'error_type!=""', ['component', 'operation']),
              legend: '{{component}} {{operation}}',
            },
          ],
          thresholds: rising(0.01, 0.1),
          none: 'no named operation',
          w: 8,
        }),
        chart({
          title: 'Bulkheads',
          read: 'Calls a second that bulkheads let in, and those that they turned away because all places were taken.',
          act: 'Turned away while the process is idle: the bulkhead is too small. While it is busy: it does its work.',
          unit: UNIT.operations,
          queries: [{ expr: sum(rate(METRICS.bulkheadRequests, SELECTED), 'name', 'result'), legend: '{{name}} {{result}}' }],
          none: 'no bulkhead',
          w: 8,
        }),
        chart({
          title: 'Rate limits',
          read: 'Requests a second that each rate limiter allowed and refused.',
          act: 'Refused requests that come again at once: tell clients when to return (`Retry-After`).',
          unit: UNIT.requests,
          queries: [
            { expr: sum(rate(METRICS.rateLimitRequests, SELECTED), 'limiter', 'result'), legend: '{{limiter}} {{result}}' },
          ],
          none: 'no limiter',
          w: 8,
        }),
      ],
    },
    {
      title: 'What they said',
      panels: [
        logs({
          title: 'Lines about breakers',
          read: 'Every change of a breaker is a line, with the request that met it.',
          act: 'The line before an opening often has the error that tipped it.',
          query: `${STREAM} |~ "(?i)breaker|bulkhead|retr(y|ies)" | detected_level=~"warn|error|fatal|critical"`,
          h: 8,
        }),
      ],
    },
  ],
});
