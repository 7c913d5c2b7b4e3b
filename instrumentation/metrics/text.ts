import type { Value } from './types.ts';

/**
 * The text form of labels and numbers.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
 */

const MOST_CHARACTERS = 1024;
const HARMLESS = /^[^\\"\n]*$/;

/** What a label value may be: bounded in length, without NUL (Prometheus' lexer ends there), well-formed. */
export function labelValue(raw: unknown): string {
  let value = typeof raw === 'string' ? raw : valueText(raw);
  if (value.length > MOST_CHARACTERS) value = value.slice(0, MOST_CHARACTERS - 1) + '…';
  return value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;
}

/** Of what is no text; what cannot be made one is empty. */
function valueText(raw: unknown): string {
  if (raw === undefined || raw === null) return '';
  try {
    return String(raw);
  } catch {
    return '';
  }
}

export function escapeLabel(value: string): string {
  if (HARMLESS.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** HELP text: OpenMetrics escapes quotes there too. */
export function escapeHelp(text: string, openMetrics: boolean): string {
  const escaped = text.replaceAll('\0', '\ufffd').replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return openMetrics ? escaped.replaceAll('"', '\\"') : escaped;
}

/** `a="1",b="2"` */
export function labelText(names: readonly string[], values: readonly string[]): string {
  let text = '';
  for (let i = 0; i < names.length; i++) text += `${i > 0 ? ',' : ''}${names[i]}="${escapeLabel(values[i])}"`;
  return text;
}

/** A number as JSON can carry it. */
export function plain(value: number): Value {
  if (value - value === 0) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

export function toNumber(value: Value): number {
  return typeof value === 'number' ? value : value === 'NaN' ? Number.NaN : value === '+Inf' ? Infinity : -Infinity;
}

/** A bucket's bound: OpenMetrics wants `1.0` where the older format has `1`, as Prometheus' own client library writes them. */
export function boundText(bound: number, openMetrics: boolean): string {
  if (bound === Infinity) return '+Inf';
  const text = String(bound);
  return openMetrics && Number.isInteger(bound) && !text.includes('e') ? `${text}.0` : text;
}

const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/gs;
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };

/** The opposite of {@link labelText}. */
export function parseLabels(text: string): Record<string, string> {
  const entries = [...text.matchAll(LABEL)].map(([, name, value]) => {
    return [name, value.replace(/\\(.)/gs, (whole, character) => ESCAPED[character] ?? whole)];
  });
  return Object.fromEntries(entries);
}
