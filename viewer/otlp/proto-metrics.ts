import { type Decoded, type Metric, type Resource, type Scope, TEMPORALITIES } from '../model.ts';
import { refuse } from './checks.ts';
import { request } from './proto-common.ts';
import { exponentialPoint, histogramPoint, numberPoint, summaryPoint } from './proto-points.ts';
import { BYTES, field, Reader, VARINT } from './reader.ts';

const METRIC = {
  name: field(1, BYTES),
  description: field(2, BYTES),
  unit: field(3, BYTES),
  gauge: field(5, BYTES),
  sum: field(7, BYTES),
  histogram: field(9, BYTES),
  exponential: field(10, BYTES),
  summary: field(11, BYTES),
};
const POINT = field(1, BYTES);
const TEMPORALITY = field(2, VARINT);
const MONOTONIC = field(3, VARINT);

/** Decodes an `ExportMetricsServiceRequest`. @throws {DecodeError} */
export function decodeMetrics(body: Buffer): Decoded<Metric> {
  const out: Decoded<Metric> = { records: [], rejected: 0, reason: '' };
  request(new Reader(body), (r, resource, scope) => {
    const metric = readMetric(r, resource, scope);
    if (metric === undefined) return;
    if (metric.name === '') {
      for (const _ of metric.points) refuse(out, 'metric without a name');
    } else out.records.push(metric);
  });
  return out;
}

function readMetric(r: Reader, resource: Resource, scope: Scope): Metric | undefined {
  const head = {
    name: '',
    description: '',
    unit: '',
    service: resource.service,
    resource: resource.attributes,
    scope,
  };
  let data: Data | undefined;
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    switch (tag) {
      case METRIC.name:
        head.name = r.string();
        break;
      case METRIC.description:
        head.description = r.string();
        break;
      case METRIC.unit:
        head.unit = r.string();
        break;
      case METRIC.gauge:
        data = { type: 'gauge', points: readData(r, numberPoint).points };
        break;
      case METRIC.sum:
        data = { type: 'sum', ...readData(r, numberPoint) };
        break;
      case METRIC.histogram: {
        const { points, temporality } = readData(r, histogramPoint);
        data = { type: 'histogram', points, temporality };
        break;
      }
      case METRIC.exponential: {
        const { points, temporality } = readData(r, exponentialPoint);
        data = { type: 'exponentialHistogram', points, temporality };
        break;
      }
      case METRIC.summary:
        data = { type: 'summary', points: readData(r, summaryPoint).points };
        break;
      default:
        r.skip();
    }
  }
  r.leave(outer);
  return data && { ...head, ...data };
}

type WithoutHead<T> = T extends Metric ? Omit<T, 'name' | 'description' | 'unit' | 'service' | 'resource' | 'scope'> : never;
type Data = WithoutHead<Metric>;

/** Gauge, Sum, Histogram, … number their fields alike. */
function readData<T>(r: Reader, point: (r: Reader) => T) {
  const points: T[] = [];
  let temporality = TEMPORALITIES[0];
  let monotonic = false;
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === POINT) points.push(point(r));
    else if (tag === TEMPORALITY) temporality = TEMPORALITIES[r.int32()] ?? 'unspecified';
    else if (tag === MONOTONIC) monotonic = r.bool();
    else r.skip();
  }
  r.leave(outer);
  return { points, temporality, monotonic };
}
