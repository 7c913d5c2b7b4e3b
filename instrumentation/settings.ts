import { readFileSync, statSync } from 'node:fs';
import { createRedactor, REDACTED } from './redaction.ts';

/**
 * How one environment variable is read. `parse` returns the value, or throws a string-message Error whose text says
 * what is allowed; the caller then keeps the default and reports the problem.
 */
export interface Setting<T> {
  readonly env: string;
  readonly fallback: T;
  /** Shown in the documentation instead of `fallback` where the default is computed. */
  readonly fallbackText?: string;
  /** Secret values are never printed. */
  readonly secret: boolean;
  readonly doc: string;
  readonly allowed: string;
  parse(raw: string): T;
}

/** A value that was refused: what was wrong, what is allowed, what is used instead. */
export interface Problem {
  readonly env: string;
  readonly message: string;
}

type Options<T> = { fallbackText?: string; secret?: boolean; parse: (raw: string) => T; allowed: string };

function setting<T>(env: string, fallback: T, doc: string, options: Options<T>): Setting<T> {
  return { env, fallback, doc, secret: false, ...options };
}

export function text(env: string, fallback: string, doc: string, options: { secret?: boolean; fallbackText?: string } = {}) {
  return setting(env, fallback, doc, { ...options, allowed: 'any text', parse: (raw) => raw });
}

/** A text that is refused unless it matches `pattern`. */
export function matching(env: string, fallback: string, pattern: RegExp, allowed: string, doc: string) {
  return setting(env, fallback, doc, { allowed, parse: (raw) => (pattern.test(raw) ? raw : refuse()) });
}

export function integer(env: string, fallback: number, min: number, max: number, doc: string, fallbackText?: string) {
  return setting(env, fallback, doc, {
    fallbackText,
    allowed: `a whole number from ${min} to ${max}`,
    parse: (raw) => {
      const value = Number(raw);
      return /^\d+$/.test(raw) && value >= min && value <= max ? value : refuse();
    },
  });
}

/** An integer whose absence means something of its own (`undefined`). */
export function optionalInteger(env: string, min: number, max: number, doc: string, fallbackText: string) {
  const inner = integer(env, 0, min, max, doc, fallbackText);
  return { ...inner, fallback: undefined } as Setting<number | undefined>;
}

export function flag(env: string, doc: string) {
  return setting(env, false, doc, {
    allowed: 'true, false, 1, 0, on or off',
    parse: (raw) => {
      if (/^(true|1|on|yes)$/i.test(raw)) return true;
      if (/^(false|0|off|no)$/i.test(raw)) return false;
      return refuse();
    },
  });
}

export function choice<const T extends string>(env: string, fallback: NoInfer<T>, values: readonly T[], doc: string) {
  return setting<T>(env, fallback, doc, {
    allowed: values.join(', '),
    parse: (raw) => values.find((value) => value === raw.toLowerCase()) ?? refuse(),
  });
}

export function optionalChoice<const T extends string>(env: string, values: readonly T[], doc: string, fallbackText: string) {
  const inner = choice(env, values[0], values, doc);
  return { ...inner, fallback: undefined, fallbackText } as Setting<T | undefined>;
}

/** A comma-separated list; with `values` given, any other entry is refused. */
export function list(
  env: string,
  fallback: readonly string[],
  doc: string,
  options: { values?: readonly string[]; fallbackText?: string } = {},
) {
  const { values, fallbackText } = options;
  return setting<readonly string[]>(env, fallback, doc, {
    fallbackText,
    allowed: values ? `a comma-separated list of ${values.join(', ')}` : 'a comma-separated list',
    parse: (raw) => {
      const entries = raw
        .split(',')
        .map((entry) => entry.trim())
        .filter(Boolean);
      return values && entries.some((entry) => !values.includes(entry)) ? refuse() : entries;
    },
  });
}

