import { canonical } from '../metrics/canonical.ts';
import type { Family } from '../metrics/family.ts';
import { prometheusName, sanitize } from '../metrics/naming.ts';
import type { Exemplar, Metric, Temporality } from '../model.ts';

/** The latest state of one series. */
export interface MetricValue {
  /** Prometheus' spelling: `http_server_request_duration_seconds`. */
  name: string;
  /** The sender's spelling: `http.server.request.duration`. */
  originalName: string;
  type: Metric['type'];
  service: string;
  /** Labels, by Prometheus' spelling of their keys. */
  labels: Record<string, string>;
  /** Value of a gauge or counter, count of a histogram or summary. */
  value: number;
  /** Sum of a histogram or summary. */
  sum: number | undefined;
  /** Histogram: counts by upper bound, not cumulative; the last bound is `Infinity`. */
  buckets: { upTo: number; count: number }[];
  exemplars: Exemplar[];
  temporality: Temporality;
}

/** Every point of a metric in the form that tests compare with. */
export function metricValues(metric: Metric): MetricValue[] {
  const kind = metric.type === 'gauge' ? 'gauge' : metric.type === 'sum' && metric.monotonic ? 'counter' : 'other';
  const head = {
    name: prometheusName(metric.name, metric.unit, kind),
    originalName: metric.name,
    type: metric.type,
    service: metric.service,
    temporality: 'temporality' in metric ? metric.temporality : ('unspecified' as const),
  };
  return metric.points.map((point) => ({
    ...head,
    labels: labelsOf(point.attributes),
    value: 'value' in point ? point.value : point.count,
    sum: 'sum' in point ? point.sum : undefined,
    buckets: 'bounds' in point ? point.counts.map((count, i) => ({ upTo: point.bounds[i] ?? Infinity, count })) : [],
    exemplars: point.exemplars,
  }));
}

function labelsOf(attributes: Metric['resource']): Record<string, string> {
  const labels: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(attributes)) labels[sanitize(key)] = String(value);
  return labels;
}

/** Every sample of a page that was scraped, in the same form. */
export function scrapedValues(families: readonly Family[], service: string): MetricValue[] {
  return families.flatMap((given) => {
    const family = canonical(given);
    return family.samples.map((sample) => ({
      name: family.name,
      originalName: given.name,
      type: family.type === 'counter' ? ('sum' as const) : family.type === 'unknown' ? ('gauge' as const) : family.type,
      service,
      labels: sample.labels,
      value: sample.value,
      sum: family.type === 'histogram' || family.type === 'summary' ? sample.sum : undefined,
      buckets: sample.counts.map((count, i) => ({ upTo: sample.bounds[i] ?? Infinity, count })),
      exemplars: sample.exemplars.map(({ traceId, spanId, value, at = 0 }) => ({
        timeNs: BigInt(Math.round(at)) * 1_000_000n,
        value,
        traceId,
        spanId,
        attributes: {},
      })),
      temporality: 'cumulative' as const,
    }));
  });
}

/** One text for name, service and labels, whatever their order. */
export function seriesKey({ name, service, labels }: MetricValue): string {
  return JSON.stringify([name, service, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
