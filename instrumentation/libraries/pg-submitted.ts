import { SpanKind, type TracerProvider } from '@opentelemetry/api';
import { isExports, type Undo } from './define.ts';

export interface Client {
  readonly connectionParameters?: { readonly host?: string; readonly port?: number; readonly database?: string };
  query(this: unknown, ...args: unknown[]): unknown;
}

type Handler = (this: unknown, ...args: unknown[]) => unknown;

/** A query that brings its own handlers; the client calls one of these two when it is done with it. */
interface Submitted {
  submit(connection: unknown): unknown;
  readonly text?: unknown;
  /** What a stream of pg-query-stream reads from. */
  readonly cursor?: { readonly text?: unknown };
  handleReadyForQuery: Handler;
  handleError: Handler;
}

/**
 * Queries that are objects of their own: `pg.Query`, pg-cursor, pg-query-stream. The official instrumentation sees them
 * start and never sees them end; here they last until their last row was read, since their connection is busy as long.
 *
 * @param unwatched `query` as it was before anything was wrapped around it: these queries go there
 */
export function watchSubmitted(prototype: Client, unwatched: Client['query'], provider: TracerProvider): Undo {
  const { query } = prototype;
  const tracer = provider.getTracer('pg');

  prototype.query = function (this: Client, ...args) {
    const [submitted] = args;
    if (!isSubmitted(submitted)) return Reflect.apply(query, this, args);
    const { host, port, database } = this.connectionParameters ?? {};
    const span = tracer.startSpan('pg.query', {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'postgresql',
        'db.namespace': database,
        'db.query.text': textOf(submitted),
        'server.address': host,
        'server.port': port,
      },
    });
    const undos = [
      before(submitted, 'handleReadyForQuery', () => end()),
      before(submitted, 'handleError', (error) => end(error)),
    ];
    const end = (error?: unknown) => {
      for (const undo of undos) undo();
      if (error !== undefined) span.recordException(error as Error);
      span.end();
    };
    try {
      return Reflect.apply(unwatched, this, args);
    } catch (error) {
      end(error);
      throw error;
    }
  };
  return () => {
    prototype.query = query;
  };
}

function isSubmitted(value: unknown): value is Submitted {
  return (
    isExports(value) &&
    typeof value.submit === 'function' &&
    typeof value.handleReadyForQuery === 'function' &&
    typeof value.handleError === 'function'
  );
}

function textOf({ text, cursor }: Submitted): string | undefined {
  const found = text ?? cursor?.text;
  return typeof found === 'string' ? found : undefined;
}

/** Tells of the next call of one object's method; no trace of it is left on the object afterwards. */
function before(object: Submitted, name: 'handleReadyForQuery' | 'handleError', tell: (arg: unknown) => void): Undo {
  const own = Object.getOwnPropertyDescriptor(object, name);
  // Not to be changed: then this query is not watched to its end.
  if (own?.configurable === false || (own === undefined && !Object.isExtensible(object))) return () => {};
  const original = object[name];
  const told: Handler = function (...args) {
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
