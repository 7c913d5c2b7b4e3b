import { boundText, escapeLabel, labelValue, plain } from './text.ts';
import type { Aggregation, Distribution, Exemplar, Family, FamilyType, Point, Sample } from './types.ts';

/** What is used of a metric of any version of prom-client. */
export interface PromMetric {
  readonly name: string;
  readonly help: string;
  readonly type?: string;
  readonly aggregator?: string;
  readonly labelNames?: readonly string[];
  readonly upperBounds?: readonly number[];
  readonly hashMap?: Record<string, PromSeries>;
  readonly collect?: () => unknown;
  get(): unknown;
}

interface PromSeries {
  readonly labels?: Record<string, unknown>;
  /** The kit's own series bring their label text. */
  readonly text?: string;
  readonly value?: number;
  readonly exemplar?: Exemplar;
  readonly bucketValues?: Record<string, number>;
  readonly bucketExemplars?: Record<string, Exemplar | null>;
  readonly sum?: number;
  readonly count?: number;
}

/** What `get()` of prom-client returns. */
interface PromResult {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values?: readonly {
    readonly labels?: Record<string, unknown>;
    readonly value: number;
    readonly metricName?: string;
    readonly exemplar?: Exemplar | null;
  }[];
}

/** A metric, and what the registry that holds it makes of it. */
export interface Source {
  readonly metric: PromMetric;
  readonly name: string;
  /** `counter`, `gauge` or `histogram` where it is one of prom-client's own classes. */
  readonly type: FamilyType | undefined;
  readonly defaults: DefaultLabels;
}

type DefaultLabels = Readonly<Record<string, unknown>> | undefined;

/** prom-client checks the names of a metric's labels, but not those of a registry's default labels. */
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

const TYPES: readonly string[] = ['counter', 'gauge', 'histogram', 'summary'] satisfies FamilyType[];
const AGGREGATIONS: readonly string[] = ['sum', 'min', 'max', 'average', 'first', 'omit', 'worker'] satisfies Aggregation[];

function header(name: string, help: unknown, type: unknown, aggregation: unknown) {
  return {
    name,
    help: String(help ?? ''),
    type: (TYPES.includes(type as string) ? type : 'unknown') as FamilyType,
    aggregation: (AGGREGATIONS.includes(aggregation as string) ? aggregation : 'sum') as Aggregation,
  };
}

/**
 * A metric of prom-client, read from where it keeps its series; undefined where it keeps them in another way than the
 * versions 11 to 15 do. The series are read one by one as the result is iterated, which is what keeps a large page from
 * holding the event loop: prom-client's own `get()` makes all of them in one go.
 */
export function readDirectly({ metric, name, type, defaults }: Source): Family | undefined {
  const { hashMap, upperBounds } = metric;
  if (typeof hashMap !== 'object' || hashMap === null) return undefined;
  const all = Object.values(hashMap);
  const names = metric.labelNames ?? [];
  if (type === 'histogram') {
    if (!Array.isArray(upperBounds) || !all.every(isDistribution)) return undefined;
    const keys = upperBounds.map(String);
    return {
      ...header(name, metric.help, type, metric.aggregator),
      bounds: upperBounds,
      samples: distributions(all, keys, names, defaults),
    };
  }
  if (type !== 'counter' && type !== 'gauge') return undefined;
  if (!all.every((series) => typeof series?.value === 'number')) return undefined;
  return { ...header(name, metric.help, type, metric.aggregator), samples: points(all, names, defaults) };
}

/** A metric of any other shape, by its own `get()`. Rejects with whatever the metric throws. */
export async function readByGet({ metric, name, defaults }: Source): Promise<Family> {
  const result = (await metric.get()) as PromResult;
  const samples = (result.values ?? []).map(({ labels, value, metricName, exemplar }): Point => {
    const suffix = metricName?.startsWith(metric.name) ? metricName.slice(metric.name.length) : '';
    return { labels: text(labels ?? {}, metric.labelNames ?? [], defaults), suffix, value: plain(Number(value)), exemplar };
  });
  return { ...header(name, result.help, result.type, metric.aggregator), samples };
}

function isDistribution(series: PromSeries | undefined): boolean {
  return typeof series?.bucketValues === 'object' && typeof series.count === 'number' && typeof series.sum === 'number';
}

function* points(all: readonly PromSeries[], names: readonly string[], defaults: DefaultLabels): Generator<Sample> {
  for (const series of all) {
    const labels = series.text ?? text(series.labels ?? {}, names, defaults);
    yield { labels, value: plain(series.value!), exemplar: series.exemplar };
  }
}

function* distributions(
  all: readonly PromSeries[],
  keys: readonly string[],
  names: readonly string[],
  defaults: DefaultLabels,
): Generator<Distribution> {
  const exemplarKeys = [...keys, '-1'];
  for (const series of all) {
    const { bucketValues, bucketExemplars, sum, count } = series;
    const buckets = keys.map((key) => bucketValues![key] ?? 0);
    const exemplars = bucketExemplars && exemplarKeys.map((key) => bucketExemplars[key]);
    const labels = series.text ?? text(series.labels ?? {}, names, defaults);
    yield { labels, buckets, sum: plain(sum!), count: count!, exemplars };
  }
}

/**
 * The labels of a series: those of the metric in their order, then what else the series has (`quantile`, a bucket's `le`),
 * then the registry's defaults. The order is the same in every process, so that merge.ts can tell series by their text.
 */
function text(labels: Record<string, unknown>, names: readonly string[], defaults: DefaultLabels): string {
  let out = '';
  const add = (name: string, value: unknown) => {
    const shown = name === 'le' && typeof value === 'number' ? boundText(value, false) : labelValue(value);
    out += `${out === '' ? '' : ','}${name}="${escapeLabel(shown)}"`;
  };
  for (const name of names) if (labels[name] !== undefined) add(name, labels[name]);
  for (const name of Object.keys(labels)) {
    if (labels[name] !== undefined && !names.includes(name) && LABEL_NAME.test(name)) add(name, labels[name]);
  }
  if (defaults === undefined) return out;
  for (const name of Object.keys(defaults)) {
    if (labels[name] === undefined && LABEL_NAME.test(name)) add(name, defaults[name]);
  }
  return out;
}
