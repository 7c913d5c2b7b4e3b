/** Loggers in real processes with the built preload, on every Node.js version. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type LogRecord, startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { findProgram } from '../support/needs.ts';
import { NODES, type NodeVersion } from '../support/nodes.ts';
import { until } from '../support/until.ts';

const loggers = join(import.meta.dirname, '../apps/loggers');

/** pino's ways of the fixtures. */
const WAYS = ['default', 'child', 'named', 'destination', 'transport', 'targets', 'multistream'];

interface Row {
  readonly name: string;
  readonly args: readonly string[];
  /** The member `way` of the lines that one request writes, each once. */
  readonly ways: readonly string[];
  /** Whether the kit writes the access line. */
  readonly access: boolean;
}

const ROWS: readonly Row[] = [
  ...['pino8', 'pino9', 'pino10'].flatMap((copy) =>
    ['cjs', 'mjs'].map((kind) => ({ name: `${copy}, ${kind}`, args: [`pino.${kind}`, copy], ways: WAYS, access: true })),
  ),
  { name: 'pino-http, cjs', args: ['pino-http.cjs'], ways: ['request'], access: false },
  { name: 'pino-http with keys of its own, mjs', args: ['pino-http.mjs'], ways: ['request'], access: false },
  { name: 'winston, cjs', args: ['winston.cjs'], ways: ['default', 'child'], access: true },
  { name: 'winston, mjs', args: ['winston.mjs'], ways: ['default', 'child'], access: true },
];

for (const node of NODES) {
  describe(`Node ${node.major}`, { skip: node.skip, concurrency: 2, timeout: 240_000 }, () => {
    for (const row of ROWS) {
      test(`${row.name}: each line of a request has its ids, is written once and shipped once`, async () => {
        await correlated(node, row);
      });
    }
    for (const kind of ['cjs', 'mjs']) test(`console, ${kind}`, async () => consoleOfServer(node, `console.${kind}`));
    test('the console of a script is untouched, and shipped', async () => consoleOfScript(node));
    test('a process that ends right after a response has written its access line', async () => exitAfterResponse(node));
    test('a stdout that nobody reads any more does not end a server that writes nothing itself', async () => closedStdout(node));
    test('an app that ships its lines itself: each arrives once', async () => shippedByApp(node));
  });
}

/** Sends one request to the app and waits until all that should arrive has. */
async function observe(node: NodeVersion, args: readonly string[], run: (seen: Seen) => Promise<void>): Promise<void> {
  const viewer = await startViewer();
  let app: App | undefined;
  try {
    app = await spawnApp({
      node: node.path,
      args: [join(loggers, args[0]), ...args.slice(1)],
      cwd: loggers,
      endpoint: viewer.url,
    });
    const traceId = randomBytes(16).toString('hex');
    const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`, 'x-correlation-id': 'order:17' };
    await fetch(`http://127.0.0.1:${app.port}/orders`, { headers });
    await run({ viewer, app, traceId });
  } catch (error) {
    throw new Error(`${(error as Error).message}\nstdout: ${app?.stdout()}\nstderr: ${app?.stderr()}`, { cause: error });
  } finally {
    await app?.kill();
    await viewer.close();
  }
}

interface Seen {
  readonly viewer: TestViewer;
  readonly app: App;
  readonly traceId: string;
}

const byWay = (way: string) => (item: { way?: unknown; attributes?: Record<string, unknown> }) =>
  (item.attributes?.way ?? item.way) === way;
const isAccess = (record: LogRecord) => record.attributes['http.status'] !== undefined;

async function correlated(node: NodeVersion, { args, ways, access }: Row): Promise<void> {
  await observe(node, args, async ({ viewer, app, traceId }) => {
    const [span] = await viewer.waitForSpans({ kind: 'server' });
    // The last thing that a request writes is its access line, the app's or the kit's.
    const done = (record: LogRecord) => (access ? isAccess(record) : record.body === 'request completed');
    await viewer.waitForLogs(done);
    await until('every line on stdout', () => ways.every((way) => app.json().some(byWay(way))));
    for (const way of ways) {
      const lines = app.json().filter(byWay(way));
      const records = viewer.logs().filter(byWay(way));
      assert.deepEqual([lines.length, records.length], [1, 1], way);
      const [{ trace_id, span_id, trace_flags, correlation_id }] = lines;
      assert.deepEqual([trace_id, span_id, trace_flags, correlation_id], [traceId, span.spanId, '01', 'order:17'], way);
      const [record] = records;
      assert.deepEqual([record.traceId, record.spanId, record.flags], [traceId, span.spanId, 1], way);
      assert.equal(record.attributes.correlation_id, 'order:17', way);
    }
    for (const record of viewer.logs().filter(byWay('start'))) assert.equal(record.traceId, '');
    assert.equal(viewer.logs().filter(isAccess).length, access ? 1 : 0);
    assert.equal(app.json().filter((line) => line['http.status'] !== undefined).length, access ? 1 : 0);
  });
}

