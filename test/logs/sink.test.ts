import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { LogItem, Report, Sink, SinkSettings } from '../../instrumentation/export/sink.ts';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { freePort } from '../support/free-port.ts';
import { IDS } from './harness.ts';

// As in the environment that the export thread is given; it must stand before the transport is loaded.
process.env.OTEL_NODE_RESOURCE_DETECTORS = 'none';
const { createLogSink } = await import('../../instrumentation/export/worker-logs.ts');

type Result = Parameters<Report>[0];

const IDS_JSON = `"trace_id":"${IDS.trace_id}","span_id":"${IDS.span_id}","trace_flags":"01","correlation_id":"c-1"`;
let viewer: TestViewer;

before(async () => {
  viewer = await startViewer();
});
after(() => viewer.close());
afterEach(() => {
  viewer.respond(undefined);
  viewer.clear();
});

type Options = Partial<Omit<SinkSettings, 'target'>> & { target?: Partial<SinkSettings['target']> };

function open({ target, ...options }: Options = {}) {
  const results: Result[] = [];
  const sink = createLogSink(
    {
      target: {
        url: `${viewer.url}/v1/logs`,
        headers: {},
        timeoutMs: 5_000,
        compression: 'gzip',
        protocol: 'http/json',
        ...target,
      },
      resource: { 'service.name': 'shop' },
      queueSize: 2048,
      batchSize: 512,
      delayMs: 60_000,
      certificates: { ca: '', key: '', cert: '' },
      redactKeys: [],
      ...options,
    },
    (result) => void results.push(result),
  );
  return { sink, results };
}

function item(line: string, more: Partial<LogItem> = {}): LogItem {
  return { line, level: 30, time: Date.now(), messageKey: 'msg', ...more };
}

function many(count: number, from = 0): LogItem[] {
  return Array.from({ length: count }, (_, i) => item(`{"level":30,"n":${from + i},"msg":"line ${from + i}"}\n`));
}

function total(results: readonly Result[]) {
  const sum = (pick: (result: Result) => number) => results.reduce((all, result) => all + pick(result), 0);
  return { exported: sum((result) => result.exported), dropped: sum((result) => result.dropped) };
}

/** What one line becomes at the receiver. */
async function received(line: string, more: Partial<LogItem> = {}, options?: Options) {
  const { sink } = open(options);
  sink.write([item(line, more)]);
  await sink.flush(5_000);
  const [record] = viewer.logs();
  return { ...record, attributes: { ...record.attributes }, resource: { ...record.resource } };
}

