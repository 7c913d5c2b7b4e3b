import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { freePort } from '../support/free-port.ts';
import { type Options, openSink, runOf, total } from './trace-sink.ts';

let viewer: TestViewer;
before(async () => {
  viewer = await startViewer();
});
after(() => viewer.close());
afterEach(() => {
  viewer.respond(undefined);
  viewer.clear();
});

const open = (options?: Options) => openSink(viewer, options);

const PROTOCOLS = ['http/json', 'http/protobuf'] as const;

for (const protocol of PROTOCOLS) {
  for (const compression of ['gzip', 'none'] as const) {
    test(`a span arrives as it was: ${protocol}, ${compression}`, async () => {
      const requests: { headers: Record<string, unknown>; encoding: string }[] = [];
      viewer.respond(({ headers, encoding }) => {
        requests.push({ headers, encoding });
        return undefined;
      });
      const { sink, outcomes } = open({ target: { protocol, compression, headers: { 'x-tenant': 'shop' } } });
      sink.write([
        runOf(1, {
          name: 'GET /a',
          parentSpanId: 'b7ad6b7169203331',
          parentIsRemote: true,
          traceState: 'a=1',
          statusCode: 2,
          statusMessage: 'no',
          attributes: { text: 'ä"\n', whole: 7, part: 0.5, yes: true, list: ['a', 'b'] },
          events: [{ name: 'exception', time: [1_800_000_000, 7], attributes: { a: 1 } }],
          links: [{ context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }, attributes: { b: 2 } }],
          droppedAttributes: 3,
        }),
        runOf(1, { scope: 'another', scopeVersion: undefined }),
      ]);
      await sink.flush(5000);
      assert.deepEqual(total(outcomes), { exported: 2, dropped: 0 });
      const [first, second] = viewer.spans();
      assert.deepEqual(
        [first.name, first.kind, first.parentSpanId, first.traceState, first.status],
        ['GET /a', 'server', 'b7ad6b7169203331', 'a=1', { code: 'error', message: 'no' }],
      );
      assert.deepEqual({ ...first.attributes }, { text: 'ä"\n', whole: 7, part: 0.5, yes: true, list: ['a', 'b'] });
      assert.deepEqual([first.startNs, first.endNs], [1_800_000_000_000_000_001n, 1_800_000_001_000_000_002n]);
      assert.deepEqual([first.events.length, first.links.length, first.dropped.attributes], [1, 1, 3]);
      assert.deepEqual({ ...first.resource }, { 'service.name': 'shop', 'service.version': '1.2.3' });
      assert.deepEqual([first.scope.name, second.scope.name], ['o11y-kit', 'another']);
      assert.equal(requests.length, 1);
      const [{ headers, encoding }] = requests;
      assert.equal(encoding, protocol === 'http/json' ? 'json' : 'protobuf');
      assert.equal(headers['content-encoding'], compression === 'gzip' ? 'gzip' : undefined);
      assert.equal(headers['x-tenant'], 'shop');
    });
  }

  describe(`every span is accounted for: ${protocol}`, () => {
    const one = (options: Options = {}) => open({ ...options, target: { protocol, ...options.target } });

    test('batches hold no more than they may', async () => {
      const { sink, outcomes } = one({ batchSize: 100 });
      sink.write(Array.from({ length: 25 }, () => runOf(42)));
      await sink.flush(10_000);
      assert.deepEqual(total(outcomes), { exported: 1050, dropped: 0 });
      assert.ok(outcomes.every(({ exported }) => exported <= 100));
      assert.equal(viewer.spans().length, 1050);
    });

    test('a span leaves by itself after the delay', async () => {
      one({ delayMs: 20 }).sink.write([runOf(1)]);
      await viewer.waitForSpans(1);
    });

    test('refused for good (400): rejected, at once, with what the backend says; what comes later arrives', async () => {
      viewer.respond({ status: 400, body: '{"message":"no such tenant"}' });
      const { sink, outcomes } = one();
      const before = viewer.requests;
      sink.write([runOf(10)]);
      await sink.flush(5000);
      assert.deepEqual([total(outcomes), outcomes[0].reason], [{ exported: 0, dropped: 10 }, 'rejected']);
      assert.match(String(outcomes[0].error), /^HTTP 400 Bad Request: .*no such tenant/);
      assert.equal(viewer.requests, before + 1, 'it was not sent again');
      viewer.respond(undefined);
      sink.write([runOf(5)]);
      await sink.flush(5000);
      assert.deepEqual(total(outcomes), { exported: 5, dropped: 10 });
    });

    for (const status of [401, 404, 413]) {
      test(`${status} is final too`, async () => {
        viewer.respond({ status });
        const { sink, outcomes } = one();
        sink.write([runOf(1)]);
        await sink.flush(5000);
        assert.deepEqual([outcomes[0].dropped, outcomes[0].reason], [1, 'rejected']);
      });
    }

    for (const status of [429, 502, 503, 504]) {
      test(`${status} with Retry-After, then well: sent again when it says, nothing lost, nothing twice`, async () => {
        const times: number[] = [];
        viewer.respond(() => {
          times.push(performance.now());
          return times.length === 1 ? { status, headers: { 'retry-after': '1' } } : undefined;
        });
        const { sink, outcomes } = one();
        sink.write([runOf(10)]);
        await sink.flush(10_000);
        assert.deepEqual([total(outcomes), viewer.spans().length, times.length], [{ exported: 10, dropped: 0 }, 10, 2]);
        assert.ok(times[1] - times[0] >= 990, `${times[1] - times[0]} ms is the second that was asked for`);
      });
    }

    test('Retry-After beyond the time that an export may take: given up as export_failed', async () => {
      viewer.respond({ status: 503, headers: { 'retry-after': '600' } });
      const { sink, outcomes } = one();
      sink.write([runOf(10)]);
      await sink.flush(5000);
      assert.deepEqual([total(outcomes), outcomes[0].reason], [{ exported: 0, dropped: 10 }, 'export_failed']);
    });

    for (const [name, fault] of [
      ['hangs', { hang: true }],
      ['breaks the connection', { reset: true }],
    ] as const) {
      test(`a backend that ${name}: export_failed when the time is over`, async () => {
        viewer.respond(fault);
        const { sink, outcomes } = one({ target: { timeoutMs: 300 } });
        sink.write([runOf(10)]);
        await sink.flush(10_000);
        assert.deepEqual([total(outcomes), outcomes[0].reason], [{ exported: 0, dropped: 10 }, 'export_failed']);
      });
    }

    test('nobody listens: export_failed with the reason', async () => {
      const { sink, outcomes } = one({ target: { url: `http://127.0.0.1:${await freePort()}/v1/traces`, timeoutMs: 300 } });
      sink.write([runOf(10)]);
      await sink.flush(10_000);
      assert.deepEqual(total(outcomes), { exported: 0, dropped: 10 });
      assert.match(String(outcomes[0].error), /ECONNREFUSED/);
    });

    test('a backend that answers one byte at a time does not hold up the others for ever', async () => {
      const server = createServer((req, res) => {
        req.resume();
        res.writeHead(200);
        const timer = setInterval(() => res.write(' '), 20);
        res.on('close', () => clearInterval(timer));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
      const { sink, outcomes } = one({ target: { url, timeoutMs: 100 } });
      sink.write([runOf(3)]);
      await sink.flush(20_000);
      assert.deepEqual([total(outcomes), outcomes[0].reason], [{ exported: 0, dropped: 3 }, 'export_failed']);
      server.closeAllConnections();
      server.close();
    });

    test('an answer that is no OTLP is an answer', async () => {
      viewer.respond({ status: 200, body: '<html>' });
      const { sink, outcomes } = one();
      sink.write([runOf(3)]);
      await sink.flush(5000);
      assert.deepEqual(total(outcomes), { exported: 3, dropped: 0 });
    });

    test('a flush ends at its bound, though nothing is settled', async () => {
      viewer.respond({ hang: true });
      const { sink, outcomes } = one({ target: { timeoutMs: 2000 } });
      sink.write([runOf(10)]);
      await sink.flush(50);
      assert.deepEqual(outcomes, []);
      await sink.flush(10_000);
      assert.deepEqual(total(outcomes), { exported: 0, dropped: 10 });
    });

    test('through good and bad times: exported and dropped are what was written, and exported is what arrived', async () => {
      let number = 0;
      viewer.respond(
        () =>
          [undefined, { status: 400 }, undefined, { reset: true }, { status: 429, headers: { 'retry-after': '60' } }][
            number++ % 5
          ],
      );
      const { sink, outcomes } = one({ target: { timeoutMs: 400 }, batchSize: 50 });
      let written = 0;
      for (let i = 0; i < 12; i++) {
        const runs = [runOf(17 + i), runOf(20)];
        written += 37 + i;
        sink.write(runs);
        if (i % 4 === 3) await sink.flush(10_000);
      }
      await sink.flush(20_000);
      const { exported, dropped } = total(outcomes);
      assert.equal(exported + dropped, written);
      assert.equal(viewer.spans().length, exported);
      assert.ok(exported > 0 && dropped > 0);
    });
  });
}

test('partly refused (JSON): the refused are counted, with what the backend says', async () => {
  const body = JSON.stringify({ partialSuccess: { rejectedSpans: '3', errorMessage: 'too old' } });
  viewer.respond({ status: 200, headers: { 'content-type': 'application/json' }, body });
  const { sink, outcomes } = open();
  sink.write([runOf(10)]);
  await sink.flush(5000);
  const [{ seconds, ...outcome }] = outcomes;
  assert.deepEqual(outcome, { exported: 7, dropped: 3, reason: 'rejected', error: 'too old' });
  viewer.respond(undefined);
  sink.write([runOf(10)]);
  await sink.flush(5000);
  assert.deepEqual(total(outcomes), { exported: 17, dropped: 3 });
});

test('partly refused (protobuf)', async () => {
  // ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1: 4, error_message = 2: "old" } }
  const bytes = Buffer.from([0x0a, 0x07, 0x08, 0x04, 0x12, 0x03, ...Buffer.from('old')]);
  const server = createServer((req, res) => {
    req.resume().on('end', () => res.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  const { sink, outcomes } = open({ target: { url, protocol: 'http/protobuf' } });
  sink.write([runOf(10)]);
  await sink.flush(5000);
  const [{ seconds, ...outcome }] = outcomes;
  assert.deepEqual(outcome, { exported: 6, dropped: 4, reason: 'rejected', error: 'old' });
  server.closeAllConnections();
  server.close();
});

test('a certificate that cannot be read is named by its setting', () => {
  assert.throws(
    () => open({ certificates: { ca: '/no/such.pem', key: '', cert: '' } }),
    /OTEL_EXPORTER_OTLP_CERTIFICATE: .*ENOENT/,
  );
});
