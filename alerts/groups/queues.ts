import { METRICS } from '../../instrumentation/names.ts';
import type { Group } from '../define.ts';
import { above, growth, JOB, share } from '../promql.ts';

const JOBS = METRICS.bullmqJobs.name;
const WAITING = `max by (${JOB}, queue) (${METRICS.bullmqJobCount.name}{state="waiting"})`;
const MESSAGES = `${METRICS.messagingProcess.name}_count`;
const DESTINATION = `${JOB}, messaging_system, messaging_destination_name`;

/**
 * What consumer groups have not handled, of Redis Streams and of Kafka under the same labels. `read` is put around each metric.
 * A partition has one consumer at a time; after it has changed hands, two may show it for a moment.
 */
function lag(read = (metric: string) => metric): string {
  const stream = `label_replace(${read(METRICS.kafkaLag.name)}, "stream", "$1", "topic", "(.+)")`;
  return `(
  max by (${JOB}, stream, group) (${read(METRICS.redisStreamLag.name)})
    or
  sum by (${JOB}, stream, group) (
    max by (${JOB}, stream, group, partition) (
      label_replace(${stream}, "group", "$1", "consumergroup", "(.+)")
    )
  )
)`;
}

export const queues: Group = {
  name: 'o11y-queue-alerts',
  rules: [
    {
      alert: 'QueueBacklogGrowing',
      expr: `${above(WAITING, 'queue_waiting_jobs')}
and
max by (${JOB}, queue) (deriv(${METRICS.bullmqJobCount.name}{state="waiting"}[15m])) > 0`,
      for: '10m',
      severity: 'warning',
      summary: 'A queue grows faster than it is worked off.',
      description: '{{ $value }} jobs wait in queue {{ $labels.queue }} (seen by {{ $labels.job }}), and their number grows.',
      dashboard: 'o11y-queues',
    },
    {
      alert: 'QueueJobsTooOld',
      expr: above(`max by (${JOB}, queue) (${METRICS.bullmqOldestWaiting.name})`, 'queue_oldest_seconds'),
      for: '2m',
      severity: 'warning',
      summary: 'Jobs wait too long in a queue.',
      description:
        'The oldest job of queue {{ $labels.queue }} (seen by {{ $labels.job }}) waits for {{ $value | humanizeDuration }}.',
      dashboard: 'o11y-queues',
    },
    {
      alert: 'QueueJobsFailing',
      expr: `${above(share(JOBS, `${JOB}, queue`, 'result=~"failed|retried"', '10m'), 'queue_failure_ratio')}
and on (${JOB}, queue)
sum by (${JOB}, queue) (increase(${JOBS}{result=~"failed|retried"}[10m])) >= 5`,
      for: '5m',
      severity: 'warning',
      summary: 'Jobs of a queue fail.',
      description:
        '{{ $value | humanizePercentage }} of the attempts at jobs of queue {{ $labels.queue }} by {{ $labels.job }} fail.',
      dashboard: 'o11y-queues',
    },
    {
      alert: 'QueueDeadLetters',
      expr: above(growth(METRICS.bullmqDeadLettered.name, `${JOB}, queue, error_category`, '15m'), 'queue_dead_letters'),
      severity: 'warning',
      summary: 'Jobs failed their last attempt and are given up.',
      description:
        'Jobs of queue {{ $labels.queue }} ({{ $labels.job }}) failed for good, as {{ $labels.error_category }}: {{ $value | humanize }} in 15 minutes.',
      dashboard: 'o11y-queues',
    },
    {
      alert: 'QueueJobsStalled',
      expr: above(growth(JOBS, `${JOB}, queue`, '15m', 'result="stalled"'), 'queue_stalled_jobs'),
      severity: 'warning',
      summary: 'Workers of a queue lose their jobs.',
      description:
        'Jobs of queue {{ $labels.queue }} ({{ $labels.job }}) stalled, {{ $value | humanize }} in 15 minutes: their worker died, or was too busy to renew its lock.',
      dashboard: 'o11y-queues',
    },
    {
      alert: 'ConsumerLagGrowing',
      expr: `${above(lag(), 'consumer_lag')}
and
${lag((metric) => `deriv(${metric}[15m])`)} > 0`,
      for: '10m',
      severity: 'warning',
      summary: 'A consumer group falls behind.',
      description:
        'Group {{ $labels.group }} has {{ $value }} messages of {{ $labels.stream }} still to handle (seen by {{ $labels.job }}), and falls further behind.',
      dashboard: 'o11y-queues',
    },
    {
      alert: 'MessagesFailing',
      expr: `${above(share(MESSAGES, DESTINATION, 'error_type!=""', '10m'), 'message_failure_ratio')}
and on (${DESTINATION})
sum by (${DESTINATION}) (increase(${MESSAGES}{error_type!=""}[10m])) >= 5`,
      for: '5m',
      severity: 'warning',
      summary: 'The processing of messages fails.',
      description:
        '{{ $labels.job }} fails at {{ $value | humanizePercentage }} of the messages of {{ $labels.messaging_destination_name }} ({{ $labels.messaging_system }}).',
      dashboard: 'o11y-queues',
    },
  ],
};
