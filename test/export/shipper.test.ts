import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { loadConfig } from '../../instrumentation/config.ts';
import { createDiagnostics } from '../../instrumentation/diagnostics.ts';
import { createShipper, type Shipper } from '../../instrumentation/export/shipper.ts';
import type { SpanRecord } from '../../instrumentation/export/span-record.ts';
import { createStats, type ExportStats, type SignalStats } from '../../instrumentation/export/stats.ts';
import { detectResource } from '../../instrumentation/resource.ts';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

const DIST = join(import.meta.dirname, '../../dist');

let viewer: TestViewer;
let fragile: string;
before(async () => {
  viewer = await startViewer();
  // The real export thread with a weakness: it dies, in one way or another, of certain lines.
  fragile = mkdtempSync(join(tmpdir(), 'o11y-kit-worker-'));
  writeFileSync(
    join(fragile, 'worker.cjs'),
    `const { parentPort } = require('node:worker_threads');
     parentPort.on('message', (message) => {
       const text = JSON.stringify(message);
       if (text.includes('THROW')) throw new Error('a bug in the thread');
       if (text.includes('EXIT')) process.exit(3);
       if (text.includes('HANG')) for (;;);
     });
     require(${JSON.stringify(join(DIST, 'worker.cjs'))});`,
  );
});
after(async () => {
  rmSync(fragile, { recursive: true });
  await viewer.close();
});

const running: Shipper[] = [];
afterEach(async () => {
  viewer.respond(undefined);
  viewer.clear();
  await Promise.all(running.splice(0).map((shipper) => shipper.stop()));
});

function start(env: Record<string, string> = {}, dist = DIST) {
  const { config, problems } = loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url, OTEL_SERVICE_NAME: 'shop', ...env });
  assert.deepEqual(problems, []);
  const messages: string[] = [];
  const diagnostics = createDiagnostics({ logLevel: 'all' }, (line) => messages.push(line));
  const stats = createStats();
  const shipper = createShipper({ config, diagnostics, resource: detectResource(config, '1'), stats, dist });
  running.push(shipper);
  return { shipper, stats, messages };
}

let serial = 0;
function span(name = 'span'): SpanRecord {
  const id = (++serial).toString(16);
  return {
    traceId: id.padStart(32, '1'),
    spanId: id.padStart(16, '2'),
    parentSpanId: undefined,
    parentIsRemote: false,
    traceFlags: 1,
    traceState: undefined,
    name,
    kind: 1,
    start: [1_800_000_000, 1],
    end: [1_800_000_001, 2],
    statusCode: 0,
    statusMessage: undefined,
    attributes: {},
    events: [],
    links: [],
    droppedAttributes: 0,
    droppedEvents: 0,
    droppedLinks: 0,
    scope: 'o11y-kit',
    scopeVersion: '1',
  };
}

const line = (text: string) => ({ line: JSON.stringify({ msg: text }), level: 30, time: Date.now(), messageKey: 'msg' });

function push(shipper: Shipper, count: number, name?: string): void {
  for (let i = 0; i < count; i++) {
    shipper.spans.push(span(name));
    shipper.logs.push(line(name ?? 'line'));
  }
}

const dropped = (stats: SignalStats) => Object.values(stats.dropped).reduce((sum, each) => sum + each, 0);

/** Once all is settled: what was recorded was exported or dropped, and what was exported has arrived. */
function assertAccounted(stats: ExportStats): void {
  for (const signal of ['traces', 'logs'] as const) {
    const { recorded, exported } = stats[signal];
    assert.equal(exported + dropped(stats[signal]), recorded, `${signal}: ${JSON.stringify(stats[signal])}`);
    assert.equal(signal === 'traces' ? viewer.spans().length : viewer.logs().length, exported, signal);
  }
}

async function settled(stats: ExportStats): Promise<void> {
  const isSettled = (signal: SignalStats) => signal.exported + dropped(signal) === signal.recorded;
  await until('everything to be settled', () => isSettled(stats.traces) && isSettled(stats.logs));
}

