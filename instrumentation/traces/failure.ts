import { errorType } from '../error-type.ts';

/** An error as far as an instrumentation tells it: some hand over the error itself, others a sentence that names its code. */
export interface Failure {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  /** The error itself, where it was handed over: what else it carries decides about its category. */
  readonly thrown?: unknown;
}

/** Codes, classes and messages that say that no server answered, or that it is going away; the rest are its answers. */
const UNREACHABLE =
  /^(ECONN\w+|E(HOST|NET)UNREACH|ETIMEDOUT|EPIPE|EAI_AGAIN|ENOTFOUND|EADDRNOTAVAIL|ENOENT|NR_CLOSED|08\w{3}|57P0[123]|53300|PROTOCOL_CONNECTION_LOST|PROTOCOL_SEQUENCE_TIMEOUT|POOL_CLOSED|ER_CON_COUNT_ERROR|ER_SERVER_SHUTDOWN|MaxRetriesPerRequestError|ClusterAllFailedError|Mongo(Network|ServerSelection|Topology|PoolCleared|WaitQueueTimeout)\w*|ClientClosedError|ClientOfflineError|DisconnectsClientError|SocketClosedUnexpectedlyError|SocketTimeoutError|ConnectionTimeoutError|ReconnectStrategyError|AbortError)$/;
const UNREACHABLE_TEXT =
  /^(Connection terminated|Connection is closed|Connection ended|timeout expired|Client has encountered a connection error|Client was closed|Command timed out|Stream isn't writeable|Can't add new command when connection is in closed state)/;

/** Of these answers, the quoted parts are values: of a row (duplicates), or ones that do not fit a type. */
const HOLDS_VALUES = /^(2[23]\w{3}|ER_DUP\w*|ER_TRUNC\w*|ER_WRONG_VALUE\w*|ER_DATA\w*|ER_ILLEGAL\w*|11000|E11000)/;

const REDIS_REPLY = /^(?!ERR\b)[A-Z]{3,16}(?= )/;
/** Redis repeats what it was sent. */
const REPEATED = /, with args beginning with: [\s\S]*/;

const LONGEST = 500;

export function isUnreachable({ name, code, message }: Failure): boolean {
  return UNREACHABLE.test(code ?? name) || UNREACHABLE.test(name) || UNREACHABLE_TEXT.test(message);
}

/** Anything that was thrown, or a sentence with `(code: …)` at its end. Never throws. */
export function failureOf(thrown: unknown): Failure {
  if (typeof thrown === 'string') {
    const [, name = 'Error', code] = /'([^']*)' occurred \(code: (\w+)\)$/.exec(thrown) ?? [];
    return { name, code: code === 'UNKNOWN' ? undefined : code, message: '' };
  }
  try {
    const { name, code, message } = Object(thrown) as { name?: unknown; code?: unknown; message?: unknown };
    return {
      name: typeof name === 'string' && name !== 'Error' ? errorType({ name }) : className(thrown),
      code: typeof code === 'string' || typeof code === 'number' ? String(code) : replyCode(thrown),
      message: typeof message === 'string' ? message : '',
      thrown,
    };
  } catch {
    return { name: 'Error', message: '' };
  }
}

/** The class tells more than a name that is only `Error`. */
function className(thrown: unknown): string {
  const name = (thrown as object | undefined)?.constructor?.name;
  return name && name !== 'Object' ? name.slice(0, 64) : 'Error';
}

/** An error that Redis answered has no code, but its message begins with one: `WRONGTYPE Operation against a key …`. */
function replyCode(thrown: unknown): string | undefined {
  const error = Object(thrown) as Error;
  if (error.name !== 'ReplyError' && !/^(Simple|Blob)?Error(Reply)?$/.test(error.constructor?.name ?? '')) return undefined;
  return REDIS_REPLY.exec(error.message)?.[0];
}

/** `error.type` of a failure. */
export function failureType({ name, code }: Failure): string {
  return (code || name).slice(0, 64);
}

/** The message without the values that drivers quote in it. */
export function safeMessage({ code, message }: Failure): string {
  const text = message.slice(0, LONGEST).replace(REPEATED, '');
  const values = HOLDS_VALUES.test(code ?? '');
  // `syntax error at or near "x"` and `relation "x" does not exist` quote names; what stands in single quotes is a value.
  return values ? text.replace(/"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|\{[^}]*\}?/g, '?') : text;
}
