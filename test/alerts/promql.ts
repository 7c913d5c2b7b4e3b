/** What a PromQL expression speaks of, as far as tests need it: names of metrics, and labels that it selects or groups by. */

export interface Selector {
  readonly metric: string;
  /** Labels of its matchers. */
  readonly labels: readonly string[];
}

const STRINGS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;
const CLAUSES = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const KEYWORDS = new Set([
  'and',
  'or',
  'unless',
  'offset',
  'bool',
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'inf',
  'nan',
]);

/** Selectors with a name. One that matches names by a pattern gives one for each name in it. */
export function selectorsOf(expr: string): Selector[] {
  const found: Selector[] = [];
  for (const [, name, matchers] of expr.matchAll(/([a-zA-Z_:][\w:]*)?\{([^}]*)\}/g)) {
    const labels = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label);
    const pattern = /__name__=~"([^"]*)"/.exec(matchers)?.[1];
    const names = name ? [name] : (pattern?.split('|') ?? []);
    found.push(...names.map((metric) => ({ metric, labels: labels.filter((label) => label !== '__name__') })));
  }
  const bare = expr
    .replace(/\{[^}]*\}/g, '{}')
    .replace(STRINGS, '""')
    .replace(CLAUSES, ' ')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\boffset\s+\w+/g, '');
  for (const [, name, next] of bare.matchAll(/(?<![\w:.$])([a-zA-Z_:][\w:]*)\s*(\(|\{)?/g)) {
    if (next === undefined && !KEYWORDS.has(name.toLowerCase())) found.push({ metric: name, labels: [] });
  }
  return found;
}

/** Labels that it groups, joins or aggregates by. */
export function groupingsOf(expr: string): string[] {
  return [...expr.replace(STRINGS, '""').matchAll(CLAUSES)]
    .flatMap(([, list]) => list.split(',').map((label) => label.trim()))
    .filter(Boolean);
}

/** A series as tests write it. */
export function seriesOf(text: string): { metric: string; labels: string[] } {
  const [, metric, labels = ''] = /^([\w:]+)(?:\{(.*)\})?$/.exec(text) ?? [];
  if (!metric) throw new Error(`no series: ${text}`);
  return { metric, labels: [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label) };
}
