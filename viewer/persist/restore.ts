import type { DatabaseSync } from 'node:sqlite';
import type { Hub } from '../hub.ts';
import { type Attributes, KINDS, type LogRecord, millis, type Scope, type Span } from '../model.ts';
import type { Details } from '../store/span-record.ts';

/** Puts what a database file holds back into the store, in the order in which it came. */
export function restore(db: DatabaseSync, hub: Hub): void {
  const resources = new Map<number, Attributes>();
  for (const row of rows(db, 'SELECT id, json FROM resource')) {
    resources.set(Number(row.id), JSON.parse(row.json as string));
  }
  hub.restoreSpans(map(rows(db, 'SELECT * FROM span ORDER BY rowid'), (row) => spanOf(row, resources)));
  hub.restoreLogs(map(rows(db, 'SELECT * FROM log ORDER BY seq'), (row) => ({ seq: Number(row.seq), log: logOf(row) })));
}

type Row = Record<string, unknown>;

function* rows(db: DatabaseSync, sql: string): Generator<Row> {
  const statement = db.prepare(sql);
  // Nanoseconds do not fit a double.
  statement.setReadBigInts(true);
  yield* statement.iterate() as IterableIterator<Row>;
}

function* map<T, U>(items: Iterable<T>, to: (item: T) => U): Generator<U> {
  for (const item of items) yield to(item);
}

function spanOf(row: Row, resources: ReadonlyMap<number, Attributes>): Span {
  const details: Details = JSON.parse(row.details as string);
  const { a, e = [], l = [], s = ['', ''], c = ['unset', ''], t = '', d = [0, 0, 0] } = details;
  const startNs = row.start as bigint;
  const endNs = row.end as bigint;
  return {
    traceId: row.trace as string,
    spanId: row.span as string,
    parentSpanId: row.parent as string,
    name: row.name as string,
    service: row.service as string,
    kind: KINDS[Number(row.kind)],
    startNs,
    endNs,
    durationMs: millis(startNs, endNs),
    status: { code: c[0], message: c[1] },
    attributes: a,
    events: e.map(([timeNs, name, attributes]) => ({ timeNs: BigInt(timeNs), name, attributes })),
    links: l.map(([traceId, spanId, attributes]) => ({ traceId, spanId, traceState: '', flags: 0, attributes })),
    resource: resources.get(Number(row.resource)) ?? {},
    scope: scopeOf(...s),
    flags: Number(row.flags),
    traceState: t,
    dropped: { attributes: d[0], events: d[1], links: d[2] },
  };
}

function logOf(row: Row): LogRecord {
  const timeNs = row.time as bigint;
  return {
    timeNs,
    observedNs: timeNs,
    severityNumber: Number(row.severity),
    severityText: row.level as string,
    body: row.body as string,
    attributes: JSON.parse(row.attributes as string),
    traceId: row.trace as string,
    spanId: row.span as string,
    flags: 0,
    eventName: '',
    service: row.service as string,
    resource: {},
    scope: scopeOf(row.scope as string, ''),
    dropped: 0,
  };
}

function scopeOf(name: string, version: string): Scope {
  return { name, version, attributes: {} };
}
