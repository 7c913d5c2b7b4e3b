import { REDACTED, type Redactor } from './redaction.ts';

// Beyond what is secret anywhere: parts of signed URLs.
// @see https://opentelemetry.io/docs/specs/semconv/attributes-registry/url/
const SIGNATURES = new Set(['awsaccesskeyid', 'signature', 'sig', 'xgoogsignature', 'xamzsignature', 'xamzsecuritytoken']);

/**
 * A URL, or its path and query, without secrets: the values of secret query parameters, user info, tokens in the path. A
 * parameter is secret by its name once decoded, and takes everything up to the next `&` with it; one that holds another
 * URL (`?next=/login?token=…`, encoded or not) is looked into. Never throws.
 */
export function redactUrl(url: string, redactor: Redactor): string {
  const at = url.search(/[?#]/);
  if (at < 0) return redactor.text(url);
  return redactor.text(url.slice(0, at)) + url[at] + redactQuery(url.slice(at + 1), redactor);
}

/** The same for a query alone, without its question mark. */
export function redactQuery(query: string, redactor: Redactor): string {
  return query
    .split('&')
    .map((part) => redactPart(part, redactor))
    .join('&');
}

function redactPart(part: string, redactor: Redactor): string {
  const from = secretFrom(part, redactor);
  if (from >= 0) return part.slice(0, from) + REDACTED;
  const inner = decoded(part);
  if (inner !== part && (secretFrom(inner, redactor) >= 0 || redactor.text(inner) !== inner)) {
    const equals = part.indexOf('=');
    return equals < 0 ? REDACTED : part.slice(0, equals + 1) + REDACTED;
  }
  return redactor.text(part);
}

/** Where the first secret value begins, or -1. */
function secretFrom(part: string, redactor: Redactor): number {
  let start = 0;
  for (let i = 0; i < part.length; i++) {
    const char = part[i];
    if (char === '?' || char === ';' || char === '#' || char === '&') start = i + 1;
    else if (char === '=' && i > start && i + 1 < part.length && isSecret(decoded(part.slice(start, i)), redactor)) return i + 1;
  }
  return -1;
}

function isSecret(key: string, redactor: Redactor): boolean {
  return key.length <= 256 && (redactor.isSecret(key) || SIGNATURES.has(key.toLowerCase().replace(/[-_]/g, '')));
}

function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
