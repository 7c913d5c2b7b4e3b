import { type HrTime, ValueType } from '@opentelemetry/api';
import { millisToHrTime } from '@opentelemetry/core';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import { SCOPE } from '../names.ts';
import { parseLabels, toNumber } from './text.ts';
import type { Distribution, Family, Point, Sample } from './types.ts';

/** What OTLP carries as the resource instead. */
const LEFT_OUT = 'target_info';

/**
 * Families as OTLP carries metrics, under the names of the page: a backend that takes OTLP and one that scrapes then answer
 * the same queries. Prometheus adds no second suffix to a name that has one. All values count from `startedAt`.
 *
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */
export function toScopeMetrics(families: readonly Family[], startedAt: number, now = Date.now()): ScopeMetrics {
  const times = { startTime: millisToHrTime(startedAt), endTime: millisToHrTime(now) };
  const metrics = new Map<string, MetricData>();
  for (const family of families) {
    if (family.name === LEFT_OUT) continue;
    for (const sample of family.samples) add(metrics, family, sample, times);
  }
  return { scope: { name: SCOPE }, metrics: [...metrics.values()] };
}

type Times = { startTime: HrTime; endTime: HrTime };

function add(metrics: Map<string, MetricData>, family: Family, sample: Sample, times: Times): void {
  const attributes = parseLabels(sample.labels);
  if ('buckets' in sample) {
    const points = seriesOf(metrics, family.name, family, 'histogram') as DataPoint<Histogram>[];
    points.push({ ...times, attributes, value: distribution(family.bounds ?? [], sample) });
    return;
  }
  const value = toNumber(sample.value);
  // OTLP has no summary that this SDK could send: sums and counts go as counters, quantiles as gauges.
  const points = seriesOf(metrics, family.name + (sample.suffix ?? ''), family, kindOf(family, sample));
  (points as DataPoint<number>[]).push({ ...times, attributes, value });
}

function kindOf(family: Family, { suffix }: Point): 'counter' | 'gauge' {
  if (family.type === 'counter') return 'counter';
  return (family.type === 'summary' || family.type === 'histogram') && suffix ? 'counter' : 'gauge';
}

function seriesOf(metrics: Map<string, MetricData>, name: string, family: Family, kind: 'counter' | 'gauge' | 'histogram') {
  let data = metrics.get(name);
  if (data === undefined) {
    const descriptor = { name, description: family.help, unit: '', valueType: ValueType.DOUBLE };
    const base = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE, dataPoints: [] };
    if (kind === 'histogram') data = { ...base, dataPointType: DataPointType.HISTOGRAM };
    else if (kind === 'gauge') data = { ...base, dataPointType: DataPointType.GAUGE };
    else data = { ...base, dataPointType: DataPointType.SUM, isMonotonic: true };
    metrics.set(name, data);
  }
  return data.dataPoints;
}

function distribution(bounds: readonly number[], { buckets, sum, count }: Distribution): Histogram {
  const beyond = count - buckets.reduce((total, bucket) => total + bucket, 0);
  return { buckets: { boundaries: [...bounds], counts: [...buckets, beyond] }, sum: toNumber(sum), count };
}
