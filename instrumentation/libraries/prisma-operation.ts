import { errorType } from '../error-type.ts';

/** One call of a Prisma client. */
export interface PrismaOperation {
  /** As the app writes it: `Customer.findMany`, `$queryRaw`, `$transaction`. There are as many as the schema has models, times the client's methods. */
  readonly name: string;
  /** Absent where the call is of no model. */
  readonly model: string | undefined;
  readonly method: string;
}

export interface PrismaFailure {
  /** Prisma's code (`P2002`), otherwise as for any error. */
  readonly type: string;
  /** Undefined where the message of such an error may hold values. */
  readonly message: string | undefined;
}

const LONGEST = 100;

/**
 * The operation that Prisma asks a span for. Undefined for all else that it asks one for: how it serializes, compiles and
 * connects is its own affair, and its queries are those of the driver.
 */
export function operationOf(options: unknown): PrismaOperation | undefined {
  const { name, attributes } = Object(options) as { name?: unknown; attributes?: Record<string, unknown> };
  const { method, model } = Object(attributes) as Record<string, unknown>;
  if ((name !== 'operation' && name !== 'transaction') || typeof method !== 'string') return undefined;
  const of = typeof model === 'string' && model !== '' ? model : undefined;
  const full = of !== undefined ? `${of}.${method}` : method.startsWith('$') ? method : `$${method}`;
  return { name: full.slice(0, LONGEST), model: of, method };
}

/**
 * Codes whose texts name hosts, models, fields and constraints. The others, and errors without a code, quote what they were
 * given.
 *
 * @see https://www.prisma.io/docs/orm/reference/error-reference
 */
const NAMES_ONLY = /^P(1\d{3}|20(01|02|03|11|14|18|21|22|24|25|28|34))$/;
const LONGEST_MESSAGE = 300;

/** What may be told of an error that an operation ended with. Never throws. */
export function failureOf(error: unknown): PrismaFailure {
  try {
    const { code, errorCode, message } = Object(error) as { code?: unknown; errorCode?: unknown; message?: unknown };
    const known = [code, errorCode].find((each) => typeof each === 'string' && /^P\d{4}$/.test(each)) as string | undefined;
    if (known === undefined) return { type: errorType(error), message: undefined };
    // Before its last line stands the code of the app that made the call.
    const line = NAMES_ONLY.test(known) ? String(message).trimEnd().split('\n').at(-1) : undefined;
    return { type: known, message: line?.trim().slice(0, LONGEST_MESSAGE) };
  } catch {
    return { type: errorType(error), message: undefined };
  }
}

/** Whether Prisma itself made an error: a transaction also ends with whatever the app throws in it. */
export function isOfPrisma(error: unknown): boolean {
  return errorName(error).startsWith('PrismaClient');
}

function errorName(error: unknown): string {
  try {
    return String((error as { name?: unknown } | undefined)?.name);
  } catch {
    return '';
  }
}
