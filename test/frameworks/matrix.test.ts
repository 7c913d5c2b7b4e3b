import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Span, startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { type Answer, get, type Protocol } from './client.ts';
import { parseSamples } from './samples.ts';

interface Row {
  /** Below test/apps/fixtures. */
  readonly file: string;
  readonly protocol?: Protocol;
  /** False where there is no framework that knows of routes. */
  readonly routes?: boolean;
  /** How the framework writes a parameter of a route; `:id` if absent. */
  readonly param?: string;
  /** Flags before the file, beside the preload's. */
  readonly flags?: readonly string[];
  /** The preload by `--require` instead of `--import`. */
  readonly required?: true;
  /** The Node.js versions it can run on: of 22, 24 and 26, all if absent. */
  readonly nodes?: readonly number[];
}

const TSX = ['--import', 'tsx'];

const ROWS: readonly Row[] = [
  ...['cjs', 'mjs'].flatMap((kind): Row[] => [
    { file: `express4.${kind}` },
    { file: `express5.${kind}` },
    { file: `fastify4.${kind}` },
    { file: `fastify5.${kind}` },
    { file: `koa.${kind}` },
    { file: `hono.${kind}` },
    { file: `hapi20.${kind}`, param: '{id}' },
    { file: `hapi21.${kind}`, param: '{id}' },
    { file: `nest-express.${kind}` },
    { file: `http.${kind}`, routes: false },
    { file: `https.${kind}`, routes: false, protocol: 'https' },
    { file: `http2-compat.${kind}`, routes: false, protocol: 'http2' },
  ]),
  { file: 'hono-tiny.mjs' },
  { file: 'nest-fastify.mjs' },
  { file: '../../nest11/nest11-express.cjs' },
  { file: 'http2-stream.mjs', routes: false, protocol: 'http2' },
  { file: 'typescript.mts' },
  // Node 22 fails on such a file with any `--import`, whatever is imported.
  { file: 'typescript.cts', nodes: [24, 26] },
  { file: 'typescript.cts', required: true },
  { file: 'express5.cjs', required: true },
  { file: 'typescript.mts', flags: TSX },
  { file: 'typescript.cts', flags: TSX },
];

/** On Node 20 a few rows show that the preload works there; what that version cannot do is tested elsewhere. */
const SMOKE = new Set(['express4.cjs', 'express5.mjs', 'fastify5.mjs', 'koa.cjs', 'hono.mjs', 'nest-express.mjs', 'http.mjs']);

const fixtures = join(import.meta.dirname, '../apps/fixtures');
const METRIC = 'http_server_request_duration_seconds_count';

for (const node of NODES) {
  describe(`Node ${node.major}`, { skip: node.skip, concurrency: 2 }, () => {
    for (const row of ROWS) {
      if (node.major === 20 ? !SMOKE.has(row.file) || row.required : row.nodes?.includes(node.major) === false) continue;
      observed(row, node.path);
    }
  });
}

