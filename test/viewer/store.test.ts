import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Hub } from '../../viewer/hub.ts';
import { FairQueue } from '../../viewer/store/fair-queue.ts';
import { log, span } from './viewer-client.ts';

const MB = 1024 * 1024;

describe('a chatty service', () => {
  it('does not push out a quiet one, however much it sends', () => {
    const hub = new Hub({ memoryBytes: 2 * MB });
    for (let i = 0; i < 20; i++) hub.addSpans([span({ service: 'quiet', name: `rare ${i}` })]);
    // In batches as the SDK sends them, fifty times what there is room for.
    let sent = 0;
    for (; sent < 120_000; sent += 500) {
      hub.addSpans(Array.from({ length: 500 }, () => span({ service: 'chatty', kind: 'server', name: 'GET /' })));
    }
    const quiet = [...hub.traces.newest()].filter((trace) => trace.services.has('quiet'));
    assert.equal(quiet.length, 20);
    const { usedBytes, maxBytes, spans } = hub.storage();
    assert.ok(usedBytes <= maxBytes, `${usedBytes} of ${maxBytes}`);
    const dropped = hub.dropped();
    assert.equal(dropped.evictedSpans, sent + 20 - spans);
    assert.equal(dropped.evictedTraces, dropped.evictedSpans);
    assert.deepEqual(dropped.byService, [{ service: 'chatty', spans: dropped.evictedSpans, logs: 0 }]);
  });

  it('does not push out the traces in which a quiet one takes part', () => {
    const hub = new Hub({ memoryBytes: MB });
    const shared = Array.from({ length: 30 }, () => span({ service: 'gateway' }));
    for (const root of shared) {
      hub.addSpans([root]);
      hub.addSpans([span({ service: 'payments', traceId: root.traceId, parentSpanId: root.spanId })]);
    }
    for (let i = 0; i < 20_000; i++) hub.addSpans([span({ service: 'gateway' })]);
    assert.ok(hub.dropped().evictedTraces > 15_000);
    for (const { traceId } of shared) assert.equal(hub.traces.get(traceId)?.spans.length, 2);
  });

  it('loses its own log lines first', () => {
    const hub = new Hub({ memoryBytes: MB });
    hub.addLogs([log({ service: 'quiet', body: 'one' })]);
    for (let i = 0; i < 5_000; i++) hub.addLogs([log({ service: 'chatty' })]);
    const services = new Set([...hub.logs.newest()].map((line) => line.service));
    assert.deepEqual([...services], ['chatty', 'quiet']);
    assert.equal(hub.dropped().evictedLogs, 5_001 - hub.logs.size);
    assert.ok(hub.dropped().evictedLogs > 0);
  });

  it('shares the room with others that are as chatty', () => {
    const hub = new Hub({ memoryBytes: MB });
    for (let i = 0; i < 6_000; i++) hub.addSpans(['a', 'b', 'c'].map((service) => span({ service })));
    const counts = new Map<string, number>();
    for (const trace of hub.traces.newest()) counts.set(trace.lane, (counts.get(trace.lane) ?? 0) + 1);
    const [low, high] = [Math.min(...counts.values()), Math.max(...counts.values())];
    assert.equal(counts.size, 3);
    assert.ok(high - low < 0.1 * high, JSON.stringify([...counts]));
  });
});

describe('eviction', () => {
  it('takes whole traces, the oldest first', () => {
    const hub = new Hub({ memoryBytes: MB });
    const ids: string[] = [];
    for (let i = 0; i < 3_000; i++) {
      const root = span();
      ids.push(root.traceId);
      hub.addSpans([root, span({ traceId: root.traceId }), span({ traceId: root.traceId })]);
    }
    const kept = ids.filter((id) => hub.traces.get(id));
    assert.ok(kept.length > 100 && kept.length < 3_000);
    assert.deepEqual(kept, ids.slice(-kept.length));
    assert.ok(kept.every((id) => hub.traces.get(id)!.spans.length === 3));
  });

  it('does not let late spans come back as fragments of an evicted trace', () => {
    const hub = new Hub({ memoryBytes: MB });
    const first = span({ service: 'late' });
    hub.addSpans([first]);
    for (let i = 0; i < 5_000; i++) hub.addSpans([span({ service: 'late' })]);
    hub.addSpans([span({ traceId: first.traceId, service: 'late' })]);
    assert.equal(hub.traces.get(first.traceId), undefined);
    assert.equal(hub.dropped().lateSpans, 1);
  });

  it('stops a trace that never ends at half of the room', () => {
    const hub = new Hub({ memoryBytes: MB });
    const other = span();
    hub.addSpans([other]);
    const traceId = 'a'.repeat(32);
    for (let i = 0; i < 5_000; i++) hub.addSpans([span({ traceId })]);
    const endless = hub.traces.get(traceId)!;
    assert.equal(endless.dropped, hub.dropped().oversizedSpans);
    assert.equal(endless.spans.length + endless.dropped, 5_000);
    assert.ok(endless.dropped > 0);
    assert.ok(hub.traces.get(other.traceId));
  });

  it('forgets everything on clear', () => {
    const hub = new Hub({ memoryBytes: MB });
    for (let i = 0; i < 4_000; i++) hub.addSpans([span()]);
    hub.addLogs([log()]);
    hub.clear();
    assert.equal(hub.droppedTotal, 0);
    assert.equal(hub.storage().usedBytes, 0);
    assert.equal([...hub.traces.newest()].length, 0);
    hub.addSpans([span()]);
    assert.equal(hub.storage().traces, 1);
  });
});

describe('the limit in bytes', () => {
  it('is what the heap grows by, for spans and logs of every form', () => {
    // In a process of its own: its heap holds nothing else.
    const script = join(import.meta.dirname, 'heap-of-store.ts');
    const { used, heap } = JSON.parse(execFileSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' }));
    assert.ok(used > 40 * MB, `${used} accounted`);
    assert.ok(heap <= 64 * MB, `${heap} bytes of heap for ${used} accounted, of 64 MiB`);
    assert.ok(heap <= used * 1.1, `${heap} bytes of heap for ${used} accounted`);
  });
});

describe('FairQueue', () => {
  it('takes from the fullest lane, down to the next one', () => {
    const queue = new FairQueue<{ bytes: number }>(1000);
    for (let i = 0; i < 90; i++) queue.add('big', { bytes: 10 });
    for (let i = 0; i < 20; i++) queue.add('small', { bytes: 10 });
    const gone: string[] = [];
    queue.trim((_, lane) => gone.push(lane));
    assert.ok(queue.bytes <= 1000);
    assert.deepEqual([...new Set(gone)], ['big']);
    assert.equal(queue.usage('small'), 200);
  });
});
