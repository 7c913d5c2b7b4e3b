import { CONTENT_TYPES, type Format, negotiate } from './accept.ts';
import { Slice } from './pause.ts';
import { boundText, escapeHelp, escapeLabel } from './text.ts';
import type { Distribution, Exemplar, Family, Page, Point } from './types.ts';

const CHUNK_CHARACTERS = 16_384;

/** A page of these families, a snapshot's for example, in the format that `accept` asks for. */
export function toPage(families: Iterable<Family>, accept?: string): Page {
  const format = negotiate(accept);
  return { contentType: CONTENT_TYPES[format], chunks: render(families, format) };
}

/**
 * Families as a page, in pieces; the event loop turns between them.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 * @see https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
async function* render(families: Iterable<Family>, format: Format): AsyncGenerator<string> {
  const openMetrics = format === 'openmetrics';
  const slice = new Slice();
  const taken = new Set<string>();
  let chunk = '';
  for (const family of families) {
    // All samples of a family are of one kind.
    let lines: ((sample: any) => string) | undefined;
    for (const sample of family.samples) {
      if (lines === undefined) {
        chunk += announce(family, openMetrics, taken);
        lines = 'buckets' in sample ? distribution(family, openMetrics) : point(family.name, openMetrics);
      }
      chunk += lines(sample);
      const over = slice.over();
      if (over || chunk.length >= CHUNK_CHARACTERS) {
        yield chunk;
        chunk = '';
      }
      if (over) await slice.pause();
    }
  }
  if (openMetrics) chunk += '# EOF\n';
  if (chunk !== '') yield chunk;
}

/** The `HELP` and `TYPE` lines. A family without series has none: there would be nothing under them. */
function announce(family: Family, openMetrics: boolean, taken: Set<string>): string {
  const { name, type } = typed(family, openMetrics, taken);
  taken.add(name);
  const help = escapeHelp(family.help || family.name, openMetrics);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

/** Suffixes that the linter of the older format wants to see on counters and histograms alone. */
const RESERVED = /_(total|count|sum|bucket)$/;

function typed({ name, type }: Family, openMetrics: boolean, taken: Set<string>): { name: string; type: string } {
  if (!openMetrics) {
    // OpenTelemetry has a gauge named `db.client.connection.count`, prom-client some named `…_total`. `promtool check
    // metrics` objects to both unless they are untyped.
    const untyped = type === 'unknown' || (type === 'gauge' && RESERVED.test(name));
    return { name, type: untyped ? 'untyped' : type };
  }
  if (name === 'target_info') return { name: 'target', type: 'info' };
  if (type !== 'counter') return { name, type };
  // A family of counters is named without the suffix of its samples. One that has no such suffix, or whose short name is
  // another family's, stays what it is called: the same series must not have two names in two formats.
  const short = name.replace(/_total$/, '');
  return short === name || short === '' || taken.has(short) ? { name, type: 'unknown' } : { name: short, type: 'counter' };
}

function point(name: string, openMetrics: boolean): (sample: Point) => string {
  return ({ labels, suffix, value, exemplar }) => {
    const line = `${name}${suffix ?? ''}${labels === '' ? '' : `{${labels}}`} ${value}`;
    return openMetrics && exemplar ? `${line}${exemplarText(exemplar)}\n` : `${line}\n`;
  };
}

function distribution(family: Family, openMetrics: boolean): (sample: Distribution) => string {
  const { name } = family;
  const bounds = [...(family.bounds ?? []), Infinity].map((bound) => `le="${boundText(bound, openMetrics)}"} `);
  return ({ labels, buckets, sum, count, exemplars }) => {
    const start = labels === '' ? `${name}_bucket{` : `${name}_bucket{${labels},`;
    let text = '';
    let cumulated = 0;
    for (let i = 0; i < bounds.length; i++) {
      cumulated = i < buckets.length ? cumulated + buckets[i] : count;
      text += start + bounds[i] + cumulated;
      const exemplar = openMetrics ? exemplars?.[i] : undefined;
      text += exemplar ? `${exemplarText(exemplar)}\n` : '\n';
    }
    const braces = labels === '' ? ' ' : `{${labels}} `;
    return text + `${name}_sum${braces}${sum}\n${name}_count${braces}${count}\n`;
  };
}

// A page with a single exemplar that breaks OpenMetrics' rules is refused as a whole, so such a one is left out.
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const MOST_CHARACTERS = 128;

function exemplarText({ labelSet, value, timestamp }: Exemplar): string {
  let labels = '';
  let length = 0;
  for (const name of Object.keys(labelSet)) {
    const label = String(labelSet[name]);
    length += name.length + label.length;
    if (!LABEL_NAME.test(name)) return '';
    labels += `${labels === '' ? '' : ','}${name}="${escapeLabel(label)}"`;
  }
  if (length > MOST_CHARACTERS || !Number.isFinite(value)) return '';
  return ` # {${labels}} ${value}${timestamp > 0 ? ` ${Math.round(timestamp * 1000) / 1000}` : ''}`;
}