describe('a line becomes a record', () => {
  for (const protocol of ['http/json', 'http/protobuf'] as const) {
    for (const compression of ['gzip', 'none'] as const) {
      test(`${protocol}, ${compression}`, async () => {
        const time = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
        const line = `{"level":30,"time":1,${IDS_JSON},"pid":1,"hostname":"h","order":{"id":17,"items":["a"]},"paid":true,"msg":"sold"}\n`;
        const record = await received(line, { time }, { target: { protocol, compression } });
        assert.equal(record.body, 'sold');
        assert.equal(record.timeNs, BigInt(time) * 1_000_000n);
        assert.deepEqual([record.severityNumber, record.severityText], [9, 'info']);
        assert.deepEqual([record.traceId, record.spanId, record.flags], [IDS.trace_id, IDS.span_id, 1]);
        assert.deepEqual(JSON.parse(JSON.stringify(record.attributes)), {
          correlation_id: 'c-1',
          order: { id: 17, items: ['a'] },
          paid: true,
        });
        assert.deepEqual(record.resource, { 'service.name': 'shop' });
        assert.equal(record.scope.name, 'o11y-kit');
      });
    }
  }

  const LEVELS: [level: number, severity: number, text: string][] = [
    [10, 1, 'trace'],
    [20, 5, 'debug'],
    [25, 7, 'debug'],
    [30, 9, 'info'],
    [35, 11, 'info'],
    [40, 13, 'warn'],
    [50, 17, 'error'],
    [60, 21, 'fatal'],
    [5, 1, 'trace'],
    [1000, 24, 'fatal'],
  ];
  for (const [level, severity, text] of LEVELS) {
    test(`level ${level} is severity ${severity}, ${text}`, async () => {
      const record = await received('{"level":"whatever","msg":"x"}', { level });
      assert.deepEqual([record.severityNumber, record.severityText], [severity, text]);
    });
  }

  test('the message may stand under any key; a field `msg` is then kept under another name', async () => {
    const record = await received('{"message":"sold","msg":"field"}', { messageKey: 'message' });
    assert.deepEqual([record.body, record.attributes], ['sold', { 'field.msg': 'field' }]);
  });

  test('a line without a message has fields alone', async () => {
    const record = await received('{"a":1}');
    assert.deepEqual([record.body, record.attributes], [null, { a: 1 }]);
  });

  for (const line of ['{"level":30,,"msg"', 'plain text', '[1,2]', '"text"', 'null', '']) {
    test(`no JSON object, so it is the body: ${line}`, async () => assert.equal((await received(line)).body, line));
  }

  const BAD: [name: string, ids: string, attributes: object][] = [
    [
      'no hex',
      '"trace_id":"mine","span_id":"own","trace_flags":"01"',
      { 'original.trace_id': 'mine', 'original.span_id': 'own', 'original.trace_flags': '01' },
    ],
    [
      'all zeros',
      `"trace_id":"${'0'.repeat(32)}","span_id":"${IDS.span_id}"`,
      { 'original.trace_id': '0'.repeat(32), 'original.span_id': IDS.span_id },
    ],
    [
      'upper case',
      `"trace_id":"${IDS.trace_id.toUpperCase()}","span_id":"${IDS.span_id}"`,
      { 'original.trace_id': IDS.trace_id.toUpperCase(), 'original.span_id': IDS.span_id },
    ],
    ['a number', '"trace_id":7', { 'original.trace_id': 7 }],
    ['a trace id alone', `"trace_id":"${IDS.trace_id}"`, { 'original.trace_id': IDS.trace_id }],
  ];
  for (const [name, ids, attributes] of BAD) {
    test(`ids that are none are attributes, and spoil no batch: ${name}`, async () => {
      const { sink, results } = open();
      sink.write([item(`{${ids},"msg":"bad"}`), item('{"msg":"good"}')]);
      await sink.flush(5_000);
      assert.deepEqual(total(results), { exported: 2, dropped: 0 });
      const [bad] = viewer.logs();
      assert.deepEqual([bad.traceId, { ...bad.attributes }], ['', attributes]);
    });
  }

  test("ids of another library, without flags, are the record's; flags may be a number", async () => {
    const ids = `"trace_id":"${IDS.trace_id}","span_id":"${IDS.span_id}"`;
    assert.deepEqual([(await received(`{${ids}}`)).traceId, viewer.logs()[0].flags], [IDS.trace_id, 0]);
    viewer.clear();
    assert.equal((await received(`{${ids},"trace_flags":1}`)).flags, 1);
  });

  test('secrets do not leave: built-in keys and further ones', async () => {
    const line = '{"password":"p1","user":{"ssn":"p2"},"url":"/?token=p3","msg":"Bearer p4p4p4p4"}';
    const record = await received(line, {}, { redactKeys: ['ssn'] });
    assert.doesNotMatch(JSON.stringify(record.attributes) + record.body, /p[1-4]/);
    assert.equal(record.attributes.password, '[redacted]');
  });

  test('headers of the settings are sent', async () => {
    let headers: Record<string, unknown> = {};
    viewer.respond((request) => {
      headers = request.headers;
      return undefined;
    });
    await received('{"msg":"x"}', {}, { target: { headers: { 'x-tenant': 'shop' } } });
    assert.equal(headers['x-tenant'], 'shop');
    assert.equal(headers['content-encoding'], 'gzip');
  });
});

