/**
 * `error.type` of anything thrown: its code, its class's name, or `_OTHER`. At most 64 characters. Never throws.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/attributes-registry/error/
 */
export function errorType(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '_OTHER';
  try {
    const { code, name } = error as { code?: unknown; name?: unknown };
    const type =
      typeof code === 'string' && code ? code : typeof name === 'string' && name !== 'Error' ? name : error.constructor?.name;
    return typeof type === 'string' && type ? type.slice(0, 64) : '_OTHER';
  } catch {
    return '_OTHER';
  }
}

export type ErrorCategory = 'retriable' | 'transient' | 'fatal' | 'invalid_input';

const RETRIABLE =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|ESOCKETTIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|UND_ERR_.*|TimeoutError|40001|40P01|53300|57P03)$/;
const INVALID = /^(ValidationError|ZodError|SyntaxError|URIError|FST_ERR_VALIDATION|ERR_INVALID_.*|22\w{3}|23\w{3})$/;
const TRANSIENT_STATUS = new Set([408, 425, 429, 502, 503, 504]);

/**
 * What one can do about an error: `retriable` (the same call may work at once), `transient` (it may work later),
 * `invalid_input` (the caller must change it), `fatal` (somebody must look). Never throws.
 */
export function errorCategory(error: unknown): ErrorCategory {
  const type = errorType(error);
  if (RETRIABLE.test(type)) return 'retriable';
  if (INVALID.test(type)) return 'invalid_input';
  const status = statusOf(error);
  if (status !== undefined) {
    if (TRANSIENT_STATUS.has(status)) return 'transient';
    if (status >= 400 && status < 500) return 'invalid_input';
  }
  return type === 'AbortError' ? 'transient' : 'fatal';
}

function statusOf(error: unknown): number | undefined {
  try {
    const { statusCode, status } = error as { statusCode?: unknown; status?: unknown };
    return typeof statusCode === 'number' ? statusCode : typeof status === 'number' ? status : undefined;
  } catch {
    return undefined;
  }
}
