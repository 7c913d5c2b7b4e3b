import { DURATION_BUCKETS, METRICS, type MetricDefinition, OVERFLOW, TOKEN_BUCKETS } from '../../instrumentation/names.ts';
import { code, page, table } from './markdown.ts';

/** `docs/metrics.md`, from the table of metrics. */
export function metrics(): string {
  const all: MetricDefinition[] = Object.values(METRICS);
  return page(
    'instrumentation/names.ts',
    '# Metrics',
    [
      'What `GET /metrics` on port 9464 shows, beside the metrics of the app and of the libraries that it uses. Names are',
      "[OpenTelemetry's](https://opentelemetry.io/docs/specs/semconv/), written as Prometheus writes them: dots become underscores, the",
      'unit is a suffix, counters end in `_total`. Names without a public convention start with `o11y_`. A metric appears with its',
      'first value: those of databases, queues, streams, models and flags where a library or the app writes them, with the OpenTelemetry',
      'metrics API or with `metrics` of o11y-kit.',
    ].join('\n'),
    table(
      ['metric', 'type', 'labels', 'meaning'],
      all.map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(', '), `${help}.`]),
    ),
    [
      "The process and runtime metrics of prom-client (`process_*`, `nodejs_*`) are there too, by prom-client's names and labels;",
      '`target_info` has the resource attributes as labels.',
    ].join('\n'),
    '## Histograms',
    [
      `Durations are in seconds; the upper bounds of their buckets are ${DURATION_BUCKETS.join(', ')}.`,
      `Those of token counts are ${TOKEN_BUCKETS.join(', ')}.`,
      'A scraper that asks for OpenMetrics gets exemplars with `trace_id` and `span_id` of sampled requests.',
    ].join('\n'),
    '## Labels',
    [
      'Labels hold names that are bounded by the code of an app: route templates, never paths; names of errors, never their texts.',
      `A metric that reaches \`O11Y_MAX_SERIES\` series counts all further label values together in one series whose labels are \`${OVERFLOW}\`.`,
    ].join('\n'),
  );
}
