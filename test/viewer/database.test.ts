import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import type { LogList, SpanView, TraceList, TraceView } from '../../viewer/api-types.ts';
import { startViewerServer, type Viewer, type ViewerOptions } from '../../viewer/viewer.ts';
import { api, log, postJson, span } from './viewer-client.ts';

const TRACE = 'a'.repeat(32);
const SPAN = 'b'.repeat(16);

function file(): string {
  return join(mkdtempSync(join(tmpdir(), 'viewer-db-')), 'viewer.db');
}

function start(database: string, options: Partial<ViewerOptions> = {}): Promise<Viewer> {
  return startViewerServer({ port: 0, version: '0', database, ...options });
}

describe('a database file', () => {
  it('gives everything back after a restart', async () => {
    const database = file();
    const first = await start(database);
    first.hub.addSpans([
      span({
        traceId: TRACE,
        spanId: SPAN,
        kind: 'server',
        name: 'GET /a',
        startMs: 1_700_000_000_000.123,
        durationMs: 12.345,
        error: 'declined',
        service: 'shop',
        resource: { 'service.name': 'shop', 'service.version': '7' },
        attributes: { 'correlation.id': 'c', 'http.response.status_code': 500 },
        events: [{ timeNs: 1_700_000_000_001_000_001n, name: 'exception', attributes: { stack: 'x' } }],
        links: [{ traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceState: '', flags: 0, attributes: {} }],
        traceState: 'v=1',
      }),
      span({ traceId: TRACE, parentSpanId: SPAN }),
    ]);
    first.hub.addLogs([
      log({ traceId: TRACE, spanId: SPAN, body: { a: 1 }, attributes: { correlation_id: 'c' }, severityNumber: 17 }),
      log({ body: 'second' }),
    ]);
    const look = async ({ url }: Viewer) => ({
      traces: await api<TraceList>(url, 'traces'),
      trace: await api<TraceView>(url, `trace?id=${TRACE}`),
      span: await api<SpanView>(url, `span?trace=${TRACE}&span=${SPAN}`),
      logs: await api<LogList>(url, 'logs'),
    });
    const before = await look(first);
    await first.close();

    const second = await start(database);
    assert.deepEqual(await look(second), before);
    // What comes later is numbered on, and kept too.
    second.hub.addLogs([log({ body: 'third' })]);
    const newer = await api<LogList>(second.url, `logs?after=${before.logs.newest}`);
    assert.deepEqual(
      newer.logs.map(({ body }) => body),
      ['third'],
    );
    await second.close();

    const third = await start(database);
    assert.equal(third.hub.logs.size, 3);
    await third.close();
  });

  it('holds no more than the memory does, and nothing after a clear', async () => {
    const database = file();
    const viewer = await start(database, { memoryBytes: 1024 * 1024 });
    for (let i = 0; i < 3_000; i++) {
      viewer.hub.addSpans([span()]);
      viewer.hub.addLogs([log()]);
    }
    const { traces, logs } = viewer.hub.storage();
    await viewer.close();
    const count = (table: string) => {
      const db = new DatabaseSync(database);
      const { n } = db.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number };
      db.close();
      return n;
    };
    assert.ok(traces < 3_000);
    assert.deepEqual([count('span'), count('log')], [traces, logs]);

    const smaller = await start(database, { memoryBytes: 512 * 1024 });
    const left = smaller.hub.storage();
    assert.ok(left.traces < traces);
    await smaller.close();
    assert.deepEqual([count('span'), count('log')], [left.traces, left.logs]);

    const cleared = await start(database);
    assert.equal((await postJson(`${cleared.url}/api/clear`, '{}')).status, 204);
    cleared.hub.addSpans([span()]);
    await cleared.close();
    assert.deepEqual([count('span'), count('log')], [1, 0]);
  });

  it('that another viewer uses, or that is something else, is refused with its name', async () => {
    const database = file();
    const viewer = await start(database);
    await assert.rejects(start(database), /viewer\.db: another viewer uses it/);
    await viewer.close();

    const foreign = file();
    const db = new DatabaseSync(foreign);
    db.exec('CREATE TABLE mine (x)');
    db.close();
    await assert.rejects(start(foreign), /this is a database of something else/);

    const text = file();
    writeFileSync(text, 'my diary, which is no database at all '.repeat(100));
    await assert.rejects(start(text), /viewer\.db: .*not a database/);
  });
});
