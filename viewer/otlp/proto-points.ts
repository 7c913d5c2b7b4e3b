import {
  attributes,
  type Exemplar,
  type ExponentialPoint,
  type HistogramPoint,
  type NumberPoint,
  type SummaryPoint,
} from '../model.ts';
import { keyValue } from './proto-common.ts';
import { BYTES, FIXED64, field, type Reader, VARINT } from './reader.ts';

const NUMBER = {
  start: field(2, FIXED64),
  time: field(3, FIXED64),
  double: field(4, FIXED64),
  exemplar: field(5, BYTES),
  int: field(6, FIXED64),
  attribute: field(7, BYTES),
  flags: field(8, VARINT),
};
const HISTOGRAM = {
  start: field(2, FIXED64),
  time: field(3, FIXED64),
  count: field(4, FIXED64),
  sum: field(5, FIXED64),
  counts: field(6, BYTES),
  oneCount: field(6, FIXED64),
  bounds: field(7, BYTES),
  oneBound: field(7, FIXED64),
  exemplar: field(8, BYTES),
  attribute: field(9, BYTES),
  flags: field(10, VARINT),
  min: field(11, FIXED64),
  max: field(12, FIXED64),
};
const EXPONENTIAL = {
  attribute: field(1, BYTES),
  start: field(2, FIXED64),
  time: field(3, FIXED64),
  count: field(4, FIXED64),
  sum: field(5, FIXED64),
  scale: field(6, VARINT),
  zeroCount: field(7, FIXED64),
  positive: field(8, BYTES),
  negative: field(9, BYTES),
  flags: field(10, VARINT),
  exemplar: field(11, BYTES),
  min: field(12, FIXED64),
  max: field(13, FIXED64),
  zeroThreshold: field(14, FIXED64),
};
const BUCKETS = { offset: field(1, VARINT), counts: field(2, BYTES), oneCount: field(2, VARINT) };
const SUMMARY = {
  start: field(2, FIXED64),
  time: field(3, FIXED64),
  count: field(4, FIXED64),
  sum: field(5, FIXED64),
  quantile: field(6, BYTES),
  attribute: field(7, BYTES),
  flags: field(8, VARINT),
};
const QUANTILE = { quantile: field(1, FIXED64), value: field(2, FIXED64) };
const EXEMPLAR = {
  time: field(2, FIXED64),
  double: field(3, FIXED64),
  spanId: field(4, BYTES),
  traceId: field(5, BYTES),
  int: field(6, FIXED64),
  attribute: field(7, BYTES),
};

export function numberPoint(r: Reader): NumberPoint {
  const point: NumberPoint = { ...empty(), value: 0 };
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === NUMBER.start) point.startNs = r.fixed64();
    else if (tag === NUMBER.time) point.timeNs = r.fixed64();
    else if (tag === NUMBER.double) point.value = r.double();
    else if (tag === NUMBER.int) point.value = Number(r.sfixed64());
    else if (tag === NUMBER.attribute) keyValue(r, point.attributes);
    else if (tag === NUMBER.exemplar) point.exemplars.push(exemplar(r));
    else if (tag === NUMBER.flags) point.flags = r.uint32();
    else r.skip();
  }
  r.leave(outer);
  return point;
}

export function histogramPoint(r: Reader): HistogramPoint {
  const point: HistogramPoint = { ...empty(), ...emptyStatistics(), bounds: [], counts: [] };
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === HISTOGRAM.start) point.startNs = r.fixed64();
    else if (tag === HISTOGRAM.time) point.timeNs = r.fixed64();
    else if (tag === HISTOGRAM.count) point.count = Number(r.fixed64());
    else if (tag === HISTOGRAM.sum) point.sum = r.double();
    else if (tag === HISTOGRAM.counts) r.packed(point.counts, fixedCount);
    else if (tag === HISTOGRAM.oneCount) point.counts.push(fixedCount(r));
    else if (tag === HISTOGRAM.bounds) r.packed(point.bounds, double);
    else if (tag === HISTOGRAM.oneBound) point.bounds.push(r.double());
    else if (tag === HISTOGRAM.attribute) keyValue(r, point.attributes);
    else if (tag === HISTOGRAM.exemplar) point.exemplars.push(exemplar(r));
    else if (tag === HISTOGRAM.flags) point.flags = r.uint32();
    else if (tag === HISTOGRAM.min) point.min = r.double();
    else if (tag === HISTOGRAM.max) point.max = r.double();
    else r.skip();
  }
  r.leave(outer);
  return point;
}

