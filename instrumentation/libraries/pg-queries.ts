import { type Span, SpanKind, type TracerProvider } from '@opentelemetry/api';
import { active, callIn } from '../context.ts';
import { settles } from '../settles.ts';
import { isExports, type Undo } from './define.ts';
import { patch } from './patch.ts';

interface Client {
  readonly connectionParameters?: { readonly host?: string; readonly port?: number; readonly database?: string };
}

type Callback = (this: unknown, error?: unknown, ...rest: unknown[]) => unknown;

/** A query that brings its own handlers; the client calls one of these two when it is done with it. */
interface Submitted {
  submit(connection: unknown): unknown;
  readonly text?: unknown;
  /** What a stream of pg-query-stream reads from. */
  readonly cursor?: { readonly text?: unknown };
  handleReadyForQuery: Callback;
  handleError: Callback;
}

/**
 * The queries of node-postgres, in the four forms that `Client.query` takes: with a callback as an argument or in the query's
 * configuration, for a promise, and as an object of its own (`pg.Query`, pg-cursor, pg-query-stream), which lasts until its last
 * row was read, since its connection is busy as long.
 *
 * Wired here and not through the official instrumentation, because a query is on the path of nearly every request: that one
 * makes two promises and two sets of attributes for each, and does not see the end of objects.
 */
export function watchQueries(prototype: object, provider: TracerProvider): Undo {
  const tracer = provider.getTracer('pg');

  return patch(
    prototype,
    'query',
    (query) =>
      function (this: Client, ...args: unknown[]) {
        const [given] = args;
        const span = tracer.startSpan('pg.query', { kind: SpanKind.CLIENT, attributes: attributesOf(this, given) });
        try {
          if (isSubmitted(given)) watchSubmitted(given, span);
          else if (!submits(given)) watchCallback(args, span);
          const result = Reflect.apply(query, this, args);
          // A query that is an object is handed back, and may have a `then` of its own.
          return result === given ? result : settles(result, (error) => end(span, error));
        } catch (error) {
          end(span, error);
          throw error;
        }
      },
  );
}

function attributesOf({ connectionParameters: to }: Client, given: unknown) {
  const { text, name, cursor } = (isExports(given) ? given : { text: given }) as Record<string, unknown> & Partial<Submitted>;
  const statement = text ?? cursor?.text;
  return {
    'db.system.name': 'postgresql',
    'db.namespace': to?.database,
    'db.query.text': typeof statement === 'string' ? statement : undefined,
    'server.address': to?.host,
    'server.port': to?.port,
    // The name of a prepared statement.
    'db.postgresql.plan': typeof name === 'string' ? name : undefined,
  };
}

function end(span: Span, error: unknown): void {
  if (error !== undefined && error !== null) span.recordException(error as Error);
  span.end();
}

/** Puts itself in front of the callback, if there is one. */
function watchCallback(args: unknown[], span: Span): void {
  const at = args.findLastIndex((arg, index) => index > 0 && typeof arg === 'function');
  const [given] = args;
  if (at > 0) args[at] = ending(args[at] as Callback, span);
  else if (isExports(given) && typeof given.callback === 'function') {
    // Not into the app's own object, which it may use for the next query too.
    args[0] = Object.create(given, { callback: { value: ending(given.callback as Callback, span), writable: true } });
  }
}

/** A client answers in whatever context its socket is read in: the callback belongs to where the query was made. */
function ending(callback: Callback, span: Span): Callback {
  const context = active();
  return function (this: unknown, ...args) {
    end(span, args[0]);
    return callIn(context, callback, this, args);
  };
}

function watchSubmitted(submitted: Submitted, span: Span): void {
  const undos = [
    before(submitted, 'handleReadyForQuery', () => ended()),
    before(submitted, 'handleError', (error) => ended(error)),
  ];
  const ended = (error?: unknown) => {
    for (const undo of undos) undo();
    end(span, error);
  };
}

/** Whether node-postgres takes it for a query that is an object of its own. */
function submits(value: unknown): value is Partial<Submitted> {
  return isExports(value) && typeof value.submit === 'function';
}

function isSubmitted(value: unknown): value is Submitted {
  return submits(value) && typeof value.handleReadyForQuery === 'function' && typeof value.handleError === 'function';
}

/** Tells of the next call of one object's method; no trace of it is left on the object afterwards. */
function before(object: Submitted, name: 'handleReadyForQuery' | 'handleError', tell: (arg: unknown) => void): Undo {
  const own = Object.getOwnPropertyDescriptor(object, name);
  // Not to be changed: then this query is not watched to its end.
  if (own?.configurable === false || (own === undefined && !Object.isExtensible(object))) return () => {};
  const original = object[name];
  const told: Callback = function (...args) {
    tell(args[0]);
    return Reflect.apply(original, this, args);
  };
  Object.defineProperty(object, name, { value: told, configurable: true, writable: true, enumerable: own?.enumerable === true });
  return () => {
    if (Object.getOwnPropertyDescriptor(object, name)?.value !== told) return;
    if (own === undefined) Reflect.deleteProperty(object, name);
    else Object.defineProperty(object, name, own);
  };
}
