import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MARK, type TraceView } from '../../viewer/api-types.ts';
import { Hub } from '../../viewer/hub.ts';
import type { Span } from '../../viewer/model.ts';
import { viewSpan, viewTrace } from '../../viewer/query/trace.ts';
import { log, span } from './viewer-client.ts';

const TRACE = 'a'.repeat(32);
const id = (n: number) => n.toString(16).padStart(16, '0');
const NOW = Date.now();

function view(...spans: Partial<Span & { startMs: number }>[]): TraceView {
  const hub = new Hub();
  hub.addSpans(spans.map((one) => span({ traceId: TRACE, startMs: NOW, ...one })));
  return viewTrace(hub.traces, hub.logs, TRACE)!;
}

/** Each row as its name behind its depth. */
function outline({ rows, names }: TraceView): string[] {
  return rows.id.map((_, row) => `${'-'.repeat(rows.depth[row])}${names[rows.name[row]]}`);
}

describe('a waterfall', () => {
  it('has parents before children, and these by their start', () => {
    const trace = view(
      { spanId: id(3), parentSpanId: id(1), name: 'late', startMs: NOW + 3 },
      { spanId: id(4), parentSpanId: id(2), name: 'deep', startMs: NOW + 2 },
      { spanId: id(2), parentSpanId: id(1), name: 'early', startMs: NOW + 1 },
      { spanId: id(1), name: 'root' },
    );
    assert.deepEqual(outline(trace), ['root', '-early', '--deep', '-late']);
    assert.deepEqual(trace.rows.parent, [-1, 0, 1, 0]);
    assert.deepEqual(trace.rows.below, [3, 1, 0, 0]);
    assert.deepEqual(trace.rows.startUs, [0, 1000, 2000, 3000]);
    assert.equal(trace.summary.name, 'root');
  });

  it('puts spans whose parent is missing below a row for it', () => {
    const trace = view(
      { spanId: id(1), name: 'root' },
      { spanId: id(5), parentSpanId: id(9), name: 'orphan', startMs: NOW + 1 },
      { spanId: id(6), parentSpanId: id(9), name: 'sibling', startMs: NOW + 9 },
    );
    assert.deepEqual(outline(trace), ['root', '', '-orphan', '-sibling']);
    assert.deepEqual(trace.rows.id, [id(1), id(9), id(5), id(6)]);
    assert.deepEqual(trace.rows.mark, [0, MARK.missing, 0, 0]);
    assert.equal(trace.rows.startUs[1], 1000);
    assert.equal(trace.rows.durationUs[1], 13_000);
  });

  it('marks children outside of their parent, errors, exceptions and links', () => {
    const trace = view(
      { spanId: id(1), name: 'root', durationMs: 10 },
      { spanId: id(2), parentSpanId: id(1), durationMs: 50 },
      { spanId: id(3), parentSpanId: id(1), startMs: NOW - 5 },
      { spanId: id(4), parentSpanId: id(1), status: { code: 'error', message: '' }, startMs: NOW + 1 },
      {
        spanId: id(5),
        parentSpanId: id(1),
        startMs: NOW + 2,
        events: [{ timeNs: 0n, name: 'exception', attributes: {} }],
        links: [{ traceId: TRACE, spanId: id(1), traceState: '', flags: 0, attributes: {} }],
      },
    );
    const marks = Object.fromEntries(trace.rows.id.map((one, row) => [one, trace.rows.mark[row]]));
    assert.deepEqual(marks, {
      [id(1)]: 0,
      [id(2)]: MARK.outside,
      [id(3)]: MARK.outside,
      [id(4)]: MARK.error,
      [id(5)]: MARK.exception | MARK.links,
    });
  });

  it('cuts a circle of ancestors, and says where', () => {
    const trace = view(
      { spanId: id(1), parentSpanId: id(3), name: 'one' },
      { spanId: id(2), parentSpanId: id(1), name: 'two' },
      { spanId: id(3), parentSpanId: id(2), name: 'three' },
      { spanId: id(4), parentSpanId: id(4), name: 'itself' },
    );
    assert.equal(trace.rows.id.length, 4);
    assert.equal(trace.rows.mark.filter((mark) => mark & MARK.cycle).length, 2);
    assert.equal(trace.rows.parent.filter((parent) => parent === -1).length, 2);
  });

  it('shows both spans of one id', () => {
    const trace = view({ spanId: id(1), name: 'first' }, { spanId: id(1), name: 'second', startMs: NOW + 1 });
    assert.deepEqual(outline(trace), ['first', 'second']);
    assert.deepEqual(trace.rows.mark, [MARK.duplicate, MARK.duplicate]);
  });

  it('counts the log lines of each span', () => {
    const hub = new Hub();
    hub.addSpans([span({ traceId: TRACE, spanId: id(1) })]);
    hub.addLogs([log({ traceId: TRACE, spanId: id(1), body: 'a' }), log({ traceId: TRACE, spanId: id(1), body: 'b' })]);
    const trace = viewTrace(hub.traces, hub.logs, TRACE)!;
    assert.deepEqual(trace.rows.logs, [2]);
    assert.equal(trace.summary.logs, 2);
    const details = viewSpan(hub.traces, hub.logs, TRACE, id(1));
    assert.deepEqual(
      details?.logs.map((line) => line.body),
      ['a', 'b'],
    );
  });

  it('is a tree with every span once, whatever ids and parents the spans have', () => {
    const small = fc.integer({ min: 0, max: 12 });
    const arbitrary = fc.array(fc.record({ own: small, parent: small, start: small, duration: small }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(arbitrary, (all) => {
        const trace = view(
          ...all.map(({ own, parent, start, duration }, n) => ({
            spanId: id(own + 1),
            parentSpanId: parent === 0 ? '' : id(parent),
            name: `span ${n}`,
            startMs: NOW + start,
            durationMs: duration,
          })),
        );
        const { rows, names } = trace;
        const shown = rows.id.map((_, row) => names[rows.name[row]]).filter((name) => name !== '');
        assert.deepEqual(shown.toSorted(), all.map((_, n) => `span ${n}`).toSorted());
        for (let row = 0; row < rows.id.length; row++) {
          const parent = rows.parent[row];
          assert.ok(parent < row);
          assert.equal(rows.depth[row], parent === -1 ? 0 : rows.depth[parent] + 1);
          if (parent !== -1) assert.ok(row <= parent + rows.below[parent], 'a child stands within its parent');
        }
        const roots = rows.parent.map((parent, row) => (parent === -1 ? rows.below[row] + 1 : 0));
        assert.equal(
          roots.reduce((sum, n) => sum + n, 0),
          rows.id.length,
        );
      }),
      { numRuns: 300 },
    );
  });

  it('of ten thousand spans below each other needs no stack', () => {
    const hub = new Hub();
    const chain = Array.from({ length: 10_000 }, (_, n) =>
      span({ traceId: TRACE, spanId: id(n + 1), parentSpanId: n === 0 ? '' : id(n), name: 'level' }),
    );
    hub.addSpans(chain);
    const trace = viewTrace(hub.traces, hub.logs, TRACE)!;
    assert.equal(trace.rows.depth.at(-1), 9_999);
    assert.equal(trace.rows.below[0], 9_999);
  });
});

describe('a span at rest', () => {
  it('gives back every attribute, also those that JSON cannot say and hostile keys', () => {
    const hub = new Hub();
    const attributes: Span['attributes'] = Object.fromEntries([
      ['big', 2n ** 60n],
      ['nan', Number.NaN],
      ['bytes', new Uint8Array([1, 2])],
      ['list', [1n, 'x']],
      ['__proto__', 'own'],
    ]);
    hub.addSpans([
      span({
        traceId: TRACE,
        spanId: id(1),
        attributes,
        events: [{ timeNs: BigInt(NOW + 1) * 1_000_000n, name: '<script>', attributes: { a: 1 } }],
        resource: { 'service.version': '1.2.3' },
        startMs: NOW,
      }),
    ]);
    const details = viewSpan(hub.traces, hub.logs, TRACE, id(1))!;
    assert.deepEqual(
      new Map(Object.entries(details.attributes)),
      new Map<string, unknown>([
        ['big', String(2n ** 60n)],
        ['nan', 'NaN'],
        ['bytes', 'AQI='],
        ['list', ['1', 'x']],
        ['__proto__', 'own'],
      ]),
    );
    assert.deepEqual(details.events, [{ offsetUs: 1000, name: '<script>', attributes: { a: 1 } }]);
    assert.deepEqual(details.resource, { 'service.version': '1.2.3' });
    assert.equal(details.startNs, String(BigInt(NOW) * 1_000_000n));
  });
});