async function consoleOfServer(node: NodeVersion, file: string): Promise<void> {
  await observe(node, [file], async ({ viewer, app, traceId }) => {
    await viewer.waitForLogs(isAccess);
    assert.equal(app.stdout().split('\n')[0], 'before it listens');
    const lines = app.json();
    const sold = lines.find(({ msg }) => msg === "sold 17 { to: 'ann' }");
    assert.deepEqual([sold?.level, sold?.trace_id, sold?.correlation_id], ['info', traceId, 'order:17']);
    const structured = lines.find(({ message }) => message === 'structured');
    assert.deepEqual([structured?.level, structured?.trace_id], ['warn', traceId]);
    const broken = JSON.parse(
      app
        .stderr()
        .split('\n')
        .find((line) => line.startsWith('{')) ?? '{}',
    );
    assert.deepEqual([broken.level, broken.err?.type, broken.trace_id], ['error', 'TypeError', traceId]);
    const shipped = viewer.logs().map(({ body, severityText, traceId: id }) => [body, severityText, id !== '']);
    assert.deepEqual(shipped.slice(0, 4), [
      ['before it listens', 'info', false],
      ["sold 17 { to: 'ann' }", 'info', true],
      ['broken', 'error', true],
      ['structured', 'warn', true],
    ]);
    assert.equal(shipped.length, 5);
  });
}

async function consoleOfScript(node: NodeVersion): Promise<void> {
  const viewer = await startViewer();
  try {
    const options = {
      node: node.path,
      args: [join(loggers, 'script.cjs')],
      cwd: loggers,
      endpoint: viewer.url,
      ready: false,
    } as const;
    const bare = await spawnApp({ ...options, preload: false });
    await bare.exited;
    const app = await spawnApp({ ...options, env: { O11Y_QUIET: '1' } });
    assert.deepEqual(await app.exited, await bare.exited);
    assert.equal(app.stdout(), bare.stdout());
    assert.equal(app.stderr(), bare.stderr());
    const [structured, ...rest] = viewer.logs();
    assert.deepEqual([structured.severityText, structured.attributes.total], ['info', 3]);
    assert.deepEqual(
      rest.slice(0, 2).map(({ body, severityText }) => [body, severityText]),
      [
        ['plain text', 'info'],
        ['to stderr', 'error'],
      ],
    );
    assert.match(String(rest[2].body), /^┌/);
    assert.equal(rest.length, 3);
  } finally {
    await viewer.close();
  }
}

async function shippedByApp(node: NodeVersion): Promise<void> {
  await observe(node, ['pino-otel.mjs'], async ({ viewer, app, traceId }) => {
    const records = await Promise.all(['shipping', 'plain'].map((way) => viewer.waitForLogs(byWay(way), { timeout: 20_000 })));
    await viewer.waitForLogs(isAccess);
    assert.deepEqual(
      records.map((found) => found.map(({ body, scope, traceId: id }) => [body, scope.name, id])),
      [[['shipped by the app', 'the app', traceId]], [['shipped by the kit', 'o11y-kit', traceId]]],
    );
    assert.equal(app.stderr().split('ships its pino records').length, 2, app.stderr());
  });
}

async function exitAfterResponse(node: NodeVersion): Promise<void> {
  await observe(node, ['exit-after-response.cjs'], async ({ viewer, app, traceId }) => {
    assert.deepEqual(await app.exited, { code: 7, signal: null });
    const lines = app.json().filter((line) => line['http.status'] === 200);
    assert.deepEqual(
      lines.map(({ trace_id }) => trace_id),
      [traceId],
    );
    assert.equal(viewer.logs(isAccess).length, 1);
  });
}

/** The bare app goes on, so the kit's lines must not end it. One that writes itself ends by its own line. */
async function closedStdout(node: NodeVersion): Promise<void> {
  await observe(node, ['silent.cjs'], async ({ viewer, app }) => {
    app.child.stdout?.destroy();
    const ask = () => fetch(`http://127.0.0.1:${app.port}/`, { headers: { connection: 'close' } }).then(({ status }) => status);
    // The first writes may still end up in the pipe.
    for (let i = 0; i < 5; i++) assert.equal(await ask(), 200);
    await viewer.waitForLogs(isAccess, { count: 6 });
    assert.equal(await ask(), 200);
    assert.equal(app.child.exitCode, null);
  });
}

describe('on a terminal', { skip: findProgram('script') ? false : 'needs script: not on PATH (Debian: bsdutils)' }, () => {
  let viewer: TestViewer;
  before(async () => {
    viewer = await startViewer();
  });
  after(() => viewer.close());

  test("the console's lines stay text, and the access line is pretty, with the address of its trace", async () => {
    const command = `${process.execPath} --import ${JSON.stringify(join(import.meta.dirname, '../../dist/preload.mjs'))} ${join(loggers, 'console.cjs')}`;
    // `script` gives its child a terminal and copies what it shows.
    await using app = await spawnApp({
      node: 'script',
      preload: false,
      args: ['-qfec', command, '/dev/null'],
      endpoint: viewer.url,
    });
    await fetch(`http://127.0.0.1:${app.port}/orders`);
    const [record] = await viewer.waitForLogs(isAccess);
    const shown = await until('the access line', () => app.stdout().includes('/t/') && app.stdout());
    assert.match(shown, /^sold 17 /m);
    assert.match(shown, /GET \/orders 200/);
    assert.ok(shown.includes(`${viewer.url}/t/${record.traceId}`), shown);
    assert.deepEqual(app.json(), [{ level: 'warn', message: 'structured' }]);
  });
});
