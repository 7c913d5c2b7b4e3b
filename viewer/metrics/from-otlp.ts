import type { Attributes, Exemplar, ExponentialPoint, Metric } from '../model.ts';
import { type Family, type FamilyType, type Labels, plainSample, type Sample, type SampleExemplar } from './family.ts';
import { prometheusName, sanitize } from './naming.ts';

/** OTLP's flag of a point that says only that the series ended. */
const NO_RECORDED_VALUE = 1;

/** An OTLP metric as Prometheus would have it. */
export function familyOf(metric: Metric): Family {
  const counter = metric.type === 'sum' && metric.monotonic;
  const kind = counter ? 'counter' : metric.type === 'gauge' ? 'gauge' : 'other';
  return {
    name: prometheusName(metric.name, metric.unit, kind),
    type: typeOf(metric, counter),
    help: metric.description,
    delta: 'temporality' in metric && metric.temporality === 'delta',
    samples: samplesOf(metric),
  };
}

function typeOf(metric: Metric, counter: boolean): FamilyType {
  if (metric.type === 'exponentialHistogram') return 'histogram';
  if (metric.type === 'sum') return counter ? 'counter' : 'gauge';
  return metric.type;
}

function samplesOf(metric: Metric): Sample[] {
  const samples: Sample[] = [];
  for (const point of metric.points) {
    if (point.flags & NO_RECORDED_VALUE) continue;
    const labels = labelsOf(point.attributes);
    const exemplars = point.exemplars.flatMap(exemplarOf);
    if ('value' in point) {
      samples.push({ ...plainSample(labels, point.value), exemplars });
    } else if ('quantiles' in point) {
      samples.push({ ...plainSample(labels, point.count), sum: point.sum });
    } else {
      const { bounds, counts } = 'bounds' in point ? point : explicit(point);
      samples.push({ labels, value: point.count, sum: point.sum ?? 0, bounds, counts: padded(counts, bounds), exemplars });
    }
  }
  return samples;
}

/** An exponential histogram with its buckets' bounds written out; what is negative counts as zero. */
function explicit(point: ExponentialPoint): { bounds: number[]; counts: number[] } {
  const { offset, counts } = point.positive;
  const base = 2 ** (2 ** -point.scale);
  const negative = point.negative.counts.reduce((sum, count) => sum + count, 0);
  return {
    bounds: [point.zeroThreshold, ...counts.map((_, i) => base ** (offset + i + 1))],
    counts: [point.zeroCount + negative, ...counts, 0],
  };
}

function padded(counts: readonly number[], bounds: readonly number[]): number[] {
  return Array.from({ length: bounds.length + 1 }, (_, i) => counts[i] ?? 0);
}

function labelsOf(attributes: Attributes): Labels {
  const labels: Labels = Object.create(null);
  for (const [key, value] of Object.entries(attributes)) labels[sanitize(key)] = String(value);
  return labels;
}

function exemplarOf({ traceId, spanId, value, timeNs }: Exemplar): SampleExemplar[] {
  return traceId === '' ? [] : [{ traceId, spanId, value, at: Number(timeNs / 1_000_000n) }];
}
