/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

const MOST_DEPTH = 8;
const MOST_MEMBERS = 200;
const MOST_NODES = 5_000;
const MOST_CACHED_KEYS = 2_000;
// Letters of all further keys: V8 refuses an expression that is much larger, and only when it is first used.
const MOST_SUSPECT_LETTERS = 2_000;

// A key is secret if, without case and separators, it ends with one of these: so `accessToken`, `x-api-key` and `DB_PASSWORD`
// are, and `max_tokens`, `token_count` and `secretary` are not.
const SECRET_ENDINGS = [
  'authorization',
  'cookie',
  'cookies',
  'credential',
  'credentials',
  'passphrase',
  'password',
  'passwords',
  'passwd',
  'pwd',
  'secret',
  'secrets',
  'token',
  'apikey',
  'accesskey',
  'accesskeyid',
  'privatekey',
  'secretkey',
  'signingkey',
  'encryptionkey',
];
const ENDS_SECRET = new RegExp(`(?:${SECRET_ENDINGS.join('|')})$`);

// What any text must contain to hold a secret that we can see: one cheap pass decides for nearly every line.
const SUSPECT =
  'authori|cookie|credential|pass(?:phrase|word|wd)|pwd|secret|token|(?:api|access|private|signing|encryption)[-_. ]?key|bearer|eyJ|:\\/\\/[^\\s/?#"]*@|%[2-7][0-9a-f][\\w.%-]{0,64}=';

const PAIR = /([\w.$[\]%-]{1,128})=([^&\s"'<>;,]+)/g;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi;
const JWT = /\beyJ[\w-]{4,1024}\.[\w-]{4,4096}\.[\w-]*/g;
const USER_INFO = /:\/\/[^\s/?#"'@]*@/g;

/** Removes secrets before anything is recorded. Pure: the objects of the app are read, never changed. Nothing throws. */
export interface Redactor {
  /** Whether the value of this key, header or query parameter is never recorded. Case, `-`, `_`, `.` and spaces do not count. */
  isSecret(key: string): boolean;
  /** A text with the secrets in its `key=value` pairs, user infos of URLs, bearer tokens and JSON web tokens removed. */
  text(text: string): string;
  /** A value as plain JSON data without secrets; bounded in depth and width, cycles cut. */
  value(value: unknown): unknown;
  /** A finished JSON line; the very same text where nothing in it is suspect. */
  line(json: string): string;
}

/** @param extraKeys further secret keys, of `O11Y_REDACT_KEYS`; whole keys, not endings. */
export function createRedactor(extraKeys: readonly string[] = []): Redactor {
  const extra = new Set(extraKeys.map(normal).filter(Boolean));
  // A further key may be spelled with any separators in a line, so each of its letters may be followed by one.
  const suspects = [SUSPECT, ...[...extra].map((key) => [...key].map(escaped).join('[-_. ]?'))];
  const letters = [...extra].reduce((sum, key) => sum + key.length, 0);
  // Past the bound every text is suspect: slower, and nothing secret slips through.
  const suspect = letters > MOST_SUSPECT_LETTERS ? /(?:)/ : new RegExp(suspects.join('|'), 'i');
  const known = new Map<string, boolean>();

  function isSecret(key: string): boolean {
    let secret = known.get(key);
    if (secret === undefined) {
      const name = normal(key);
      secret = ENDS_SECRET.test(name) || extra.has(name);
      if (known.size >= MOST_CACHED_KEYS) known.clear();
      if (key.length <= 128) known.set(key, secret);
    }
    return secret;
  }

  function clean(text: string): string {
    return text
      .replace(USER_INFO, `://${REDACTED}@`)
      .replace(PAIR, (pair, key) => (isSecret(decoded(key)) ? `${key}=${REDACTED}` : pair))
      .replace(BEARER, `$1 ${REDACTED}`)
      .replace(JWT, REDACTED);
  }

  const text = (value: string) => (suspect.test(value) ? clean(value) : value);
  const value = (input: unknown) => new Walk(isSecret, text).visit(input, 0);

  return {
    isSecret,
    text,
    value,
    line(json) {
      if (!suspect.test(json)) return json;
      try {
        const end = json.endsWith('\n') ? '\n' : '';
        return JSON.stringify(value(JSON.parse(json))) + end;
      } catch {
        return clean(json);
      }
    },
  };
}

/** One traversal: it owns the budget of nodes and knows the objects above the present one. */
class Walk {
  readonly #isSecret: (key: string) => boolean;
  readonly #text: (text: string) => string;
  readonly #above = new Set<object>();
  #nodes = 0;

  constructor(isSecret: (key: string) => boolean, text: (text: string) => string) {
    this.#isSecret = isSecret;
    this.#text = text;
  }

  visit(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'bigint':
        return value.toString();
      case 'function':
      case 'symbol':
        return undefined;
      case 'object':
        return value === null ? null : this.#object(value, depth);
      default:
        return value;
    }
  }

  #object(value: object, depth: number): unknown {
    if (this.#above.has(value)) return '[circular]';
    if (depth >= MOST_DEPTH || ++this.#nodes > MOST_NODES) return '[truncated]';
    this.#above.add(value);
    try {
      if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
      if (value instanceof Error) return { type: value.name, message: this.#text(String(value.message)) };
      if (value instanceof Map) return this.#members(value, depth);
      if (value instanceof Set) return this.#list([...value], depth);
      if (Array.isArray(value)) return this.#list(value, depth);
      if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
        const json = (value as { toJSON(): unknown }).toJSON();
        return json === value ? this.#members(Object.entries(value), depth) : this.visit(json, depth + 1);
      }
      return this.#members(entries(value), depth);
    } catch {
      return '[unreadable]';
    } finally {
      this.#above.delete(value);
    }
  }

  #list(values: readonly unknown[], depth: number): unknown[] {
    const kept = values.slice(0, MOST_MEMBERS).map((member) => this.visit(member, depth + 1) ?? null);
    if (values.length > MOST_MEMBERS) kept.push(`[${values.length - MOST_MEMBERS} more]`);
    return kept;
  }

  #members(members: Iterable<readonly [unknown, unknown]>, depth: number): Record<string, unknown> {
    const kept: Record<string, unknown> = {};
    let count = 0;
    for (const [name, member] of members) {
      if (++count > MOST_MEMBERS) {
        kept['…'] = '[more]';
        break;
      }
      const key = String(name);
      const secret = member !== null && member !== undefined && member !== '' && this.#isSecret(key);
      const copy = secret ? REDACTED : this.visit(member, depth + 1);
      // Defined, not assigned: a key `__proto__` is data here.
      if (copy !== undefined)
        Object.defineProperty(kept, key, { value: copy, enumerable: true, configurable: true, writable: true });
    }
    return kept;
  }
}

function* entries(object: object): Generator<readonly [string, unknown]> {
  for (const key of Object.keys(object)) {
    let member: unknown;
    try {
      member = (object as Record<string, unknown>)[key];
    } catch {
      member = '[unreadable]';
    }
    yield [key, member];
  }
}

function normal(key: string): string {
  return key.toLowerCase().replace(/[-_.\s[\]$]/g, '');
}

function decoded(key: string): string {
  if (!key.includes('%')) return key;
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function escaped(letter: string): string {
  return letter.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
