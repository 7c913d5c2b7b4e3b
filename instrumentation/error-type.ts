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

/**
 * What one can do about an error: `retriable` (the same call may work at once), `transient` (it may work later),
 * `invalid_input` (the caller must change it), `fatal` (somebody must look).
 */
export type ErrorCategory = 'retriable' | 'transient' | 'fatal' | 'invalid_input';

/** Gives the category of an error that it knows, undefined for any other. */
export type ErrorClassifier = (error: unknown) => ErrorCategory | undefined;

const CATEGORIES: ReadonlySet<unknown> = new Set<ErrorCategory>(['retriable', 'transient', 'fatal', 'invalid_input']);
const MOST_CAUSES = 4;

/** Codes, names of classes, and the words with which Redis begins its answers. */
const WORDS: Readonly<Record<ErrorCategory, string>> = {
  retriable: `
    ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT ESOCKETTIMEDOUT EAI_AGAIN ENETUNREACH ENETDOWN EHOSTUNREACH EHOSTDOWN
    EADDRNOTAVAIL TimeoutError ERR_HTTP2_STREAM_ERROR ERR_HTTP2_SESSION_ERROR ERR_HTTP2_GOAWAY_SESSION ERR_STREAM_PREMATURE_CLOSE
    ERR_SOCKET_CONNECTION_TIMEOUT ERR_TLS_HANDSHAKE_TIMEOUT TaskCancelledError CommandTimeoutError
    ER_LOCK_DEADLOCK ER_LOCK_WAIT_TIMEOUT ER_CHECKREAD PROTOCOL_CONNECTION_LOST PROTOCOL_SEQUENCE_TIMEOUT ER_CLIENT_INTERACTION_TIMEOUT
    P1001 P1002 P1008 P1017 P2034 TRYAGAIN MOVED ASK ConnectionTimeoutError SocketClosedUnexpectedlyError SocketTimeoutError
    MongoNetworkError MongoNetworkTimeoutError MongoNotConnectedError KafkaJSConnectionError KafkaJSRequestTimeoutError
    KafkaJSConnectionClosedError RequestTimeout RequestTimeoutException APIConnectionError APIConnectionTimeoutError`,
  transient: `
    ENOTFOUND EMFILE ENFILE ENOBUFS EBUSY EOPENBREAKER ESEMLOCKED ABORT_ERR AbortError UND_ERR_ABORTED BrokenCircuitError
    BulkheadRejectedError IsolatedCircuitError HydratingCircuitError KnexTimeoutError SequelizeConnectionAcquireTimeoutError P2024 P2028
    ER_CON_COUNT_ERROR ER_TOO_MANY_USER_CONNECTIONS ER_USER_LIMIT_REACHED ER_SERVER_SHUTDOWN ER_QUERY_TIMEOUT ER_QUERY_INTERRUPTED
    ER_OPTION_PREVENTS_STATEMENT ER_READ_ONLY_MODE LOADING BUSY CLUSTERDOWN MASTERDOWN READONLY NOREPLICAS OOM
    MaxRetriesPerRequestError ClientOfflineError DisconnectsClientError MongoServerSelectionError MongoWaitQueueTimeoutError
    MongoPoolClearedError KafkaJSNumberOfRetriesExceeded KafkaJSBrokerNotFound KafkaJSGroupCoordinatorNotFound ThrottlingException
    Throttling TooManyRequestsException ProvisionedThroughputExceededException RequestLimitExceeded LimitExceededException SlowDown
    PROVIDER_NOT_READY ServiceUnavailable ServiceUnavailableException rate_limit_error overloaded_error OverloadedError APIUserAbortError RateLimitError RateLimiterRes DelayedError WaitingChildrenError`,
  invalid_input: `
    ValidationError ZodError $ZodError SyntaxError URIError CastError DocumentNotFoundError PrismaClientValidationError FST_ERR_VALIDATION UND_ERR_INVALID_ARG
    ER_DUP_ENTRY ER_DATA_TOO_LONG ER_BAD_NULL_ERROR ER_NO_REFERENCED_ROW ER_NO_REFERENCED_ROW_2 ER_ROW_IS_REFERENCED
    ER_ROW_IS_REFERENCED_2 ER_WARN_DATA_OUT_OF_RANGE ER_CHECK_CONSTRAINT_VIOLATED ER_CONSTRAINT_FAILED ER_NO_DEFAULT_FOR_FIELD
    ER_TRUNCATED_WRONG_VALUE ER_TRUNCATED_WRONG_VALUE_FOR_FIELD ER_INVALID_JSON_TEXT WRONGTYPE ConditionalCheckFailedException
    ValidationException NoSuchKey ResourceNotFoundException BadRequestError UnprocessableEntityError`,
  fatal: `
    UND_ERR_NOT_SUPPORTED UND_ERR_DESTROYED UND_ERR_CLOSED NOAUTH WRONGPASS NOPERM MISCONF AuthenticationError
    PermissionDeniedError AccessDenied AccessDeniedException ExpiredToken ExpiredTokenException CredentialsProviderError
    UnrecognizedClientException KafkaJSNonRetriableError KafkaJSSASLAuthenticationError MongoAuthenticationError`,
};
const BY_WORD = new Map(
  Object.entries(WORDS).flatMap(([category, words]) =>
    words
      .trim()
      .split(/\s+/)
      .map((word) => [word, category as ErrorCategory] as const),
  ),
);

