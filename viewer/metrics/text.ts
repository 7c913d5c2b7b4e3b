import type { Family, FamilyType, Labels, Sample, SampleExemplar } from './family.ts';
import { parseLine, type TextLine } from './text-line.ts';

/** Names that exemplars use for the ids: OpenTelemetry's, prom-client's examples', Tempo's. */
const TRACE_IDS = ['trace_id', 'traceId', 'traceID'];
const SPAN_IDS = ['span_id', 'spanId', 'spanID'];
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary']);

/** Lines of one page that are read at most: a page beyond it would stand still the viewer and the app alike. */
const MAX_LINES = 200_000;

/** Parses a metrics page, Prometheus' text format 0.0.4 or OpenMetrics 1.0. Lines that are neither are passed over. */
export function parseText(page: string): Family[] {
  const families = new Map<string, Building>();
  let lines = 0;
  for (let start = 0; start < page.length && lines < MAX_LINES; lines++) {
    let end = page.indexOf('\n', start);
    if (end === -1) end = page.length;
    const line = page.slice(start, page[end - 1] === '\r' ? end - 1 : end).trim();
    start = end + 1;
    if (line === '# EOF') break;
    if (line.startsWith('#')) comment(line, families);
    else if (line !== '') sample(line, families);
  }
  return [...families.values()].map(finish).filter((family) => family.samples.length > 0);
}

interface Building {
  name: string;
  type: FamilyType;
  help: string;
  /** By their labels but for `le`. */
  histograms: Map<string, Histogram>;
  samples: Sample[];
}

interface Histogram extends Sample {
  /** Cumulative counts by upper bound, as the page gives them. */
  buckets: [number, number][];
}

function comment(line: string, families: Map<string, Building>): void {
  const [, kind, name, rest = ''] = /^#\s*(HELP|TYPE)\s+(\S+)(?:\s+(.*))?$/.exec(line) ?? [];
  if (kind === undefined) return;
  const family = familyOf(unquote(name), families);
  if (kind === 'HELP') family.help = rest.replace(/\\([\\n])/g, (_, char) => (char === 'n' ? '\n' : '\\'));
  else family.type = TYPES.has(rest) ? (rest as FamilyType) : 'unknown';
}

function sample(line: string, families: Map<string, Building>): void {
  const parsed = parseLine(line);
  if (parsed === undefined) return;
  const [family, suffix] = owner(parsed.name, families);
  const { labels, value } = parsed;
  if (family.type === 'histogram' || family.type === 'summary') {
    part(family, suffix, parsed);
  } else if (suffix !== '_created') {
    const exemplars = exemplarsOf(parsed);
    family.samples.push({ labels, value, sum: 0, bounds: [], counts: [], exemplars });
  }
}

/** The family that a sample belongs to: OpenMetrics and histograms write suffixes behind its name. */
function owner(name: string, families: Map<string, Building>): [Building, string] {
  const exact = families.get(name);
  for (const suffix of ['_bucket', '_sum', '_count', '_total', '_created']) {
    if (!name.endsWith(suffix)) continue;
    const family = families.get(name.slice(0, -suffix.length));
    if (family === undefined) continue;
    const compound = family.type === 'histogram' || family.type === 'summary';
    const fits = suffix === '_created' || compound === (suffix !== '_total');
    if (fits && !(exact && exact.samples.length > 0)) return [family, suffix];
  }
  return [exact ?? familyOf(name, families), ''];
}

function part({ histograms, type }: Building, suffix: string, { name, labels, value, exemplar }: TextLine): void {
  const { le, quantile, ...rest } = labels;
  const own = Object.assign(Object.create(null), rest);
  if (type === 'summary') {
    // Quantiles of a process cannot be added up over processes; count and sum are what is used.
    if (suffix === '' || suffix === '_created') return;
    if (quantile !== undefined) own.quantile = quantile;
  }
  const key = JSON.stringify(own);
  let histogram = histograms.get(key);
  if (histogram === undefined) {
    histogram = { labels: own, value: 0, sum: 0, bounds: [], counts: [], exemplars: [], buckets: [] };
    histograms.set(key, histogram);
  }
  if (suffix === '_sum') histogram.sum = value;
  else if (suffix === '_count') histogram.value = value;
  else if (suffix === '_bucket' && le !== undefined) {
    histogram.buckets.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value]);
    if (exemplar) histogram.exemplars.push(...exemplarsOf({ name, labels, value, exemplar }));
  }
}

function finish({ name, type, help, histograms, samples }: Building): Family {
  for (const { buckets, ...sample } of histograms.values()) {
    if (type === 'histogram') {
      buckets.sort((a, b) => a[0] - b[0]);
      const finite = buckets.filter(([bound]) => Number.isFinite(bound));
      const last = buckets.at(-1)?.[1] ?? 0;
      sample.value = Math.max(sample.value, last);
      sample.bounds = finite.map(([bound]) => bound);
      const upTo = [...finite.map(([, count]) => count), sample.value];
      sample.counts = upTo.map((count, i) => Math.max(0, count - (upTo[i - 1] ?? 0)));
    }
    samples.push(sample);
  }
  // OpenMetrics declares a counter without its suffix; the name that people know has it.
  const full = type === 'counter' && !name.endsWith('_total') ? `${name}_total` : name;
  return { name: full, type, help, delta: false, samples };
}

function exemplarsOf({ exemplar }: TextLine): SampleExemplar[] {
  if (exemplar === undefined) return [];
  const traceId = firstOf(exemplar.labels, TRACE_IDS).toLowerCase();
  const spanId = firstOf(exemplar.labels, SPAN_IDS).toLowerCase();
  return traceId === '' ? [] : [{ traceId, spanId, value: exemplar.value, at: exemplar.at }];
}

function firstOf(labels: Labels, names: string[]): string {
  for (const name of names) if (labels[name] !== undefined) return labels[name];
  return '';
}

function familyOf(name: string, families: Map<string, Building>): Building {
  let family = families.get(name);
  if (family === undefined) {
    family = { name, type: 'unknown', help: '', histograms: new Map(), samples: [] };
    families.set(name, family);
  }
  return family;
}

function unquote(name: string): string {
  return name.startsWith('"') && name.endsWith('"') ? name.slice(1, -1) : name;
}
