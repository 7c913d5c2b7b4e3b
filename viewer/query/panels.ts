import type { MetricGroup, MetricPanel, MetricView } from '../api-types.ts';
import { knownSeconds, type Range, STEP_MS } from '../metrics/clock.ts';
import type { FamilyRecord, Series } from '../metrics/metric-store.ts';
import { GROUPS, type LineDefinition, type PanelDefinition } from './panel-definitions.ts';

type Families = ReadonlyMap<string, FamilyRecord>;
type Values = (number | null)[];

/** More lines than these are not told apart in a chart. */
const MAX_LINES = 24;
const MAX_SERIES = 50;

/** Groups of panels that have something to show. */
export function metricGroups(families: Families, range: Range): MetricGroup[] {
  return GROUPS.map(({ id, title, panels }) => ({
    id,
    title,
    panels: panels.map((one) => panelOf(one, families, range)).filter((panel) => panel.lines.length > 0),
  })).filter((group) => group.panels.length > 0);
}

function panelOf(definition: PanelDefinition, families: Families, range: Range): MetricPanel {
  const { title, unit, states, lines, onlyIfAny } = definition;
  const found = lines
    .flatMap((line) => linesOf(line, families, range))
    .filter(({ values }) => !onlyIfAny || values.some((value) => value));
  found.sort((a, b) => (b.last ?? 0) - (a.last ?? 0));
  return {
    title,
    unit,
    ...(states && { states }),
    from: range.first * STEP_MS,
    stepMs: STEP_MS,
    lines: found.slice(0, MAX_LINES).sort((a, b) => (a.label < b.label ? -1 : 1)),
  };
}

function linesOf(line: LineDefinition, families: Families, range: Range): MetricPanel['lines'] {
  const all = [...(families.get(line.metric)?.series.values() ?? [])];
  const severalProcesses = new Set(all.map((one) => one.source)).size > 1;
  const groups = new Map<string, Series[]>();
  for (const one of all) {
    const parts = [line.label ?? '', ...(line.by ?? []).map((key) => one.labels[key] ?? '')];
    // What processes count adds up, what they are does not.
    if (line.read === 'value' && severalProcesses) parts.push(processOf(one.source));
    const label = parts.filter((part) => part !== '').join(' · ') || 'all';
    const group = groups.get(label);
    if (group) group.push(one);
    else groups.set(label, [one]);
  }
  return [...groups]
    .map(([label, series]) => {
      const values = scaled(valuesOf(line, series, range), line.scale ?? 1);
      return { label, values, last: values.findLast((value) => value !== null) ?? null };
    })
    .filter(({ values }) => values.some((value) => value !== null));
}

function valuesOf({ read }: LineDefinition, series: readonly Series[], range: Range): Values {
  const counts = total(series.map((one) => one.window.read(range)));
  if (read === 'value') return counts;
  if (read === 'rate') return perSecond(counts, series, range);
  const sums = total(series.map((one) => one.sums?.read(range) ?? []));
  if (read === 'sumRate') return perSecond(sums, series, range);
  return sums.map((sum, i) => (sum !== null && counts[i] ? sum / counts[i] : null));
}

/** The courses of all series of a metric. */
export function metricView(families: Families, name: string, range: Range): MetricView | undefined {
  const family = families.get(name);
  if (family === undefined) return undefined;
  const grows = family.type === 'counter' || family.type === 'histogram' || family.type === 'summary';
  const sorted = [...family.series.values()].sort((a, b) => b.last - a.last);
  return {
    name,
    type: family.type,
    help: family.help,
    perSecond: grows,
    from: range.first * STEP_MS,
    stepMs: STEP_MS,
    series: sorted.slice(0, MAX_SERIES).map((one) => {
      const values = one.window.read(range);
      return {
        labels: { ...one.labels, instance: processOf(one.source) },
        values: grows ? perSecond(values, [one], range) : values,
      };
    }),
    more: Math.max(0, sorted.length - MAX_SERIES),
  };
}

function processOf(source: string): string {
  return URL.canParse(source) ? new URL(source).host : source.replace(/^otlp /, '');
}

function total(all: readonly Values[]): Values {
  if (all.length === 1) return all[0];
  return (all[0] ?? []).map((_, i) =>
    all.reduce<number | null>((sum, values) => (values[i] == null ? sum : (sum ?? 0) + values[i]), null),
  );
}

/** What grew in each slot, by the seconds of it that are known. */
function perSecond(values: Values, series: readonly Series[], { first }: Range): Values {
  const until = Math.max(...series.map(({ lastAt }) => lastAt));
  return values.map((value, i) => {
    const seconds = knownSeconds(first + i, until);
    return value === null || Number.isNaN(seconds) ? null : value / seconds;
  });
}

function scaled(values: Values, factor: number): Values {
  return factor === 1 ? values : values.map((value) => (value === null ? null : value * factor));
}