export function exponentialPoint(r: Reader): ExponentialPoint {
  const point: ExponentialPoint = {
    ...empty(),
    ...emptyStatistics(),
    scale: 0,
    zeroCount: 0,
    zeroThreshold: 0,
    positive: { offset: 0, counts: [] },
    negative: { offset: 0, counts: [] },
  };
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === EXPONENTIAL.start) point.startNs = r.fixed64();
    else if (tag === EXPONENTIAL.time) point.timeNs = r.fixed64();
    else if (tag === EXPONENTIAL.count) point.count = Number(r.fixed64());
    else if (tag === EXPONENTIAL.sum) point.sum = r.double();
    else if (tag === EXPONENTIAL.scale) point.scale = r.sint32();
    else if (tag === EXPONENTIAL.zeroCount) point.zeroCount = Number(r.fixed64());
    else if (tag === EXPONENTIAL.zeroThreshold) point.zeroThreshold = r.double();
    else if (tag === EXPONENTIAL.positive) buckets(r, point.positive);
    else if (tag === EXPONENTIAL.negative) buckets(r, point.negative);
    else if (tag === EXPONENTIAL.attribute) keyValue(r, point.attributes);
    else if (tag === EXPONENTIAL.exemplar) point.exemplars.push(exemplar(r));
    else if (tag === EXPONENTIAL.flags) point.flags = r.uint32();
    else if (tag === EXPONENTIAL.min) point.min = r.double();
    else if (tag === EXPONENTIAL.max) point.max = r.double();
    else r.skip();
  }
  r.leave(outer);
  return point;
}

export function summaryPoint(r: Reader): SummaryPoint {
  const point: SummaryPoint = { ...empty(), count: 0, sum: 0, quantiles: [] };
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === SUMMARY.start) point.startNs = r.fixed64();
    else if (tag === SUMMARY.time) point.timeNs = r.fixed64();
    else if (tag === SUMMARY.count) point.count = Number(r.fixed64());
    else if (tag === SUMMARY.sum) point.sum = r.double();
    else if (tag === SUMMARY.quantile) point.quantiles.push(quantile(r));
    else if (tag === SUMMARY.attribute) keyValue(r, point.attributes);
    else if (tag === SUMMARY.flags) point.flags = r.uint32();
    else r.skip();
  }
  r.leave(outer);
  return point;
}

function buckets(r: Reader, into: ExponentialPoint['positive']): void {
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === BUCKETS.offset) into.offset = r.sint32();
    else if (tag === BUCKETS.counts) r.packed(into.counts, varintCount);
    else if (tag === BUCKETS.oneCount) into.counts.push(r.uint64());
    else r.skip();
  }
  r.leave(outer);
}

function quantile(r: Reader): SummaryPoint['quantiles'][number] {
  const into = { quantile: 0, value: 0 };
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === QUANTILE.quantile) into.quantile = r.double();
    else if (tag === QUANTILE.value) into.value = r.double();
    else r.skip();
  }
  r.leave(outer);
  return into;
}

function exemplar(r: Reader): Exemplar {
  const into: Exemplar = { timeNs: 0n, value: 0, traceId: '', spanId: '', attributes: attributes() };
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === EXEMPLAR.time) into.timeNs = r.fixed64();
    else if (tag === EXEMPLAR.double) into.value = r.double();
    else if (tag === EXEMPLAR.int) into.value = Number(r.sfixed64());
    else if (tag === EXEMPLAR.spanId) into.spanId = r.hex();
    else if (tag === EXEMPLAR.traceId) into.traceId = r.hex();
    else if (tag === EXEMPLAR.attribute) keyValue(r, into.attributes);
    else r.skip();
  }
  r.leave(outer);
  return into;
}

function empty() {
  return { startNs: 0n, timeNs: 0n, attributes: attributes(), exemplars: [] as Exemplar[], flags: 0 };
}

function emptyStatistics() {
  return {
    count: 0,
    sum: undefined as number | undefined,
    min: undefined as number | undefined,
    max: undefined as number | undefined,
  };
}

function fixedCount(r: Reader): number {
  return Number(r.fixed64());
}

function varintCount(r: Reader): number {
  return r.uint64();
}

function double(r: Reader): number {
  return r.double();
}
