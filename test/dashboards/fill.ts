/**
 * Fills variables into queries as Grafana does: a choice of "all" by the variable's own value for that or by all its values,
 * several values as an alternative of a regular expression, and the variables that Grafana itself knows.
 *
 * @see https://grafana.com/docs/grafana/latest/visualizations/dashboards/variables/variable-syntax/
 */

/** What stands for each variable by name: one value, or several. */
export type Values = Readonly<Record<string, string | readonly string[]>>;

const VARIABLE = /\$\{(\w+)(?::(\w+))?\}|\$(\w+)/g;

/** @throws if the text has a variable that `values` does not know */
export function fill(text: string, values: Values): string {
  return text.replace(VARIABLE, (whole, braced?: string, format?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    // `$1` and `${1}` belong to label_replace.
    if (/^\d+$/.test(name)) return whole;
    const value = values[name];
    if (value === undefined) throw new Error(`the variable ${whole} of ${text} is not known`);
    if (typeof value === 'string') return value;
    return format === 'pipe' ? value.join('|') : value.length === 1 ? value[0] : `(${value.join('|')})`;
  });
}

/** Names of the variables in a text. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(VARIABLE)].map(([, braced, , bare]) => braced ?? bare).filter((name) => !/^\d+$/.test(name));
}

/** `$__rate_interval` in seconds: Grafana's own rule. */
export function rateInterval(step: number, scrapeInterval: number): number {
  return Math.max(step + scrapeInterval, 4 * scrapeInterval);
}
