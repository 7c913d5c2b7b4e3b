/**
 * OpenTelemetry names as Prometheus writes them.
 *
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus
 * @see https://ucum.org/ucum
 */

const UNITS: Readonly<Record<string, string>> = {
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
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  kBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
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

const PER: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  min: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

export type InstrumentKind = 'counter' | 'updown' | 'gauge' | 'histogram';

/** `http.server.request.duration`, `s`, histogram → `http_server_request_duration_seconds` */
export function metricName(name: string, unit: string, kind: InstrumentKind): string {
  let out = clean(name, /[^a-zA-Z0-9:]+/g);
  const suffix = unitSuffix(unit, kind);
  if (kind === 'counter') out = out.replace(/_total$/, '');
  if (suffix !== '' && !out.endsWith(`_${suffix}`) && out !== suffix) out = `${out}_${suffix}`;
  if (kind === 'counter') out = `${out}_total`;
  return /^[0-9]/.test(out) ? `_${out}` : out;
}

/** `http.request.method` → `http_request_method`; the names that Prometheus keeps for itself are moved out of the way. */
export function labelName(key: string): string {
  const out = clean(key, /[^a-zA-Z0-9]+/g);
  if (out === 'le' || out === 'quantile') return `exported_${out}`;
  return out === '' ? 'key' : /^[0-9]/.test(out) ? `key_${out}` : out;
}

function clean(name: string, forbidden: RegExp): string {
  return name.replace(forbidden, '_').replace(/^_+|_+$/g, '');
}

function unitSuffix(unit: string, kind: InstrumentKind): string {
  // What stands in braces is a remark: `{request}`.
  const bare = unit.replace(/\{[^}]*\}/g, '').trim();
  if (bare === '1') return kind === 'gauge' ? 'ratio' : '';
  const [main, per] = bare.split('/', 2);
  const first = UNITS[main] ?? (main === '1' ? '' : clean(main, /[^a-zA-Z0-9]+/g));
  const second = per ? (PER[per] ?? clean(per, /[^a-zA-Z0-9]+/g)) : '';
  return [first, second && `per_${second}`].filter(Boolean).join('_');
}
