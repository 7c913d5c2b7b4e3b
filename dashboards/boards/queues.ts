import { METRICS } from '../../instrumentation/names.ts';
import { alerts, deployments } from '../parts/annotations.ts';
import { chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { cell, clicked, toDashboard, toLogs, toTraces } from '../parts/links.ts';
import { failed, grown, max, part, quantile, rate, SELECTED, select, sum } from '../parts/promql.ts';
import { traceList } from '../parts/signals.ts';
import { stat } from '../parts/stat.ts';
import { table } from '../parts/table.ts';
import { UID } from '../parts/uids.ts';
import { NONE_IS_GOOD, rising, UNIT } from '../parts/units.ts';
import { choice, datasource, filters, instance, job, serviceName } from '../parts/variables.ts';

const QUEUE = `${SELECTED}, queue=~"$queue"`;
const MESSAGES = `${SELECTED}, messaging_destination_name=~"$queue"`;
const CONSUMED = 'resource.service.name =~ "${service_name:pipe}" && kind = consumer';
const ageSteps = rising(60, 300);
const failureSteps = rising(0.05, 0.1);

// Every process that has the queue open tells its depth, and they tell the same: the greatest is it, not the sum.
const depth = (state: string, ...by: readonly string[]) => max(select(METRICS.bullmqJobCount, QUEUE, state), 'queue', ...by);
const oldest = max(select(METRICS.bullmqOldestWaiting, QUEUE), 'queue');
// A partition has one consumer at a time; after it has changed hands, two may show it for a moment.
const kafkaLag = sum(max(select(METRICS.kafkaLag, SELECTED), 'topic', 'consumergroup', 'partition'), 'topic', 'consumergroup');
const deadLettered = (...by: readonly string[]) => sum(grown(METRICS.bullmqDeadLettered, QUEUE), ...by);
const finalFailures = (...by: readonly string[]) => {
  const all = sum(rate(METRICS.bullmqJobs, `${QUEUE}, result=~"completed|failed"`), ...by);
  return `(${sum(rate(METRICS.bullmqJobs, `${QUEUE}, result="failed"`), ...by)} or 0 * ${all}) / (${all} > 0)`;
};
const onlyThis = toDashboard('Only this queue', UID.queues, ['job', 'instance', ['queue', clicked('queue')]]);

/** Whether work that was put off gets done: depth, age, failures, dead letters, consumer lag. */
export const queues = dashboard({
  uid: UID.queues,
  title: 'Queues and dead letters',
  description: 'Does the work that was put off get done: depth and age of queues, failures, dead letters, lag of consumers.',
  tags: ['queues', 'bullmq', 'redis'],
  variables: [
    datasource('prometheus'),
    datasource('loki'),
    datasource('tempo'),
    job(part(METRICS.messagingProcess, 'count')),
    instance(),
    choice({
      name: 'queue',
      label: 'Queue',
      from: {
        metric: part(METRICS.messagingProcess, 'count'),
        matchers: 'job=~"$job"',
        label: 'messaging_destination_name',
      },
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
          title: 'Waiting jobs',
          read: 'Jobs that could start and have no worker yet, over all selected queues.',
          act: 'Rising for minutes: more comes than is done. Are the workers up, are their jobs slower than before?',
          unit: UNIT.count,
          queries: [{ expr: `sum(${depth('state="waiting"')})` }],
        }),
        stat({
          title: 'Oldest waiting job',
          read: 'For how long the oldest waiting job has been waiting. What users feel, unlike the number of jobs.',
          act: 'Rising one second a second: nothing is taken from the queue at all.',
          unit: UNIT.seconds,
          queries: [{ expr: `max(${oldest})` }],
          thresholds: ageSteps,
          none: 'none waits',
        }),
        stat({
          title: 'Jobs done',
          read: 'Jobs a second that were completed.',
          act: 'Zero with waiting jobs: the workers hang or are gone.',
          unit: UNIT.operations,
          queries: [{ expr: sum(rate(METRICS.bullmqJobs, `${QUEUE}, result="completed"`)) }],
        }),
        stat({
          title: 'Failed for good',
          read: 'Share of jobs that ended by failing their last attempt. Attempts that are repeated are not in it.',
          act: 'The table of dead letters says of which category they are, and whether a replay can help.',
          unit: UNIT.share,
          queries: [{ expr: finalFailures() }],
          thresholds: failureSteps,
          none: 'no jobs',
        }),
        stat({
          title: 'Dead letters',
          read: 'Jobs that failed their last attempt in the shown time.',
          act: 'Each is work that is not done. Mend the cause, then replay them.',
          unit: UNIT.count,
          queries: [{ expr: deadLettered() }],
          thresholds: NONE_IS_GOOD,
          none: '0',
        }),
        stat({
          title: 'Time of a job, p95',
          read: 'p95 of the time that a worker spends on one attempt.',
          act: 'Longer than the lock of the queue (30 s in BullMQ) and jobs are taken to have stalled.',
          unit: UNIT.seconds,
          queries: [{ expr: quantile(0.95, METRICS.messagingProcess, MESSAGES) }],
          none: 'no jobs',
        }),
      ],
    },
    {
      title: 'Which queue',
      panels: [
        table({
          title: 'Queues',
          read: 'Each queue at the end of the shown time.',
          act: 'Old jobs and none done: its workers. Old jobs and many done: too few workers. Failures: its traces.',
          keys: [
            {
              label: 'queue',
              name: 'Queue',
              links: [
                toDashboard('Only this queue', UID.queues, ['job', 'instance', ['queue', cell('Queue')]]),
                toTraces(
                  'Failed jobs',
                  `{ ${CONSUMED} && span.messaging.destination.name = "\${__data.fields["Queue"]}" && status = error }`,
                ),
              ],
            },
          ],
          columns: [
            { name: 'Waiting', expr: depth('state="waiting"'), unit: UNIT.count },
            { name: 'Active', expr: depth('state="active"'), unit: UNIT.count },
            { name: 'Delayed', expr: depth('state="delayed"'), unit: UNIT.count },
            { name: 'Failed', expr: depth('state="failed"'), unit: UNIT.count, thresholds: NONE_IS_GOOD },
            { name: 'Oldest', expr: oldest, unit: UNIT.seconds, thresholds: ageSteps },
            {
              name: 'Done',
              expr: sum(rate(METRICS.bullmqJobs, `${QUEUE}, result="completed"`), 'queue'),
              unit: UNIT.operations,
            },
            { name: 'Failed for good', expr: finalFailures('queue'), unit: UNIT.share, decimals: 1, thresholds: failureSteps },
          ],
          sort: 'Oldest',
          w: 16,
        }),
        table({
          title: 'Dead letters by category',
          read: 'Jobs that failed their last attempt in the shown time. `retriable` and `transient` may work when they are replayed, `invalid_input` never does, `fatal` needs a fix first.',
          act: 'Replay the first two kinds once the other side is well again. Take the third to whoever made the jobs.',
          keys: [
            { label: 'queue', name: 'Queue' },
            { label: 'error_category', name: 'Category' },
          ],
          columns: [{ name: 'Jobs', expr: deadLettered('queue', 'error_category'), unit: UNIT.count, thresholds: NONE_IS_GOOD }],
          sort: 'Jobs',
          w: 8,
        }),
      ],
    },
    {
      title: 'Since when',
      panels: [
        chart({
          title: 'Jobs by state',
          read: 'Jobs of all selected queues by state. `waiting` can start, `active` runs, `delayed` waits for its time (or for its next attempt), `failed` stays until somebody looks.',
          act: '`delayed` that grows is retries: the failures are behind it. `active` at its limit with `waiting` above it is too few workers.',
          unit: UNIT.count,
          queries: [{ expr: `sum by (state) (${depth('', 'state')})`, legend: '{{state}}' }],
          colours: { waiting: 'orange', active: 'green', delayed: 'blue', failed: 'red', completed: 'text' },
          w: 8,
        }),
        chart({
          title: 'Attempts by result',
          read: 'Attempts a second: `completed`; `retried` failed and come again; `failed` was the last one; `stalled` lost their worker.',
          act: '`retried` without `failed` is a dependency that has hiccups and retries that hide it. `stalled`: a worker died, or its event loop was blocked for longer than the lock.',
          unit: UNIT.operations,
          queries: [{ expr: sum(rate(METRICS.bullmqJobs, QUEUE), 'result'), legend: '{{result}}' }],
          colours: { completed: 'green', retried: 'orange', failed: 'red', stalled: 'purple' },
          stacked: true,
          w: 8,
        }),
        chart({
          title: 'Oldest waiting job, by queue',
          read: 'Age of the oldest waiting job of each queue.',
          act: 'A saw-tooth is a worker that takes jobs in batches. A straight line upwards is a queue that nobody works on.',
          unit: UNIT.seconds,
          queries: [{ expr: oldest, legend: '{{queue}}' }],
          thresholds: ageSteps,
          links: [onlyThis],
          w: 8,
        }),
        chart({
          title: 'Time of an attempt, p95',
          read: 'p95 of the time of one attempt, by queue or topic. The dots lead to the trace, from the request that made the job to its last attempt.',
          act: 'Slower since a deployment: compare the traces. Slower with the load: what the jobs call is the limit, more workers make it worse.',
          unit: UNIT.seconds,
          queries: [
            {
              expr: quantile(0.95, METRICS.messagingProcess, MESSAGES, ['messaging_destination_name']),
              legend: '{{messaging_destination_name}}',
              exemplar: true,
            },
          ],
          w: 8,
        }),
        chart({
          title: 'Attempts that fail',
          read: 'Share of attempts that fail, by queue or topic, repeated ones included.',
          act: 'The type of the error is on the failed traces below.',
          unit: UNIT.share,
          queries: [
            {
              expr: failed(METRICS.messagingProcess, MESSAGES, 'error_type!=""', ['messaging_destination_name']),
              legend: '{{messaging_destination_name}}',
            },
          ],
          thresholds: failureSteps,
          links: [toLogs('Error lines', '{service_name=~"${service_name:pipe}"} | detected_level=~"error|fatal|critical"')],
          w: 8,
        }),
        chart({
          title: 'Sent and processed',
          read: 'Messages a second that were handed to a broker, and attempts that were made of them.',
          act: 'Sent above processed for long: the backlog grows by the difference.',
          unit: UNIT.messages,
          queries: [
            {
              expr: sum(rate(METRICS.messagingSent, MESSAGES), 'messaging_destination_name'),
              legend: '{{messaging_destination_name}} sent',
            },
            {
              expr: sum(rate(part(METRICS.messagingProcess, 'count'), MESSAGES), 'messaging_destination_name'),
              legend: '{{messaging_destination_name}} processed',
            },
          ],
          w: 8,
        }),
      ],
    },
    {
      title: 'Redis Streams, Kafka, and the failures themselves',
      panels: [
        chart({
          title: 'Lag of consumer groups',
          read: 'Entries of a Redis stream that a consumer group has not read, and messages of a Kafka topic that it has not handled.',
          act: 'A lag that only grows: a consumer is gone, or too slow. Redis forgets entries beyond the length of the stream, and Kafka messages beyond the retention, whether they were read or not.',
          unit: UNIT.count,
          queries: [
            { expr: max(select(METRICS.redisStreamLag, SELECTED), 'stream', 'group'), legend: '{{stream}} {{group}}' },
            { expr: kafkaLag, legend: '{{topic}} {{consumergroup}}' },
          ],
          none: 'no consumer group',
          w: 8,
        }),
        chart({
          title: 'Length of streams',
          read: 'Entries of each Redis stream that the services write or read.',
          act: 'A length without a limit fills the memory of Redis: give `XADD` a `MAXLEN`.',
          unit: UNIT.count,
          queries: [{ expr: max(select(METRICS.redisStreamLength, SELECTED), 'stream'), legend: '{{stream}}' }],
          none: 'no stream',
          w: 8,
        }),
        traceList({
          title: 'Failed jobs',
          read: 'Traces of jobs and messages whose processing failed, the newest first.',
          act: 'Open one: it begins with the request that made the job, and has one span for each attempt.',
          query: `{ ${CONSUMED} && status = error }`,
          w: 8,
        }),
      ],
    },
  ],
});
