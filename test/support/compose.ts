import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parseDocument } from 'yaml';

/** The repository's folder. */
export const ROOT = join(import.meta.dirname, '../..');
/** The folder of the stack. */
export const COMPOSE = join(ROOT, 'compose');

type Env = Readonly<Record<string, string | undefined>>;

/** A service as a Compose file says it, as far as the tests read it. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly profiles?: readonly string[];
  readonly user?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly privileged?: boolean;
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly restart?: string;
  readonly logging?: { readonly options?: Readonly<Record<string, string>> };
}

export interface ComposeFile {
  readonly name?: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

/** The settings of `compose/.env`. */
export function stackEnv(): Record<string, string> {
  return parseEnv(readFileSync(join(COMPOSE, '.env'), 'utf8')) as Record<string, string>;
}

/** A file of the stack as data; variables are left as they are written. */
export function readYaml(file: string): any {
  // Compose's own tags, which say how an overlay is merged; what they stand before is all that matters here.
  const customTags = ['!reset', '!override'].map((tag) => ({ tag, collection: 'map' as const }));
  const document = parseDocument(readFileSync(file, 'utf8'), { merge: true, customTags, uniqueKeys: true });
  if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0].message}`);
  return document.toJS();
}

/** A Compose file with its variables replaced as Compose does it. */
export function readCompose(file = join(COMPOSE, 'compose.yaml'), env: Env = stackEnv()): ComposeFile {
  return replaceIn(readYaml(file), env) as ComposeFile;
}

function replaceIn(value: unknown, env: Env): unknown {
  if (typeof value === 'string') return interpolate(value, env);
  if (Array.isArray(value)) return value.map((each) => replaceIn(each, env));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaceIn(each, env)]));
}

/**
 * Replaces `${NAME}`, `${NAME:-default}` and `${NAME:?message}`; `$$` is a `$`.
 *
 * @throws where a variable with `:?` is empty
 * @see https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md
 */
export function interpolate(text: string, env: Env): string {
  return text.replace(/\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}/g, (match, name?: string, operator?: string, rest = '') => {
    if (name === undefined) return '$';
    const value = env[name];
    if (value) return value;
    if (operator === '-') return rest;
    if (operator === '?') throw new Error(`${match}: ${rest}`);
    return '';
  });
}

/** Every variable that a file's text asks for. */
export function variablesOf(text: string): string[] {
  return [...text.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name);
}

/**
 * The text of a file with addresses and paths of the test's own.
 *
 * @throws where one of those that are to be replaced is not in the file: it is another file than the test thinks
 */
export function withReplacements(file: string, replacements: Readonly<Record<string, string>>): string {
  let text = readFileSync(file, 'utf8');
  for (const [what, by] of Object.entries(replacements)) {
    if (!text.includes(what)) throw new Error(`${file} holds no ${what}`);
    text = text.replaceAll(what, by);
  }
  return text;
}
