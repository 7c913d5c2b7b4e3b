import type { Attributes } from '@opentelemetry/api';
import type { HistogramChild } from '../metrics/metrics.ts';
import { type SharedAttributes, shareable } from '../traces/span.ts';
import { describeSql, type Statement } from './sql.ts';

const MOST_SERVERS = 100;
const MOST_OPERATIONS = 500;

/** Where calls go: as the attributes of their spans say it. */
export interface Place {
  readonly system: string;
  readonly address: string;
  readonly port: number | undefined;
  readonly namespace: string;
}

/** What calls with one statement to one place have in common. It is made once for all of them. */
export interface CallKind {
  /** The place's health check. */
  readonly target: string;
  readonly statement: Statement;
  readonly spanName: string;
  readonly shared: SharedAttributes;
  /** Attributes that {@link shared} has, or has on purpose not, whatever a call says of them itself. */
  readonly settled: ReadonlySet<string>;
  /** Of calls that succeed; those that fail are told apart by their error. */
  child: HistogramChild | undefined;
}

interface Known extends Place {
  readonly target: string;
  /** As long as the statement is remembered. */
  readonly kinds: WeakMap<Statement, CallKind>;
}

const SETTLED: ReadonlySet<string> = new Set([
  'db.system.name',
  'db.namespace',
  'server.address',
  'server.port',
  'db.operation.name',
  'db.collection.name',
]);
/** Where the statement was read, its text as well: it may hold values. */
const SETTLED_WITH_TEXT: ReadonlySet<string> = new Set([...SETTLED, 'db.query.text']);

/** Which SQL a system speaks; the others' statements are not read. */
const SQL: Readonly<Record<string, 'ansi' | 'mysql' | undefined>> = {
  postgresql: 'ansi',
  mysql: 'mysql',
  mariadb: 'mysql',
  'microsoft.sql_server': 'ansi',
  sqlite: 'ansi',
};

/** @param targetOf the name of a place's health check */
export function createCallKinds(targetOf: (place: Place) => string) {
  const places = new Map<string, Known>();
  const operations = new Map<string, Statement>();
  let last: Known | undefined;

  function known(place: Place): Known {
    const { system, address, port, namespace } = place;
    // Calls mostly go where the last one went.
    if (
      last !== undefined &&
      last.system === system &&
      last.address === address &&
      last.port === port &&
      last.namespace === namespace
    )
      return last;
    const key = `${system}\n${address}\n${port}\n${namespace}`;
    let found = places.get(key);
    if (found === undefined) {
      if (places.size >= MOST_SERVERS) places.clear();
      places.set(key, (found = { ...place, target: targetOf(place), kinds: new WeakMap() }));
    }
    last = found;
    return found;
  }

  /** One object for the same pair of names. */
  function named(operation: string, collection: string): Statement {
    const key = `${operation}\n${collection}`;
    let statement = operations.get(key);
    if (statement === undefined) {
      if (operations.size >= MOST_OPERATIONS) operations.clear();
      operations.set(key, (statement = { shape: '', operation, collection }));
    }
    return statement;
  }

  /** An SQL statement says itself what it does with what; other calls are known by these names. */
  return (place: Place, query: string, operation: string, collection: string): CallKind => {
    const dialect = SQL[place.system];
    const isRead = dialect !== undefined && query !== '';
    const statement = isRead ? describeSql(query, dialect) : named(operation, collection);
    const { kinds, target } = known(place);
    let kind = kinds.get(statement);
    if (kind === undefined) kinds.set(statement, (kind = describe(place, statement, target, isRead)));
    return kind;
  };
}

function describe(place: Place, statement: Statement, target: string, isRead: boolean): CallKind {
  const { operation, collection, shape } = statement;
  const attributes: Attributes = {
    'db.system.name': place.system,
    ...(place.namespace && { 'db.namespace': place.namespace }),
    ...(place.address && { 'server.address': place.address }),
    ...(place.port !== undefined && { 'server.port': place.port }),
    'db.operation.name': operation,
    ...(collection && { 'db.collection.name': collection }),
    ...(isRead && { 'db.query.text': shape }),
  };
  const object = collection || (SQL[place.system] !== undefined && place.namespace);
  const spanName = [operation, object].filter(Boolean).join(' ') || place.system;
  const settled = isRead ? SETTLED_WITH_TEXT : SETTLED;
  return { target, statement, spanName, shared: shareable(attributes), settled, child: undefined };
}