/**
 * Families of codes: undici, Node's argument errors, Prisma's refusals, and SQLSTATE by its classes.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const PATTERNS: readonly (readonly [RegExp, ErrorCategory])[] = [
  [/^UND_ERR_|^(08|40)\w{3}$|^(55P03|57P01|57P02|25P03)$/, 'retriable'],
  [/^53\w{3}$|^(55006|57014|57P03|25006)$/, 'transient'],
  [/^ERR_INVALID_|^(22|23)\w{3}$|^P20(0[0-9]|1[1-5]|18|19|20|25)$/, 'invalid_input'],
];

/** @see https://grpc.io/docs/guides/status-codes/ */
const GRPC: Readonly<Record<number, ErrorCategory>> = {
  1: 'transient',
  3: 'invalid_input',
  4: 'retriable',
  5: 'invalid_input',
  6: 'invalid_input',
  8: 'transient',
  9: 'invalid_input',
  10: 'retriable',
  11: 'invalid_input',
  14: 'retriable',
};

/** @see https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md */
const MONGO: Readonly<Record<number, ErrorCategory>> = {
  ...Object.fromEntries(
    [6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436].map((code) => [code, 'retriable']),
  ),
  50: 'transient',
  121: 'invalid_input',
  11000: 'invalid_input',
};

/** 520 to 524 are of proxies that do not reach their server, 529 of services that are overloaded. */
const TRANSIENT_STATUS = new Set([408, 425, 429, 502, 503, 504, 520, 521, 522, 523, 524, 529]);

let classifier: ErrorClassifier | undefined;
let onProblem: ((problem: string) => void) | undefined;
let asking = false;

/**
 * Puts the app's own classifier in front of the built-in one.
 *
 * @param report is told what was wrong with an answer of it; the built-in one then answers
 * @returns what takes it back
 */
export function useClassifier(own: ErrorClassifier, report: (problem: string) => void): () => void {
  classifier = own;
  onProblem = report;
  return () => {
    if (classifier === own) classifier = undefined;
  };
}

/** The category of anything thrown: the app's word on it, otherwise what is known of its code, class or status. Never throws. */
export function errorCategory(error: unknown): ErrorCategory {
  return askApp(error) ?? known(error) ?? 'fatal';
}

/** A classifier that logs an error, or throws one, would be asked about that in turn: it is not. */
function askApp(error: unknown): ErrorCategory | undefined {
  if (classifier === undefined || asking) return undefined;
  asking = true;
  try {
    const answer: unknown = classifier(error);
    if (answer === undefined || CATEGORIES.has(answer)) return answer as ErrorCategory | undefined;
    // An `async` classifier whose promise is rejected would end the process.
    if (answer instanceof Promise) answer.catch(() => {});
    onProblem?.(`answered with a ${typeof answer} that is none of ${[...CATEGORIES].join(', ')} or undefined`);
  } catch (thrown) {
    onProblem?.(`threw ${errorType(thrown)}`);
  } finally {
    asking = false;
  }
  return undefined;
}

