import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { get, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { Change, LogList, Overview, ServiceMap, Status, TraceList, TraceView } from '../../viewer/api-types.ts';
import { startViewerServer, type Viewer } from '../../viewer/viewer.ts';
import { type SpanInput, sdkSpan } from './sdk-span.ts';
import { api, log, postJson } from './viewer-client.ts';

let viewer: Viewer;
before(async () => {
  const assets = mkdtempSync(join(tmpdir(), 'viewer-page-'));
  writeFileSync(join(assets, 'page.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(assets, 'page.js'), 'void 0;');
  viewer = await startViewerServer({ port: 0, version: '1.2.3', assets });
});
beforeEach(() => viewer.hub.clear());
after(() => viewer.close());

async function send(...spans: SpanInput[]): Promise<void> {
  const body = JsonTraceSerializer.serializeRequest(spans.map(sdkSpan))!;
  assert.equal((await postJson(`${viewer.url}/v1/traces`, body)).status, 200);
}

const list = async (query: string) => (await api<TraceList>(viewer.url, `traces?${query}`)).traces.map(({ name }) => name);
const TRACE = 'a'.repeat(32);
const ROOT = 'b'.repeat(16);

describe('search', () => {
  beforeEach(async () => {
    await send({ name: 'GET /a', service: 'shop', durationMs: 5, attributes: { 'correlation.id': 'c-1', n: 7 } });
    await send({ name: 'POST /b', service: 'shop', durationMs: 500, error: 'declined', attributes: { user: 'Ann "x"' } });
    await send({ name: 'job', service: 'worker', resource: { 'service.version': '9' }, traceId: TRACE });
  });

  const searches: [string, string[]][] = [
    ['', ['job', 'POST /b', 'GET /a']],
    ['service=shop', ['POST /b', 'GET /a']],
    ['service=nobody', []],
    ['name=post', ['POST /b']],
    ['status=error', ['POST /b']],
    ['status=ok', ['job', 'GET /a']],
    ['minMs=100', ['POST /b']],
    ['maxMs=100&service=shop', ['GET /a']],
    ['attr=n%3D7', ['GET /a']],
    ['attr=n', ['GET /a']],
    ['attr=n%3D8', []],
    ['attr=service.version%3D9', ['job']],
    ['attr=n%3D7&attr=correlation.id%3Dc-1', ['GET /a']],
    ['attr=n%3D7&attr=user', []],
    ['correlation=c-1', ['GET /a']],
    ['correlation=c-', []],
    ['text=ann', ['POST /b']],
    ['text=DECLINED+shop', ['POST /b']],
    [`text=${encodeURIComponent('"x"')}`, ['POST /b']],
    [`text=${encodeURIComponent('.*')}`, []],
    [`text=${TRACE.toUpperCase()}`, ['job']],
    ['limit=1', ['job']],
  ];
  for (const [query, names] of searches) {
    it(`traces?${query}`, async () => {
      assert.deepEqual(await list(query), names);
    });
  }

  it('goes through pages, and finds what is new', async () => {
    const first = await api<TraceList>(viewer.url, 'traces?limit=2');
    assert.equal(first.traces.length, 2);
    const second = await api<TraceList>(viewer.url, `traces?limit=2&before=${first.next}`);
    assert.deepEqual(
      second.traces.map(({ name }) => name),
      ['GET /a'],
    );
    assert.equal(second.next, null);
    await send({ name: 'new' });
    assert.deepEqual(await list(`after=${first.newest}`), ['new']);
  });

  it('says what is wrong with a query', async () => {
    const wrong: [string, RegExp][] = [
      ['traces?status=maybe', /status: error or ok, not/],
      ['traces?minMs=x', /minMs: a number/],
      ['logs?level=loud', /level: one of trace, debug/],
      ['overview?minutes=999', /minutes: from 1 to 30/],
      ['trace', /id is missing/],
      ['nothing', /no such path; there are/],
    ];
    for (const [path, message] of wrong) await assert.rejects(api(viewer.url, path), message);
  });
});

describe('logs', () => {
  it('are found by service, level, text, field, correlation id and trace', async () => {
    await send({ traceId: TRACE, spanId: ROOT });
    viewer.hub.addLogs([
      log({ body: 'one', severityNumber: 17, service: 'shop', attributes: { correlation_id: 'c', n: 1 } }),
      log({ body: 'two \u001b[31mred', severityNumber: 5, service: 'shop', traceId: TRACE, spanId: ROOT }),
      log({ body: { deep: ['x'] }, severityNumber: 0, service: 'other' }),
    ]);
    const bodies = async (query: string) => (await api<LogList>(viewer.url, `logs?${query}`)).logs.map(({ body }) => body);
    assert.deepEqual(await bodies(''), ['{"deep":["x"]}', 'two \u001b[31mred', 'one']);
    assert.deepEqual(await bodies('service=shop'), ['two \u001b[31mred', 'one']);
    assert.deepEqual(await bodies('level=info'), ['{"deep":["x"]}', 'one']);
    assert.deepEqual(await bodies('level=error'), ['one']);
    assert.deepEqual(await bodies('text=RED'), ['two \u001b[31mred']);
    assert.deepEqual(await bodies('field=n%3D1'), ['one']);
    assert.deepEqual(await bodies('correlation=c'), ['one']);
    assert.deepEqual(await bodies(`trace=${TRACE}&span=${ROOT}`), ['two \u001b[31mred']);
    const { logs } = await api<LogList>(viewer.url, `logs?trace=${TRACE}`);
    assert.equal(logs[0].hasTrace, true);
    assert.equal(logs[0].level, 'debug');
  });
});

describe('views', () => {
  it('the map joins services by their spans, and shows what sends none', async () => {
    const traceId = TRACE;
    await send(
      { traceId, spanId: ROOT, name: 'GET /', kind: 1, service: 'gateway' },
      {
        traceId,
        spanId: 'c'.repeat(16),
        parentSpanId: ROOT,
        kind: 2,
        service: 'gateway',
        attributes: { 'server.address': 'pay' },
      },
      { traceId, spanId: 'd'.repeat(16), parentSpanId: 'c'.repeat(16), kind: 1, service: 'payments', error: 'no' },
      { traceId, parentSpanId: 'd'.repeat(16), kind: 2, service: 'payments', attributes: { 'db.system.name': 'postgresql' } },
      {
        traceId,
        parentSpanId: 'd'.repeat(16),
        kind: 2,
        service: 'payments',
        attributes: { 'server.address': 'bank', 'server.port': 443 },
      },
    );
    const map = await api<ServiceMap>(viewer.url, 'map');
    const edges = map.edges.map(({ from, to, total }) => [from, to, total.count, total.errors]);
    assert.deepEqual(edges, [
      ['gateway', 'payments', 1, 1],
      ['payments', 'db postgresql ', 1, 0],
      ['payments', 'external bank:443', 1, 0],
    ]);
    assert.deepEqual(
      map.nodes.map(({ kind, label }) => [kind, label]),
      [
        ['service', 'gateway'],
        ['service', 'payments'],
        ['db', 'postgresql'],
        ['external', 'bank:443'],
      ],
    );
  });

  it('the overview counts requests as they come', async () => {
    await send({ name: 'GET /', kind: 1, service: 'gateway', attributes: { 'http.response.status_code': 503 } });
    const { services } = await api<Overview>(viewer.url, 'overview?minutes=5');
    assert.equal(services[0].service, 'gateway');
    assert.deepEqual([services[0].total.count, services[0].total.errors], [1, 1]);
  });

  it('the status says what is stored and what was refused', async () => {
    await send({}, { traceId: '0'.repeat(32) });
    const status = await api<Status>(viewer.url, 'status');
    assert.equal(status.version, '1.2.3');
    assert.equal(status.storage.spans, 1);
    assert.equal(status.dropped.rejected, 1);
  });

  it('a trace that has not arrived is not there yet, and is complete once it has', async () => {
    await assert.rejects(api(viewer.url, `trace?id=${TRACE}`), /404.*nothing of trace a+ has arrived/);
    await send({ traceId: TRACE, parentSpanId: ROOT });
    assert.equal((await api<TraceView>(viewer.url, `trace?id=${TRACE}`)).summary.rootSeen, false);
    await send({ traceId: TRACE, spanId: ROOT });
    const view = await api<TraceView>(viewer.url, `trace?id=${TRACE}`);
    assert.equal(view.summary.rootSeen, true);
    assert.equal(view.version, 2);
  });
});

describe('live events', () => {
  /** Opens the stream; `seen` resolves with all events once one of them passes. */
  function follow() {
    const all: Change[] = [];
    let look = () => {};
    const req = get(`${viewer.url}/api/events`, (res) => {
      assert.equal(res.headers['content-type'], 'text/event-stream');
      res.setEncoding('utf8');
      res.on('data', (text: string) => {
        for (const [, data] of text.matchAll(/event: change\ndata: (.*)\n\n/g)) all.push(JSON.parse(data));
        look();
      });
    });
    req.on('error', () => {});
    const seen = (test: (change: Change) => boolean) =>
      new Promise<Change[]>((resolve) => {
        look = () => all.some(test) && resolve(all);
        look();
      });
    return { seen, close: () => req.destroy() };
  }

  it('come at once, and then at most four times a second', async () => {
    const began = performance.now();
    const { seen, close } = follow();
    const [first] = await seen(() => true);
    for (let i = 0; i < 20; i++) await send({ traceId: TRACE, name: `span ${i}` });
    const all = await seen(({ changed }) => changed.includes(TRACE));
    // However long it took: timers are never early.
    const allowed = 1 + Math.ceil((performance.now() - began) / 250);
    assert.ok(all.length <= allowed, `${all.length} events, ${allowed} allowed`);
    assert.equal(all.at(-1)!.traces, String(Number(first.traces) + 1));
    await postJson(`${viewer.url}/api/clear`, '{}');
    await seen(({ generation }) => generation > first.generation);
    close();
  });
});

describe('the page', () => {
  it('is served for every address of its own, and its files by their type', async () => {
    for (const path of ['/', `/t/${TRACE}`, '/traces?service=x', '/logs']) {
      const answer = await fetch(viewer.url + path);
      assert.match(answer.headers.get('content-type') ?? '', /text\/html/);
      assert.match(await answer.text(), /<title>page/);
    }
    const script = await fetch(`${viewer.url}/page.js`);
    assert.match(script.headers.get('content-type') ?? '', /javascript/);
    assert.equal((await fetch(`${viewer.url}/nothing.js`)).status, 404);
    assert.equal((await fetch(`${viewer.url}/../package.json`)).status, 404);
    const etag = script.headers.get('etag')!;
    assert.equal((await fetch(`${viewer.url}/page.js`, { headers: { 'if-none-match': etag } })).status, 304);
  });

  it('has a policy that lets nothing foreign in', async () => {
    const { headers } = await fetch(viewer.url);
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|https?:/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('o11y-kit-viewer'), '1.2.3');
  });

  it('that is not built is a plain message', async () => {
    const bare = await startViewerServer({ port: 0, version: '0' });
    const answer = await fetch(bare.url);
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /npm run build/);
    await bare.close();
  });
});

describe('who is let in', () => {
  function ask(method: string, path: string, headers: Record<string, string>): Promise<number> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: viewer.port, method, path, headers, agent: false };
      const req = httpRequest(options, (res) => {
        res.resume();
        resolve(res.statusCode ?? 0);
      });
      req.on('error', reject);
      req.end();
    });
  }
  const own = () => `http://localhost:${viewer.port}`;
  const host = () => `localhost:${viewer.port}`;
  const json = 'application/json';

  it('no name but this machine’s, for the page as for the API', async () => {
    for (const path of ['/', '/api/status', '/api/events']) {
      assert.equal(await ask('GET', path, { host: 'attacker.example' }), 403, path);
    }
  });

  it('no page of another origin may read or clear', async () => {
    const foreign: Record<string, string>[] = [
      { host: host(), origin: 'https://attacker.example' },
      { host: host(), origin: 'http://localhost:1' },
      { host: host(), 'sec-fetch-site': 'cross-site' },
      { host: host(), 'sec-fetch-site': 'same-site' },
      { host: host(), origin: 'null' },
    ];
    for (const headers of foreign) {
      assert.equal(await ask('GET', '/api/traces', headers), 403, JSON.stringify(headers));
      assert.equal(await ask('POST', '/api/clear', { ...headers, 'content-type': json }), 403, JSON.stringify(headers));
    }
    assert.equal(await ask('GET', '/api/traces', { host: host(), origin: own(), 'sec-fetch-site': 'same-origin' }), 200);
  });

  it('nothing changes by GET, and clearing wants JSON', async () => {
    await send({ name: 'kept' });
    assert.equal(await ask('GET', '/api/clear', { host: host() }), 404);
    assert.equal(await ask('POST', '/api/clear', { host: host(), 'content-type': 'text/plain' }), 415);
    assert.deepEqual(await list(''), ['kept']);
    assert.equal(await ask('POST', '/api/clear', { host: host(), origin: own(), 'content-type': json }), 204);
    assert.deepEqual(await list(''), []);
    assert.equal(await ask('DELETE', '/api/traces', { host: host() }), 405);
  });
});