/** An http or https URL, without a trailing slash. */
export function url(env: string, fallback: string, doc: string, fallbackText?: string) {
  return setting(env, fallback, doc, {
    fallbackText,
    allowed: 'an http:// or https:// URL',
    parse: (raw) => {
      const { protocol, href } = new URL(raw);
      return protocol === 'http:' || protocol === 'https:' ? href.replace(/\/+$/, '') : refuse();
    },
  });
}

/** `key=value,key=value` with percent-encoded values, as OpenTelemetry writes headers and resource attributes. */
export function pairs(env: string, doc: string, options: { secret?: boolean } = {}) {
  return setting<Readonly<Record<string, string>>>(env, {}, doc, {
    ...options,
    allowed: 'key=value pairs separated by commas, values percent-encoded',
    parse: (raw) => {
      const entries = raw
        .split(',')
        .filter((entry) => entry.trim() !== '')
        .map((entry) => {
          const at = entry.indexOf('=');
          return at > 0 ? [entry.slice(0, at).trim(), decodeURIComponent(entry.slice(at + 1).trim())] : refuse();
        });
      return Object.fromEntries(entries);
    },
  });
}

/** US dollars per million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
  /** Input that is read from a cache; `input` if absent. */
  readonly cached_input?: number;
  /** Input that is written to a cache; `input` if absent. */
  readonly cache_write?: number;
}

const PRICE_KEYS = ['input', 'output', 'cached_input', 'cache_write'];
const LARGEST_FILE = 4 * 1024 * 1024;

/** Prices by model, as JSON or as the path of a file that holds it. */
export function prices(env: string, doc: string, fallbackText: string) {
  return setting<Readonly<Record<string, ModelPrice>>>(env, {}, doc, {
    fallbackText,
    allowed:
      'JSON, or the path of a file with JSON, like {"my-model": {"input": 2.5, "output": 10, "cached_input": 1.25}}: dollars per million tokens',
    parse: (raw) => {
      const inline = raw.startsWith('{');
      if (!inline && statSync(raw).size > LARGEST_FILE) refuse();
      const table: unknown = JSON.parse(inline ? raw : readFileSync(raw, 'utf8'));
      if (typeof table !== 'object' || table === null || Array.isArray(table)) return refuse();
      for (const price of Object.values(table)) if (!isPrice(price)) refuse();
      return table as Record<string, ModelPrice>;
    },
  });
}

function isPrice(value: unknown): value is ModelPrice {
  if (typeof value !== 'object' || value === null || !('input' in value && 'output' in value)) return false;
  return Object.entries(value).every(
    ([key, amount]) => PRICE_KEYS.includes(key) && typeof amount === 'number' && Number.isFinite(amount) && amount >= 0,
  );
}

function refuse(): never {
  throw new Error('refused');
}

/** Reads one variable. An unset or empty variable is the default, as OpenTelemetry says. Never throws. */
export function read<T>(definition: Setting<T>, env: Readonly<Record<string, string | undefined>>, problems: Problem[]): T {
  const raw = env[definition.env]?.trim();
  if (!raw) return definition.fallback;
  try {
    return definition.parse(raw);
  } catch {
    const shown = definition.secret ? 'its value (hidden)' : JSON.stringify(withoutSecrets(raw).slice(0, 100));
    const used = definition.fallbackText ?? show(definition.fallback);
    problems.push({
      env: definition.env,
      message: `O11Y_BAD_SETTING: ${definition.env}: ${shown} is not allowed; it takes ${definition.allowed}. The default is used instead: ${used}.`,
    });
    return definition.fallback;
  }
}

/** How a setting's value stands in documentation and messages. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return value.length > 0 ? value.join(',') : 'none';
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0 ? JSON.stringify(value) : 'none';
  return value === undefined || value === '' ? 'none' : withoutSecrets(String(value));
}

const redactor = createRedactor();

/** Addresses may hold a password (`https://user:password@host`) or a key (`?api_key=…`). */
function withoutSecrets(text: string): string {
  return redactor.text(text.replace(/\/\/[^/\s@]*@/g, `//${REDACTED}@`));
}