function observed({ file, protocol = 'http', routes = true, param = ':id', flags = [], required }: Row, node: string): void {
  describe([basename(file), ...(required ? ['by --require'] : []), ...flags.slice(1)].join(' '), {
    timeout: 60_000,
    concurrency: 1,
  }, () => {
    const name = (template: string) => (routes ? `GET ${template}` : 'GET');
    let viewer: TestViewer;
    let app: App;
    const ask = (path: string, headers?: Record<string, string>): Promise<Answer> => get(protocol, app.port, path, headers);
    const spanOf = async (path: string): Promise<Span> =>
      (await viewer.waitForSpans((span: Span) => span.kind === 'server' && span.attributes['url.path'] === path))[0];

    before(async () => {
      viewer = await startViewer();
      app = await spawnApp({
        node,
        args: [...flags, join(fixtures, file)],
        cwd: fixtures,
        endpoint: viewer.url,
        preload: required ? 'require' : 'import',
      });
    });
    after(async () => {
      await app?.kill();
      await viewer?.close();
    });

    it('names the span by the route and continues the trace', async () => {
      const [traceId, parent] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
      const { status } = await ask('/api/users/1', { traceparent: `00-${traceId}-${parent}-01` });
      assert.equal(status, 200);
      const span = await spanOf('/api/users/1');
      assert.equal(span.name, name(`/api/users/${param}`));
      assert.equal(span.traceId, traceId);
      assert.equal(span.parentSpanId, parent);
      assert.equal(span.status.code, 'unset');
      assert.deepEqual(span.events, []);
    });

    it('has the attributes of a server span', async () => {
      await ask('/api/users/2?page=3', { 'user-agent': 'matrix/1' });
      const { attributes } = await spanOf('/api/users/2');
      const { 'network.peer.port': peerPort, 'correlation.id': correlationId, ...rest } = attributes;
      assert.equal(typeof peerPort, 'number');
      assert.equal(typeof correlationId, 'string');
      assert.deepEqual(rest, {
        'http.request.method': 'GET',
        ...(routes ? { 'http.route': `/api/users/${param}` } : {}),
        'http.response.status_code': 200,
        'url.path': '/api/users/2',
        'url.query': 'page=3',
        'url.scheme': protocol === 'https' ? 'https' : 'http',
        'server.address': '127.0.0.1',
        'server.port': app.port,
        'client.address': '127.0.0.1',
        'network.peer.address': '127.0.0.1',
        'network.protocol.version': protocol === 'http2' ? '2' : '1.1',
        'user_agent.original': 'matrix/1',
      });
    });

    it('keeps an allowed correlation id, on the response, the span and the log line', async () => {
      const { headers } = await ask('/api/users/3', { 'x-correlation-id': 'order:3' });
      assert.equal(headers['x-correlation-id'], 'order:3');
      const span = await spanOf('/api/users/3');
      assert.equal(span.attributes['correlation.id'], 'order:3');
      const [record] = await viewer.waitForLogs({ body: 'user 3' });
      assert.equal(record.traceId, span.traceId);
      assert.equal(record.spanId, span.spanId);
      assert.equal(record.attributes.correlation_id, 'order:3');
      const line = await until('the line on stdout', () => app.json().find(({ msg }) => msg === 'user 3'));
      assert.equal(line.trace_id, span.traceId);
      assert.equal(line.span_id, span.spanId);
      assert.equal(line.trace_flags, '01');
      assert.equal(line.correlation_id, 'order:3');
    });

    it('replaces a correlation id that is not allowed', async () => {
      const { headers } = await ask('/api/users/4', { 'x-correlation-id': 'no blanks, please' });
      const id = headers['x-correlation-id'] as string;
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      assert.equal((await spanOf('/api/users/4')).attributes['correlation.id'], id);
    });

    it('records the error behind a 500', async () => {
      const { status } = await ask('/api/fail/5');
      assert.equal(status, 500);
      const span = await spanOf('/api/fail/5');
      assert.equal(span.name, name(`/api/fail/${param}`));
      assert.equal(span.status.code, 'error');
      assert.equal(span.attributes['error.type'], routes ? 'Error' : '500');
      const exceptions = span.events.filter((event) => event.name === 'exception');
      assert.deepEqual(
        exceptions.map(({ attributes }) => attributes['exception.message']),
        routes ? ['boom 5'] : [],
      );
    });

    it('gives a request that nothing matched no route', async () => {
      const { status } = await ask('/nothing/here');
      assert.equal(status, 404);
      const span = await spanOf('/nothing/here');
      assert.equal(span.name, 'GET');
      assert.equal(span.attributes['http.route'], undefined);
      assert.equal(span.status.code, 'unset');
    });

    it('counts every request under the same routes', async () => {
      const samples = parseSamples(await app.metrics(), METRIC);
      const counted = samples.map(({ labels, value }) => {
        const { http_route, http_response_status_code, error_type } = labels;
        return `${labels.http_request_method} ${http_route} ${http_response_status_code} ${error_type}: ${value}`;
      });
      const expected = routes
        ? ['GET  404 : 1', `GET /api/fail/${param} 500 Error: 1`, `GET /api/users/${param} 200 : 4`]
        : ['GET  200 : 4', 'GET  404 : 1', 'GET  500 500: 1'];
      assert.deepEqual(counted.toSorted(), expected);
    });
  });
}
