import assert from 'node:assert/strict';
import { existsSync, mkdtempSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { startViewer } from '../../viewer/testing.ts';
import { freePort } from '../support/free-port.ts';
import { sdkSpan } from '../viewer/sdk-span.ts';
import { postJson } from '../viewer/viewer-client.ts';
import { run, start } from './cli.ts';

const TRACE = 'c'.repeat(32);
const ROOT = 'a'.repeat(16);

async function send(url: string, ...spans: Parameters<typeof sdkSpan>[0][]): Promise<void> {
  const answer = await postJson(`${url}/v1/traces`, JsonTraceSerializer.serializeRequest(spans.map(sdkSpan))!);
  assert.equal(answer.status, 200);
}

async function view(...args: string[]) {
  const viewer = start(['view', '--port', '0', ...args]);
  const text = await viewer.says(/http:\/\/localhost:\d+/);
  const url = /http:\/\/localhost:\d+/.exec(text)![0];
  return { ...viewer, viewer, url, port: new URL(url).port };
}

describe('o11y-kit view', () => {
  it('says where it is, makes the folder for targets, and ends by a signal', async () => {
    const state = mkdtempSync(join(tmpdir(), 'view-state-'));
    const viewer = start(['view', '--port', '0'], { XDG_STATE_HOME: state });
    await viewer.says('node --import o11y-kit/preload app.js');
    assert.ok(existsSync(join(state, 'o11y-kit', 'targets')));
    viewer.child.kill('SIGTERM');
    assert.equal(await viewer.ended, 0);
  });

  it('prints a line for each request, with what is hostile in it made harmless', async () => {
    const { viewer, url } = await view('--no-page');
    await send(
      url,
      {
        kind: 1,
        name: 'GET /orders/:id',
        durationMs: 12.3,
        traceId: TRACE,
        attributes: { 'http.request.method': 'GET', 'http.route': '/orders/:id', 'http.response.status_code': 200 },
      },
      { kind: 2, name: 'a step within', parentSpanId: ROOT },
      { kind: 1, name: 'evil \u001b]0;title\u0007\r\nend', error: 'card \u202edeclined', parentSpanId: ROOT },
    );
    await viewer.says('declined');
    const lines = viewer.out.trimEnd().split('\n');
    assert.equal(lines.length, 2);
    assert.match(lines[0], /^\d\d:\d\d:\d\d\.\d{3} {2}200 {4}GET \/orders\/:id +12\.3 ms {2}shop {2}c{32}$/);
    assert.match(lines[1], /error {2}evil ␛\]0;title␇␍␊end.*card �declined/);
    viewer.child.kill('SIGINT');
    assert.equal(await viewer.ended, 0);
  });

  it('has nothing to say on stdout in a pipe but lines', async () => {
    const { viewer } = await view('--no-page');
    assert.equal(viewer.out, '');
    viewer.child.kill();
    await viewer.ended;
  });
});

describe('a port that is taken', () => {
  async function taken(server: Server | ReturnType<typeof createServer>): Promise<{ code: unknown; err: string; port: number }> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, err } = await run(['view', '--port', String(port)]);
    server.close();
    return { code, err, port };
  }
  const http = (handler: RequestListener) => taken(createServer(handler));

  it('by a viewer is said, with its version and address', async () => {
    const { viewer, port } = await view();
    const { code, err } = await run(['view', '--port', port]);
    assert.equal(code, 1);
    assert.match(err, new RegExp(`A viewer \\(\\d.*\\) already answers on port ${port}: open http://localhost:${port}`));
    viewer.child.kill();
    await viewer.ended;
  });

  it('by a collector is said, with what it says of itself', async () => {
    const { code, err, port } = await http((req, res) => {
      req.resume();
      res.setHeader('server', 'collector/1');
      res.end('{"partialSuccess":{}}');
    });
    assert.equal(code, 1);
    assert.match(err, new RegExp(`collector \\(it says "collector/1"\\) already answers on port ${port}`));
    assert.match(err, /--port N and set OTEL_EXPORTER_OTLP_ENDPOINT/);
  });

  it('by something else is said', async () => {
    const { code, err } = await http((_, res) => res.writeHead(404).end('<h1>no'));
    assert.equal(code, 1);
    assert.match(err, /Something else listens on port \d+, and it does not take telemetry/);
  });

  it('by something that speaks no HTTP is said', async () => {
    const { err } = await taken(createTcpServer((socket) => socket.end('220 mail ready\r\n')));
    assert.match(err, /Something else listens on port/);
  });
});

describe('o11y-kit trace', () => {
  it('prints the tree of a trace, with its log lines in place', async () => {
    const { viewer, url, port } = await view();
    await send(
      url,
      { traceId: TRACE, spanId: ROOT, name: 'POST /checkout', kind: 1, durationMs: 40, startMs: 1_700_000_000_000 },
      {
        traceId: TRACE,
        spanId: 'b'.repeat(16),
        parentSpanId: ROOT,
        name: 'POST payments',
        durationMs: 20,
        startMs: 1_700_000_000_010,
        error: 'no',
      },
    );
    const record = {
      timeUnixNano: '1',
      severityNumber: 17,
      body: { stringValue: 'card \u001b[31mdeclined' },
      traceId: TRACE,
      spanId: 'b'.repeat(16),
    };
    await postJson(`${url}/v1/logs`, JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }));
    const { code, out } = await run(['trace', `${url}/t/${TRACE}`, '--port', port]);
    assert.equal(code, 0);
    const lines = out.trimEnd().split('\n');
    assert.match(lines[1], /40\.0 ms {2}2 spans, 1 error/);
    assert.match(lines[3], /^POST \/checkout +shop \|={30}\| +40\.0 ms$/);
    assert.match(lines[4], /^└ POST payments +shop \| {7}={16} {7}\| +20\.0 ms {2}error$/);
    assert.match(lines[5], /^ {4}error: card declined$/);
    viewer.child.kill();
    await viewer.ended;
  });

  it('waits for a trace that has not arrived, and for its root', async () => {
    const { viewer, url, port } = await view();
    const waiting = start(['trace', TRACE, '--wait', '--port', port]);
    await send(url, { traceId: TRACE, parentSpanId: ROOT, name: 'child' });
    await send(url, { traceId: TRACE, spanId: ROOT, name: 'root' });
    assert.equal(await waiting.ended, 0, waiting.err);
    assert.match(waiting.out, /^root .*\n└ child /m);
    const { code, err } = await run(['trace', 'd'.repeat(32), '--port', port]);
    assert.equal(code, 1);
    assert.match(err, /Nothing of trace d+ has arrived \(--wait waits for it\)/);
    viewer.child.kill();
    await viewer.ended;
  });

  it('says who is there instead of a viewer', async () => {
    const nobody = await run(['trace', TRACE, '--port', String(await freePort())]);
    assert.equal(nobody.code, 1);
    assert.match(nobody.err, /No viewer answers on port \d+. Start one with: o11y-kit view/);
    const receiver = await startViewer();
    const collector = await run(['trace', TRACE, '--port', String(receiver.port)]);
    assert.match(collector.err, /collector already answers.*No viewer to ask/s);
    await receiver.close();
  });
});
