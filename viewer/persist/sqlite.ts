import type { DatabaseSync } from 'node:sqlite';

/** `--db` was asked for and cannot be had; the message says why. */
export class DatabaseError extends Error {}

/** Marks a file as ours: "o11y". */
const APPLICATION_ID = 0x6f313179;
const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE span (
    trace TEXT NOT NULL, span TEXT NOT NULL, parent TEXT NOT NULL, name TEXT NOT NULL, service TEXT NOT NULL,
    kind INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, flags INTEGER NOT NULL,
    details TEXT NOT NULL, resource INTEGER NOT NULL REFERENCES resource (id)
  );
  CREATE INDEX span_trace ON span (trace);
  CREATE TABLE resource (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
  CREATE TABLE log (
    seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, severity INTEGER NOT NULL, level TEXT NOT NULL,
    service TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL, trace TEXT NOT NULL, span TEXT NOT NULL,
    correlation TEXT NOT NULL, scope TEXT NOT NULL
  );
`;

/**
 * Opens or makes a database file.
 *
 * @throws {DatabaseError} where Node has no SQLite, or the file is something else or in use
 */
export async function openDatabase(file: string): Promise<DatabaseSync> {
  const { DatabaseSync } = await sqlite();
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file);
    // One process at a time: two viewers would each evict what the other has.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    prepare(db, file);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof DatabaseError) throw error;
    const { message } = error as Error;
    const hint = message.includes('locked') ? 'another viewer uses it' : message;
    throw new DatabaseError(`--db ${file}: ${hint}`);
  }
}

function prepare(db: DatabaseSync, file: string): void {
  const pragma = (name: string) => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  const tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number };
  if (tables.n === 0) {
    db.exec(`BEGIN; ${SCHEMA}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  } else if (pragma('application_id') !== APPLICATION_ID) {
    throw new DatabaseError(`--db ${file}: this is a database of something else; give the name of a new file`);
  } else if (pragma('user_version') !== SCHEMA_VERSION) {
    throw new DatabaseError(`--db ${file}: written by another version of the viewer; give the name of a new file`);
  }
}

async function sqlite(): Promise<typeof import('node:sqlite')> {
  // Node says on every start that its SQLite is experimental; who uses the viewer can do nothing about it.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return await import('node:sqlite');
  } catch {
    throw new DatabaseError(`--db needs Node 22.13 or later, which brings SQLite; this is Node ${process.versions.node}`);
  } finally {
    process.emitWarning = emitWarning;
  }
}
