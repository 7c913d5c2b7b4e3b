import type { Labels } from './family.ts';

/** A sample line of a metrics page. */
export interface TextLine {
  name: string;
  labels: Labels;
  value: number;
  exemplar: { labels: Labels; value: number; at: number | undefined } | undefined;
}

/**
 * Parses `name{label="value",…} value [timestamp] [# {labels} value [timestamp]]`.
 *
 * @returns undefined if the line is anything else; one bad line costs itself only.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 * @see https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function parseLine(line: string): TextLine | undefined {
  const cursor = { line, at: 0 };
  let name = '';
  let labels: Labels | undefined;
  if (line[0] !== '{') {
    const end = nameEnd(line);
    if (end === 0) return undefined;
    name = line.slice(0, end);
    cursor.at = end;
    blanks(cursor);
  }
  if (line[cursor.at] === '{') {
    labels = labelSet(cursor);
    if (labels === undefined) return undefined;
    // Prometheus 3 quotes names with dots: {"http.requests",method="GET"}.
    if (name === '') name = labels[QUOTED_NAME] ?? '';
    delete labels[QUOTED_NAME];
    if (name === '') return undefined;
  }
  const value = number(word(cursor));
  if (value === undefined) return undefined;
  const rest = line.slice(cursor.at).trim();
  if (rest === '' || !rest.includes('#')) return { name, labels: labels ?? none(), value, exemplar: undefined };
  return { name, labels: labels ?? none(), value, exemplar: exemplar(line, cursor.at) };
}

interface Cursor {
  readonly line: string;
  at: number;
}

/** Not a legal label name, so that no label can have it. */
const QUOTED_NAME = '"';

function exemplar(line: string, from: number): TextLine['exemplar'] {
  const cursor = { line, at: line.indexOf('#', from) + 1 };
  blanks(cursor);
  const labels = labelSet(cursor);
  const value = number(word(cursor));
  if (labels === undefined || value === undefined) return undefined;
  const seconds = number(word(cursor));
  return { labels, value, at: seconds === undefined ? undefined : seconds * 1000 };
}

function labelSet(cursor: Cursor): Labels | undefined {
  const { line } = cursor;
  if (line[cursor.at] !== '{') return undefined;
  cursor.at++;
  const labels = none();
  for (;;) {
    blanks(cursor);
    if (line[cursor.at] === '}') {
      cursor.at++;
      return labels;
    }
    if (line[cursor.at] === '"') {
      const quoted = string(cursor);
      if (quoted === undefined) return undefined;
      blanks(cursor);
      if (line[cursor.at] !== '=') labels[QUOTED_NAME] = quoted;
      else if (!labelValue(cursor, quoted, labels)) return undefined;
    } else {
      const end = line.indexOf('=', cursor.at);
      if (end === -1) return undefined;
      const key = line.slice(cursor.at, end).trim();
      if (key === '' || key === '}') return undefined;
      cursor.at = end;
      if (!labelValue(cursor, key, labels)) return undefined;
    }
    blanks(cursor);
    if (line[cursor.at] === ',') cursor.at++;
    else if (line[cursor.at] !== '}') return undefined;
  }
}

function labelValue(cursor: Cursor, key: string, labels: Labels): boolean {
  cursor.at++;
  blanks(cursor);
  const value = cursor.line[cursor.at] === '"' ? string(cursor) : undefined;
  if (value === undefined) return false;
  labels[key] = value;
  return true;
}

const ESCAPES: Record<string, string> = { n: '\n', '\\': '\\', '"': '"' };

function string(cursor: Cursor): string | undefined {
  const { line } = cursor;
  const start = cursor.at + 1;
  let end = start;
  let escaped = false;
  for (; end < line.length && line[end] !== '"'; end++) {
    if (line[end] !== '\\') continue;
    escaped = true;
    end++;
  }
  if (end >= line.length) return undefined;
  cursor.at = end + 1;
  const raw = line.slice(start, end);
  return escaped ? raw.replace(/\\(.)/g, (whole, char) => ESCAPES[char] ?? whole) : raw;
}

function word(cursor: Cursor): string {
  blanks(cursor);
  const start = cursor.at;
  while (cursor.at < cursor.line.length && cursor.line[cursor.at] !== ' ' && cursor.line[cursor.at] !== '\t') cursor.at++;
  return cursor.line.slice(start, cursor.at);
}

function number(text: string): number | undefined {
  switch (text) {
    case '':
      return undefined;
    case '+Inf':
    case 'Inf':
      return Number.POSITIVE_INFINITY;
    case '-Inf':
      return Number.NEGATIVE_INFINITY;
    case 'NaN':
      return Number.NaN;
  }
  const n = Number(text);
  return Number.isNaN(n) ? undefined : n;
}

function blanks(cursor: Cursor): void {
  while (cursor.line[cursor.at] === ' ' || cursor.line[cursor.at] === '\t') cursor.at++;
}

function nameEnd(line: string): number {
  const match = /^[a-zA-Z_:][\w:.]*/.exec(line);
  return match ? match[0].length : 0;
}

function none(): Labels {
  return Object.create(null);
}
