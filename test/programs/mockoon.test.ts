import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { freePort } from '../support/free-port.ts';
import { needs } from '../support/needs.ts';
import { installServers, metricsPage, type Program, scratchFolder, startProgram } from './program.ts';

/**
 * Two published servers in a row: local-web-server (Koa, ESM, prints by `console.log`), which passes `/api` on to Mockoon
 * (Express 4, winston).
 */
suite('local-web-server in front of mockoon-cli', { skip: needs('npm') }, () => {
  const folder = scratchFolder('mockoon');
  let viewer: TestViewer;
  let mockoon: Program;
  let front: Program;
  let url: string;

  before(async () => {
    await installServers();
    viewer = await startViewer();
    const [mockPort, port] = [await freePort(), await freePort()];
    url = `http://127.0.0.1:${port}`;
    writeFileSync(join(folder, 'shop.json'), JSON.stringify(environment(mockPort)));
    writeFileSync(join(folder, 'page.html'), '<h1>shop</h1>\n');
    mockoon = await startProgram({
      script: '@mockoon/cli/bin/run.js',
      args: ['start', '--data', 'shop.json', '--disable-log-to-file', '--disable-admin-api'],
      cwd: folder,
      viewer,
      listening: /Server started on port/,
    });
    front = await startProgram({
      script: 'local-web-server/bin/cli.js',
      args: [
        '--port',
        `${port}`,
        '--hostname',
        '127.0.0.1',
        '--log.format',
        'tiny',
        '--rewrite',
        `/api/(.*) -> http://127.0.0.1:${mockPort}/$1`,
      ],
      cwd: folder,
      viewer,
      listening: /Listening on/,
    });
  });

  after(async () => {
    await Promise.all([front?.stop(), mockoon?.stop()]);
    await viewer?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function get(path: string, correlationId: string): Promise<{ status: number; text: string; id: string | null }> {
    const response = await fetch(url + path, { headers: { 'x-correlation-id': correlationId } });
    return { status: response.status, text: await response.text(), id: response.headers.get('x-correlation-id') };
  }

  test('answer as they do without the preload', async () => {
    assert.deepEqual(await get('/api/users/7', 'a-user'), { status: 200, text: '{"id":"7"}', id: 'a-user' });
    assert.deepEqual(await get('/page.html', 'a-page'), {
      status: 200,
      text: readFileSync(join(folder, 'page.html'), 'utf8'),
      id: 'a-page',
    });
    assert.equal((await get('/missing.html', 'a-miss')).status, 404);
  });

  test('share a trace and a correlation id; the route is what each told its framework', async () => {
    const trace = await viewer.waitForTrace((one) => one.root?.attributes['correlation.id'] === 'a-user', {
      spans: 3,
      timeout: 15_000,
    });
    // Mockoon gives Express the one route `*` and finds `users/:id` by itself.
    const shape = trace.spans.map(({ service, kind, name }) => `${service} ${kind} ${name}`);
    assert.deepEqual(
      shape,
      ['local-web-server server GET', 'local-web-server client GET', '@mockoon/cli server GET *'],
      `${trace}`,
    );
    assert.deepEqual(
      trace.spans.map((span) => span.attributes['correlation.id']),
      ['a-user', 'a-user', 'a-user'],
    );
  });

  test('name no route for static files and for what was not found', async () => {
    for (const [id, status] of [
      ['a-page', 200],
      ['a-miss', 404],
    ] as const) {
      const [span] = await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': id } }, { timeout: 15_000 });
      assert.equal(span.name, 'GET');
      assert.ok(!('http.route' in span.attributes));
      assert.equal(span.attributes['http.response.status_code'], status);
      assert.equal(span.status.code, 'unset', 'a 404 is no error of the server');
    }
    const page = await metricsPage(viewer, 'local-web-server');
    assert.match(page, /^http_server_request_duration_seconds_count\{.*http_route="".*http_response_status_code="404".*\} 1$/m);
    assert.doesNotMatch(page, /missing\.html/);
  });

  test('winston’s lines carry the ids, keep their format, and arrive', async () => {
    const [span] = await viewer.waitForSpans({ service: '@mockoon/cli', kind: 'server' }, { timeout: 15_000 });
    const [line] = mockoon.json().filter((one) => one.message === 'Transaction recorded');
    assert.equal(line?.app, 'mockoon-server', mockoon.lines.join('\n'));
    assert.equal(line.correlation_id, 'a-user');
    assert.equal(line.trace_id, span.traceId);
    const filter = { service: '@mockoon/cli', body: 'Transaction recorded' };
    const [record] = await viewer.waitForLogs(filter, { timeout: 15_000 });
    assert.equal(record.traceId, span.traceId);
    assert.equal(record.attributes.requestPath, '/users/7');
  });

  test('lines by console.log arrive with the ids of their request', async () => {
    const [span] = await viewer.waitForSpans({ attributes: { 'correlation.id': 'a-page' } }, { timeout: 15_000 });
    const [record] = await viewer.waitForLogs({ service: 'local-web-server', body: /GET \/page\.html/ }, { timeout: 15_000 });
    assert.equal(record.traceId, span.traceId);
  });

  test('end on SIGTERM as they do without the preload', async () => {
    assert.equal(await front.stop(), 'SIGTERM');
    assert.equal(await mockoon.stop(), 'SIGTERM');
  });
});

/** What Mockoon's desktop program would save: one route. */
function environment(port: number): object {
  const uuid = (n: number) => `b8b0a8a0-0000-4000-8000-00000000000${n}`;
  return {
    uuid: uuid(1),
    lastMigration: 33,
    name: 'shop',
    hostname: '127.0.0.1',
    port,
    rootChildren: [{ type: 'route', uuid: uuid(2) }],
    routes: [
      {
        uuid: uuid(2),
        type: 'http',
        method: 'get',
        endpoint: 'users/:id',
        responses: [
          {
            uuid: uuid(3),
            body: `{"id":"{{urlParam 'id'}}"}`,
            statusCode: 200,
            headers: [{ key: 'Content-Type', value: 'application/json' }],
            bodyType: 'INLINE',
            rules: [],
            rulesOperator: 'OR',
            default: true,
            crudKey: 'id',
            callbacks: [],
          },
        ],
      },
    ],
  };
}
