import {
  type Decoded,
  type Exemplar,
  type ExponentialPoint,
  type HistogramPoint,
  type Metric,
  type NumberPoint,
  type Resource,
  type Scope,
  type SummaryPoint,
  TEMPORALITIES,
} from '../model.ts';
import { refuse } from './checks.ts';
import {
  double,
  enumeration,
  hex,
  int64,
  integer,
  type Json,
  keyValues,
  nanos,
  numbers,
  objects,
  optional,
  parse,
  request,
  text,
} from './json-common.ts';

const NAMES = { resources: 'resourceMetrics', scopes: 'scopeMetrics', records: 'metrics' };

/** Decodes an `ExportMetricsServiceRequest` in OTLP/JSON. @throws {DecodeError} */
export function decodeMetricsJson(body: Buffer): Decoded<Metric> {
  const out: Decoded<Metric> = { records: [], rejected: 0, reason: '' };
  request(parse(body), NAMES, (json, resource, scope) => {
    const metric = readMetric(json, resource, scope);
    if (metric === undefined) return;
    if (metric.name === '') {
      for (const _ of metric.points) refuse(out, 'metric without a name');
    } else out.records.push(metric);
  });
  return out;
}

function readMetric(json: Json, resource: Resource, scope: Scope): Metric | undefined {
  const head = {
    name: text(json, 'name'),
    description: text(json, 'description'),
    unit: text(json, 'unit'),
    service: resource.service,
    resource: resource.attributes,
    scope,
  };
  if (json.gauge !== undefined) return { ...head, type: 'gauge', points: points(json, 'gauge', numberPoint) };
  if (json.sum !== undefined) {
    const monotonic = optional(json, 'sum').isMonotonic === true;
    const temporality = temporalityOf(json, 'sum');
    return { ...head, type: 'sum', monotonic, temporality, points: points(json, 'sum', numberPoint) };
  }
  if (json.histogram !== undefined) {
    const temporality = temporalityOf(json, 'histogram');
    return { ...head, type: 'histogram', temporality, points: points(json, 'histogram', histogramPoint) };
  }
  if (json.exponentialHistogram !== undefined) {
    const temporality = temporalityOf(json, 'exponentialHistogram');
    const read = points(json, 'exponentialHistogram', exponentialPoint);
    return { ...head, type: 'exponentialHistogram', temporality, points: read };
  }
  if (json.summary !== undefined) return { ...head, type: 'summary', points: points(json, 'summary', summaryPoint) };
  return undefined;
}

function points<T>(json: Json, key: string, read: (json: Json) => T): T[] {
  return objects(optional(json, key), 'dataPoints').map(read);
}

function temporalityOf(json: Json, key: string) {
  return enumeration(optional(json, key), 'aggregationTemporality', TEMPORALITIES);
}

function numberPoint(json: Json): NumberPoint {
  return { ...common(json), value: numberOf(json) };
}

function histogramPoint(json: Json): HistogramPoint {
  return {
    ...common(json),
    ...statistics(json),
    bounds: numbers(json, 'explicitBounds'),
    counts: numbers(json, 'bucketCounts'),
  };
}

function exponentialPoint(json: Json): ExponentialPoint {
  return {
    ...common(json),
    ...statistics(json),
    scale: integer(json, 'scale'),
    zeroCount: integer(json, 'zeroCount'),
    zeroThreshold: double(json, 'zeroThreshold') ?? 0,
    positive: buckets(optional(json, 'positive')),
    negative: buckets(optional(json, 'negative')),
  };
}

function summaryPoint(json: Json): SummaryPoint {
  return {
    ...common(json),
    count: integer(json, 'count'),
    sum: double(json, 'sum') ?? 0,
    quantiles: objects(json, 'quantileValues').map((one) => ({
      quantile: double(one, 'quantile') ?? 0,
      value: double(one, 'value') ?? 0,
    })),
  };
}

function exemplar(json: Json): Exemplar {
  return {
    timeNs: nanos(json, 'timeUnixNano'),
    value: numberOf(json),
    traceId: hex(json, 'traceId'),
    spanId: hex(json, 'spanId'),
    attributes: keyValues(json, 'filteredAttributes'),
  };
}

function common(json: Json) {
  return {
    startNs: nanos(json, 'startTimeUnixNano'),
    timeNs: nanos(json, 'timeUnixNano'),
    attributes: keyValues(json, 'attributes'),
    exemplars: objects(json, 'exemplars').map(exemplar),
    flags: integer(json, 'flags'),
  };
}

function statistics(json: Json) {
  return {
    count: integer(json, 'count'),
    sum: double(json, 'sum'),
    min: double(json, 'min'),
    max: double(json, 'max'),
  };
}

/** JavaScript's serialiser writes NaN and the infinities as null: which of them it was is lost. */
function numberOf(json: Json): number {
  if (json.asInt !== undefined) return Number(int64(json, 'asInt'));
  return json.asDouble === null ? Number.NaN : (double(json, 'asDouble') ?? 0);
}

function buckets(json: Json): ExponentialPoint['positive'] {
  return { offset: integer(json, 'offset'), counts: numbers(json, 'bucketCounts') };
}