/** By the error itself, else by what caused it: `fetch failed` says nothing, its cause does. */
function known(error: unknown): ErrorCategory | undefined {
  let at: unknown = error;
  for (let depth = 0; depth < MOST_CAUSES && typeof at === 'object' && at !== null; depth++) {
    try {
      const category = ofFacts(at as Facts);
      if (category !== undefined) return category;
      const { cause, errors } = at as { cause?: unknown; errors?: unknown };
      at = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/** What errors of the known libraries carry. */
interface Facts {
  readonly category?: unknown;
  readonly code?: unknown;
  readonly errorCode?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
  readonly sqlState?: unknown;
  readonly meta?: {
    readonly code?: unknown;
    readonly driverAdapterError?: { readonly cause?: { readonly originalCode?: unknown } };
  };
  readonly details?: unknown;
  readonly metadata?: unknown;
  readonly errorLabels?: unknown;
  readonly retriable?: unknown;
  readonly retryable?: unknown;
  readonly $retryable?: { readonly throttling?: unknown };
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  readonly response?: { readonly status?: unknown; readonly statusCode?: unknown };
  readonly status?: unknown;
  readonly statusCode?: unknown;
}

function ofFacts(error: Facts): ErrorCategory | undefined {
  if (CATEGORIES.has(error.category)) return error.category as ErrorCategory;
  const { code, name } = error;
  if (typeof code === 'number') {
    if (typeof name === 'string' && name.startsWith('Mongo') && MONGO[code]) return MONGO[code];
    if (typeof error.details === 'string' && error.metadata !== undefined) return GRPC[code];
  }
  const byWord =
    ofWord(code) ??
    ofWord(name) ??
    ofWord(error.constructor?.name) ??
    ofWord(redisWord(error)) ??
    ofWord(error.sqlState) ??
    ofWord(prismaWord(error));
  if (byWord !== undefined) return byWord;
  // node-postgres has neither code nor class for it.
  if (error.message === 'timeout exceeded when trying to connect') return 'transient';
  if (error.$retryable !== undefined) return error.$retryable?.throttling ? 'transient' : 'retriable';
  if (error.retriable === true || error.retryable === true || isLabelled(error.errorLabels)) return 'retriable';
  return ofStatus(
    error.statusCode ?? error.status ?? error.$metadata?.httpStatusCode ?? error.response?.statusCode ?? error.response?.status,
  );
}

function ofWord(word: unknown): ErrorCategory | undefined {
  if (typeof word !== 'string' || word === '') return undefined;
  return BY_WORD.get(word) ?? PATTERNS.find(([pattern]) => pattern.test(word))?.[1];
}

/** An error that Redis answered has no code; its message begins with one: `LOADING Redis is loading the dataset in memory`. */
function redisWord(error: Facts): string | undefined {
  const { name, message } = error;
  const type = name === 'Error' ? error.constructor?.name : name;
  if (typeof message !== 'string' || (type !== 'ReplyError' && type !== 'SimpleError' && type !== 'ErrorReply')) return undefined;
  return /^[A-Z]+\b/.exec(message)?.[0];
}

/** Prisma's failures to start have their code under another name; of a raw query it hands on the code of the database. */
function prismaWord({ errorCode, meta }: Facts): unknown {
  return errorCode ?? meta?.code ?? meta?.driverAdapterError?.cause?.originalCode;
}

function isLabelled(labels: unknown): boolean {
  return Array.isArray(labels) && (labels.includes('RetryableWriteError') || labels.includes('TransientTransactionError'));
}

function ofStatus(status: unknown): ErrorCategory | undefined {
  if (typeof status !== 'number') return undefined;
  if (TRANSIENT_STATUS.has(status)) return 'transient';
  return status >= 400 && status < 500 ? 'invalid_input' : undefined;
}