describe('every record is accounted for', () => {
  test('batches are full, in order, and the rest goes with the flush', async () => {
    const { sink, results } = open({ batchSize: 100, queueSize: 10_000 });
    for (let i = 0; i < 25; i++) sink.write(many(42, i * 42));
    await sink.flush(10_000);
    assert.deepEqual(total(results), { exported: 1050, dropped: 0 });
    assert.deepEqual(
      results.map(({ exported }) => exported),
      [...Array(10).fill(100), 50],
    );
    assert.deepEqual(
      viewer.logs().map(({ body }) => body),
      many(1050).map((_, i) => `line ${i}`),
    );
  });

  test('a record leaves by itself after the delay', async () => {
    const { sink } = open({ delayMs: 20 });
    sink.write(many(1));
    await viewer.waitForLogs(1);
  });

  test('long lines are sent in smaller batches', async () => {
    const { sink, results } = open();
    const text = 'x'.repeat(60_000);
    sink.write(Array.from({ length: 100 }, () => item(`{"msg":"${text}"}`)));
    await sink.flush(10_000);
    assert.deepEqual(total(results), { exported: 100, dropped: 0 });
    assert.ok(results.length >= 3 && results.every(({ exported }) => exported <= 35), JSON.stringify(results));
  });

  test('what does not fit is dropped as queue_full, at once; the rest arrives', async () => {
    const { sink, results } = open({ queueSize: 300, batchSize: 100 });
    sink.write(many(1000));
    assert.deepEqual(results, [{ exported: 0, dropped: 700, reason: 'queue_full', error: undefined, seconds: 0 }]);
    await sink.flush(5_000);
    assert.deepEqual(total(results), { exported: 300, dropped: 700 });
    assert.equal(viewer.logs().length, 300);
  });

  test('refused for good (400): rejected, with the status, and what comes later arrives', async () => {
    viewer.respond({ status: 400, body: 'no' });
    const { sink, results } = open();
    sink.write(many(10));
    await sink.flush(5_000);
    assert.deepEqual([total(results), results[0].reason], [{ exported: 0, dropped: 10 }, 'rejected']);
    assert.ok(results[0].error);
    viewer.respond(undefined);
    sink.write(many(5));
    await sink.flush(5_000);
    assert.deepEqual(total(results), { exported: 5, dropped: 10 });
  });

  test('partly refused: the refused are counted, with what the backend says', async () => {
    const body = JSON.stringify({ partialSuccess: { rejectedLogRecords: '3', errorMessage: 'too old' } });
    viewer.respond({ status: 200, headers: { 'content-type': 'application/json' }, body });
    const { sink, results } = open();
    sink.write(many(10));
    await sink.flush(5_000);
    const [{ seconds, ...result }] = results;
    assert.deepEqual(result, { exported: 7, dropped: 3, reason: 'rejected', error: 'too old' });
    viewer.respond(undefined);
    sink.write(many(10));
    await sink.flush(5_000);
    assert.deepEqual(total(results), { exported: 17, dropped: 3 });
  });

  test('busy (503 with Retry-After), then well: sent again, nothing lost, nothing twice', async () => {
    let busy = 1;
    viewer.respond(() => (busy-- > 0 ? { status: 503, headers: { 'retry-after': '0' } } : undefined));
    const { sink, results } = open();
    sink.write(many(10));
    await sink.flush(5_000);
    assert.deepEqual([total(results), viewer.logs().length], [{ exported: 10, dropped: 0 }, 10]);
  });

  test('an answer that is no OTLP is an answer', async () => {
    viewer.respond({ status: 200, body: '<html>' });
    const { sink, results } = open();
    sink.write(many(3));
    await sink.flush(5_000);
    assert.deepEqual(total(results), { exported: 3, dropped: 0 });
  });

  for (const [name, fault] of [
    ['hangs', { hang: true }],
    ['breaks the connection', { reset: true }],
  ] as const) {
    test(`a backend that ${name}: dropped as export_failed when the time is over`, async () => {
      viewer.respond(fault);
      const { sink, results } = open({ target: { timeoutMs: 300 } });
      sink.write(many(10));
      await sink.flush(10_000);
      assert.deepEqual([total(results), results[0].reason], [{ exported: 0, dropped: 10 }, 'export_failed']);
    });
  }

  test('nobody listens: dropped as export_failed with the reason', async () => {
    const { sink, results } = open({ target: { url: `http://127.0.0.1:${await freePort()}/v1/logs`, timeoutMs: 300 } });
    sink.write(many(10));
    await sink.flush(10_000);
    assert.deepEqual(total(results), { exported: 0, dropped: 10 });
    assert.match(String(results[0].error), /ECONNREFUSED/);
  });

  test('a flush ends at its bound, though nothing is settled', async () => {
    viewer.respond({ hang: true });
    const { sink, results } = open({ target: { timeoutMs: 3_000 } });
    sink.write(many(10));
    await sink.flush(50);
    assert.deepEqual(results, []);
    await sink.flush(10_000);
    assert.deepEqual(total(results), { exported: 0, dropped: 10 });
  });

  test('a flush of nothing is done', async () => {
    await open().sink.flush(0);
  });

  test('through good and bad times: exported and dropped are what was written, and exported is what arrived', async () => {
    let number = 0;
    viewer.respond(
      () =>
        [undefined, { status: 400 }, undefined, { reset: true }, { status: 429, headers: { 'retry-after': '60' } }][number++ % 5],
    );
    const { sink, results } = open({ target: { timeoutMs: 400 }, batchSize: 50, queueSize: 400 });
    let written = 0;
    for (let i = 0; i < 12; i++) {
      const items = many(37 + i, written);
      written += items.length;
      sink.write(items);
      if (i % 4 === 3) await sink.flush(10_000);
    }
    await sink.flush(20_000);
    const { exported, dropped } = total(results);
    assert.equal(exported + dropped, written);
    assert.equal(viewer.logs().length, exported);
    assert.ok(exported > 0 && dropped > 0);
  });
});

test('two sinks in one thread do not mix their records', async () => {
  const sinks: Sink<LogItem>[] = ['one', 'two'].map((name) => open({ resource: { 'service.name': name } }).sink);
  for (const [index, sink] of sinks.entries()) sink.write([item(`{"msg":"${index}"}`)]);
  await Promise.all(sinks.map((sink) => sink.flush(5_000)));
  assert.deepEqual(
    viewer
      .logs()
      .map(({ body, service }) => `${service} ${body}`)
      .sort(),
    ['one 0', 'two 1'],
  );
});