test('spans and lines arrive by themselves', async () => {
  const { shipper, stats } = start({ OTEL_BSP_SCHEDULE_DELAY: '20', OTEL_BLRP_SCHEDULE_DELAY: '20' });
  push(shipper, 10);
  await viewer.waitForSpans(10, { timeout: 15_000 });
  await viewer.waitForLogs(10, { timeout: 15_000 });
  await settled(stats);
  assertAccounted(stats);
  assert.equal(stats.healthy, true);
});

test('a flush delivers what was recorded so far', async () => {
  const { shipper, stats } = start({ OTEL_BSP_SCHEDULE_DELAY: '600000', OTEL_BLRP_SCHEDULE_DELAY: '600000' });
  push(shipper, 1000);
  await shipper.flush(10_000);
  assert.deepEqual([stats.traces.exported, stats.logs.exported], [1000, 1000]);
  assertAccounted(stats);
});

test('a flush of nothing starts nothing', async () => {
  const { shipper, messages } = start({}, '/no/such/folder');
  await shipper.flush(1000, { last: true });
  assert.equal(shipper.flushSync(1000), 0);
  assert.deepEqual(messages, []);
});

test('the queues are bounded: what does not fit is dropped and counted, whatever the backend does', async () => {
  viewer.respond({ hang: true });
  const { shipper, stats } = start({
    OTEL_BSP_MAX_QUEUE_SIZE: '100',
    OTEL_BLRP_MAX_QUEUE_SIZE: '50',
    OTEL_EXPORTER_OTLP_TIMEOUT: '300',
  });
  push(shipper, 1000);
  assert.deepEqual([stats.traces.dropped.queue_full, stats.logs.dropped.queue_full], [900, 950]);
  await settled(stats);
  assert.deepEqual([stats.traces.dropped.export_failed, stats.logs.dropped.export_failed], [100, 50]);
  assert.equal(stats.healthy, false);
  viewer.respond(undefined);
  push(shipper, 40);
  await shipper.flush(10_000);
  assert.deepEqual([stats.traces.exported, stats.logs.exported], [40, 40]);
  assert.equal(stats.healthy, true);
  assertAccounted(stats);
});

test('a backend that dies and comes back: recorded is exported and dropped, and exported has arrived', async () => {
  let down = false;
  viewer.respond(() => (down ? { reset: true } : undefined));
  const { shipper, stats } = start({
    // Too short for a second attempt, which comes after 800 ms at the earliest, and long enough for a busy machine to answer:
    // what is answered too late counts as dropped, and has arrived all the same.
    OTEL_EXPORTER_OTLP_TIMEOUT: '750',
    OTEL_BSP_SCHEDULE_DELAY: '10',
    OTEL_BLRP_SCHEDULE_DELAY: '10',
    OTEL_BSP_MAX_QUEUE_SIZE: '300',
    OTEL_BLRP_MAX_QUEUE_SIZE: '300',
  });
  for (let round = 0; round < 12; round++) {
    down = round % 4 === 2;
    push(shipper, 100);
    if (round % 2 === 1) await shipper.flush(10_000);
    else await new Promise((resolve) => setTimeout(resolve, 30));
  }
  down = false;
  await shipper.flush(10_000);
  await settled(stats);
  assert.equal(stats.traces.recorded, 1200);
  assert.ok(stats.traces.exported > 0 && dropped(stats.traces) > 0, JSON.stringify(stats));
  assertAccounted(stats);
});

