import type { DatabaseSync } from 'node:sqlite';
import type { Journal } from '../hub.ts';
import type { LogLine } from '../store/log-store.ts';
import type { SpanRecord } from '../store/span-record.ts';

const FLUSH_MS = 250;
/** Writes that wait are bounded: more are written at once. */
const MAX_PENDING = 4000;

/**
 * Writes to the database what the store takes in, and deletes what it gives up: the file holds what the memory holds,
 * a quarter of a second late.
 */
export class Recorder implements Journal {
  readonly #db: DatabaseSync;
  readonly #statements: ReturnType<typeof statements>;
  readonly #resources = new Map<string, number>();
  readonly #failed: (error: Error) => void;
  #pending: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #broken = false;

  /** @param failed told once when the file can no longer be written; the viewer goes on in memory */
  constructor(db: DatabaseSync, failed: (error: Error) => void) {
    this.#db = db;
    this.#statements = statements(db);
    this.#failed = failed;
  }

  span(traceId: string, record: SpanRecord): void {
    const { spanId, parentSpanId, name, service, kind, startNs, endNs, flags, details } = record;
    // SQLite's integers are signed: times beyond the year 2262 do not fit, and are none.
    const [start, end] = [BigInt.asIntN(64, startNs), BigInt.asIntN(64, endNs)];
    this.#later(() => {
      const resource = this.#resource(record.resource);
      const { span } = this.#statements;
      span.run(traceId, spanId, parentSpanId, name, service, kind, start, end, flags, details, resource);
    });
  }

  log(line: LogLine): void {
    const { seq, timeNs, severity, severityText, service, body, attributes, traceId, spanId } = line;
    const { correlationId, scope } = line;
    const time = BigInt.asIntN(64, timeNs);
    this.#later(() => {
      const { log } = this.#statements;
      log.run(seq, time, severity, severityText, service, body, attributes, traceId, spanId, correlationId, scope);
    });
  }

  traceGone(traceId: string): void {
    this.#later(() => this.#statements.traceGone.run(traceId));
  }

  logGone(seq: number): void {
    this.#later(() => this.#statements.logGone.run(seq));
  }

  cleared(): void {
    this.#pending = [];
    this.#later(() => {
      this.#resources.clear();
      this.#db.exec('DELETE FROM span; DELETE FROM log; DELETE FROM resource');
    });
  }

  /** Writes what waits, and closes the file. */
  close(): void {
    this.#flush();
    clearTimeout(this.#timer);
    try {
      this.#db.exec('DELETE FROM resource WHERE id NOT IN (SELECT resource FROM span)');
    } catch {
      // The file may have become unwritable; that was said when it did.
    }
    this.#db.close();
  }

  #resource(json: string): number {
    const known = this.#resources.get(json);
    if (known !== undefined) return known;
    this.#statements.resource.run(json);
    const { id } = this.#statements.resourceId.get(json) as { id: number };
    // Resources are few; one that changes with every batch must not fill the memory.
    if (this.#resources.size >= 1000) this.#resources.clear();
    this.#resources.set(json, id);
    return id;
  }

  #later(write: () => void): void {
    if (this.#broken) return;
    this.#pending.push(write);
    if (this.#pending.length >= MAX_PENDING) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length === 0 || this.#broken) return;
    const writes = this.#pending;
    this.#pending = [];
    try {
      this.#db.exec('BEGIN');
      for (const write of writes) write();
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#broken = true;
      this.#failed(error as Error);
    }
  }
}

function statements(db: DatabaseSync) {
  return {
    span: db.prepare('INSERT INTO span VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    log: db.prepare('INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    resource: db.prepare('INSERT OR IGNORE INTO resource (json) VALUES (?)'),
    resourceId: db.prepare('SELECT id FROM resource WHERE json = ?'),
    traceGone: db.prepare('DELETE FROM span WHERE trace = ?'),
    logGone: db.prepare('DELETE FROM log WHERE seq = ?'),
  };
}
