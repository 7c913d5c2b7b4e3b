import { errorType } from '../error-type.ts';

/** A `GraphQLError`, as far as it is used. */
export interface ErrorOfResult {
  readonly message?: unknown;
  /** Where in the answer it happened; absent where nothing was executed. */
  readonly path?: unknown;
  /** What a resolver threw. */
  readonly originalError?: unknown;
  readonly extensions?: { readonly code?: unknown };
}

export interface OperationFailure {
  readonly type: string;
  readonly message: string | undefined;
  /** The variables or the operation's name were wrong: no resolver ran. */
  readonly ofCaller: boolean;
  /** What it is classified and counted by. */
  readonly thrown: unknown;
}

/** Messages of graphql itself that quote a value. */
const QUOTES = /\b(cannot represent|got invalid value|received)\b[\s\S]*/i;
const LONGEST = 500;

export function failureOf(error: ErrorOfResult): OperationFailure {
  const { originalError, path, extensions, message } = Object(error) as ErrorOfResult;
  const own = originalError ?? error;
  const code = extensions?.code;
  const type = typeof code === 'string' && code !== '' ? code.slice(0, 64) : errorType(own);
  // What was thrown instead of returned in a result has no path either, but another class.
  const ofCaller = path === undefined && errorType(error) === 'GraphQLError';
  const told = typeof message === 'string' && !ofCaller ? message.slice(0, LONGEST).replace(QUOTES, '$1 …') : undefined;
  return { type, message: told, ofCaller, thrown: own };
}

/** Type and name of the operation that is executed: the one that is asked for, or the only one. Never throws. */
export function operationIn(document: unknown, wanted: unknown): { type?: string; name?: string } | undefined {
  const { definitions } = Object(document) as { definitions?: unknown };
  if (!Array.isArray(definitions)) return undefined;
  for (const definition of definitions) {
    if (definition?.kind !== 'OperationDefinition') continue;
    const name: unknown = definition.name?.value;
    if (typeof wanted === 'string' && wanted !== name) continue;
    return { type: definition.operation, name: typeof name === 'string' ? name : undefined };
  }
  return undefined;
}