test('a process that ends does not wait for a backend that is not there; what is left counts as shutdown', async () => {
  const { shipper, stats } = start({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` });
  push(shipper, 10);
  await shipper.flush(60_000, { last: true });
  assert.deepEqual([stats.traces.dropped.shutdown, stats.logs.dropped.shutdown], [10, 10]);
  assert.equal(stats.traces.exported + dropped(stats.traces), 10);
});

test('what was given up too early is counted again as what became of it', async () => {
  viewer.respond({ delayMs: 300 });
  const { shipper, stats } = start();
  push(shipper, 10);
  await shipper.flush(50, { last: true });
  assert.deepEqual([stats.traces.dropped.shutdown, stats.logs.dropped.shutdown], [10, 10]);
  await until('the late answer', () => stats.traces.exported + stats.logs.exported === 20);
  assert.deepEqual([stats.traces.dropped.shutdown, stats.logs.dropped.shutdown], [0, 0]);
  assertAccounted(stats);
});

describe('an export thread that dies', () => {
  for (const [way, said] of [
    ['THROW', /a bug in the thread/],
    ['EXIT', /ended with code 3/],
  ] as const) {
    test(`${way}: what it held is counted as lost, once; the next one goes on`, async () => {
      const { shipper, stats, messages } = start({}, fragile);
      push(shipper, 100);
      await shipper.flush(10_000);
      assert.equal(stats.traces.exported, 100);
      push(shipper, 5, way);
      await shipper.flush(10_000);
      // While the end of the thread is still being told, others are recorded already.
      push(shipper, 7);
      await shipper.flush(10_000);
      await settled(stats);
      assert.deepEqual([stats.traces.dropped.worker_lost, stats.logs.dropped.worker_lost], [5, 5]);
      assert.deepEqual([stats.traces.exported, stats.logs.exported], [107, 107]);
      assertAccounted(stats);
      assert.match(messages.join(), said);
      assert.match(messages.join(), /It is started again/);
    });
  }

  test('again and again: it is left alone for a while, and everything is counted', async () => {
    const { shipper, stats, messages } = start({}, fragile);
    for (let i = 0; i < 10; i++) {
      push(shipper, 2, 'THROW');
      await shipper.flush(10_000);
    }
    await settled(stats);
    assert.deepEqual([stats.traces.dropped.worker_lost, stats.logs.dropped.worker_lost], [20, 20]);
    assert.match(messages.join('\n'), /the export thread is gone/);
    assertAccounted(stats);
  });

  test('one that hangs holds nobody up longer than was asked', async () => {
    const { shipper } = start({}, fragile);
    push(shipper, 1, 'HANG');
    await shipper.flush(100);
    assert.equal(shipper.flushSync(100), 2, 'a span and a line');
  });

  test('one that cannot be started: said once, counted', async () => {
    const { shipper, stats, messages } = start({}, '/no/such/folder');
    push(shipper, 10);
    await shipper.flush(10_000);
    await settled(stats);
    assert.deepEqual([dropped(stats.traces), dropped(stats.logs)], [10, 10]);
    assert.match(messages[0], /the export thread is gone \(.*no\/such\/folder/);
  });
});

test('a certificate that cannot be read costs the spans and the lines, and says which setting it is', async () => {
  const { shipper, stats, messages } = start({ OTEL_EXPORTER_OTLP_CERTIFICATE: '/no/such.pem' });
  push(shipper, 3);
  await shipper.flush(10_000);
  await settled(stats);
  assert.deepEqual([stats.traces.dropped.export_failed, stats.logs.dropped.export_failed], [3, 3]);
  assert.match(messages.join(), /could not be delivered to .*OTEL_EXPORTER_OTLP_CERTIFICATE: the file cannot be read/);
});

test('a failed delivery names the address without its password and key', async () => {
  const { shipper, stats, messages } = start({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://me:hunter2@127.0.0.1:1/v1/traces?api_key=hunter3',
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://me:hunter2@127.0.0.1:1/v1/logs?api_key=hunter3',
    OTEL_EXPORTER_OTLP_TIMEOUT: '200',
  });
  push(shipper, 1);
  await shipper.flush(10_000);
  await settled(stats);
  assert.match(messages.join(), /could not be delivered to http:\/\/\[redacted\]@127\.0\.0\.1:1\/v1\//);
  assert.doesNotMatch(messages.join(), /hunter/);
});

test('a span that cannot be written costs itself alone', async () => {
  const { shipper, stats } = start();
  const hostile = Object.defineProperty({}, 'a', {
    enumerable: true,
    get() {
      throw new Error('no');
    },
  });
  shipper.spans.push({ ...span(), attributes: hostile });
  push(shipper, 2);
  await shipper.flush(10_000);
  await settled(stats);
  assert.deepEqual([stats.traces.exported, stats.traces.dropped.rejected], [2, 1]);
});
