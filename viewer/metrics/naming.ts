/**
 * From OpenTelemetry's names to Prometheus'.
 *
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */

const UNITS: Record<string, string> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
};
const PER: Record<string, string> = { s: 'second', min: 'minute', h: 'hour', d: 'day' };

/** `http.server.request.duration`, `s`, histogram → `http_server_request_duration_seconds`. */
export function prometheusName(name: string, unit: string, kind: 'gauge' | 'counter' | 'other'): string {
  let out = sanitize(name);
  const suffix = unitSuffix(unit, kind);
  const total = kind === 'counter' ? '_total' : '';
  if (total !== '' && out.endsWith(total)) out = out.slice(0, -total.length);
  if (suffix !== '' && !out.endsWith(`_${suffix}`)) out += `_${suffix}`;
  return out + total;
}

/** A label or metric name with what Prometheus does not allow replaced by underscores. */
export function sanitize(name: string): string {
  const out = name.replace(/[^a-zA-Z0-9_:]+/g, '_').replace(/__+/g, '_');
  return /^\d/.test(out) ? `_${out}` : out;
}

function unitSuffix(unit: string, kind: 'gauge' | 'counter' | 'other'): string {
  // Annotations such as {request} are no unit.
  const plain = unit.replace(/\{[^}]*\}/g, '');
  if (plain === '1') return kind === 'gauge' ? 'ratio' : '';
  const [first, per] = plain.split('/', 2);
  const base = UNITS[first] ?? sanitize(first);
  if (per === undefined || per === '') return base;
  const second = `per_${PER[per] ?? sanitize(per)}`;
  return base === '' ? second : `${base}_${second}`;
}
