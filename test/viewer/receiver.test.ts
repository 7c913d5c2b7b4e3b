import assert from 'node:assert/strict';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { sdkSpan } from './sdk-span.ts';

const MAX_BODY = 64 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };
const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const spansJson = Buffer.from(JsonTraceSerializer.serializeRequest([sdkSpan({ name: 'one' })])!);
const spansProtobuf = Buffer.from(ProtobufTraceSerializer.serializeRequest([sdkSpan({ name: 'one' })])!);

let viewer: TestViewer;
before(async () => {
  viewer = await startViewer({ maxBodyBytes: MAX_BODY });
});
beforeEach(() => viewer.clear());
after(() => viewer.close());

describe('OTLP/HTTP bodies', () => {
  const accepted: [string, Buffer, Record<string, string>][] = [
    ['JSON', spansJson, JSON_TYPE],
    ['JSON with a charset', spansJson, { 'content-type': 'Application/JSON; charset=utf-8' }],
    ['protobuf', spansProtobuf, PROTOBUF],
    ['gzip', gzipSync(spansJson), { ...JSON_TYPE, 'content-encoding': 'gzip' }],
    ['deflate', deflateSync(spansProtobuf), { ...PROTOBUF, 'content-encoding': 'deflate' }],
    ['deflate without its header', deflateRawSync(spansProtobuf), { ...PROTOBUF, 'content-encoding': 'deflate' }],
    ['identity', spansJson, { ...JSON_TYPE, 'content-encoding': 'identity' }],
  ];
  for (const [what, body, headers] of accepted) {
    it(`${what} is accepted`, async () => {
      const answer = await post('/v1/traces', body, headers);
      assert.equal(answer.status, 200, answer.body.toString());
      assert.equal(answer.headers['content-type'], headers['content-type'].toLowerCase().split(';')[0]);
      assert.equal(answer.body.toString(), headers['content-type'] === PROTOBUF['content-type'] ? '' : '{}');
      assert.deepEqual(
        viewer.spans().map((span) => span.name),
        ['one'],
      );
    });
  }

  const refused: [string, number, RegExp, Buffer, Record<string, string>][] = [
    ['cut JSON', 400, /not JSON/, spansJson.subarray(0, 50), JSON_TYPE],
    ['cut protobuf', 400, /bytes wanted/, spansProtobuf.subarray(0, 50), PROTOBUF],
    ['what is no gzip', 400, /no gzip/, spansJson, { ...JSON_TYPE, 'content-encoding': 'gzip' }],
    ['cut gzip', 400, /no gzip/, gzipSync(spansJson).subarray(0, 40), { ...JSON_TYPE, 'content-encoding': 'gzip' }],
    [
      'brotli',
      415,
      /br.*is not supported: gzip, deflate or none/,
      brotliCompressSync(spansJson),
      { ...JSON_TYPE, 'content-encoding': 'br' },
    ],
    ['a form', 415, /x-www-form-urlencoded.*wanted/, spansJson, { 'content-type': 'application/x-www-form-urlencoded' }],
    ['no content type', 415, /none: application\/x-protobuf/, spansJson, {}],
    ['too large a body', 413, /larger than 65536 bytes/, Buffer.alloc(MAX_BODY + 1, ' '), JSON_TYPE],
    [
      'a gzip bomb',
      413,
      /larger than 65536 bytes/,
      gzipSync(Buffer.alloc(50 * 1024 * 1024)),
      { ...PROTOBUF, 'content-encoding': 'gzip' },
    ],
    [
      'a deflate bomb',
      413,
      /larger than 65536 bytes/,
      deflateSync(Buffer.alloc(50 * 1024 * 1024)),
      { ...PROTOBUF, 'content-encoding': 'deflate' },
    ],
  ];
  for (const [what, status, message, body, headers] of refused) {
    it(`${what} is answered with ${status}, and nothing is stored`, async () => {
      const answer = await post('/v1/traces', body, headers);
      assert.equal(answer.status, status);
      assert.match(answer.body.toString(), message);
      assert.equal(viewer.spans().length, 0);
    });
  }

  it('a body without a length is stopped at the limit', async () => {
    const answer = await post('/v1/traces', Buffer.alloc(MAX_BODY * 2, ' '), { ...JSON_TYPE, 'transfer-encoding': 'chunked' });
    assert.equal(answer.status, 413);
  });

  it('a body that ends early leaves the server as it was', async () => {
    const socket = connect(viewer.port, '127.0.0.1');
    socket.write('POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.destroy();
    assert.equal((await post('/v1/traces', spansJson, JSON_TYPE)).status, 200);
  });

  it('refused records are counted in a partial success', async () => {
    const mixed = [sdkSpan({ name: 'good' }), sdkSpan({ name: 'bad', traceId: '0'.repeat(32) })];
    const json = await post('/v1/traces', Buffer.from(JsonTraceSerializer.serializeRequest(mixed)!), JSON_TYPE);
    const { partialSuccess } = JSON.parse(json.body.toString());
    assert.equal(partialSuccess.rejectedSpans, '1');
    assert.match(partialSuccess.errorMessage, /trace id/);

    const body = Buffer.from(ProtobufTraceSerializer.serializeRequest(mixed)!);
    const protobuf = await post('/v1/traces', body, PROTOBUF);
    assert.equal(protobuf.status, 200);
    const partial = ProtobufTraceSerializer.deserializeResponse(protobuf.body).partialSuccess;
    assert.equal(Number(partial?.rejectedSpans), 1);
    assert.match(partial?.errorMessage ?? '', /trace id/);
    assert.deepEqual(
      viewer.spans().map((span) => span.name),
      ['good', 'good'],
    );
  });
});

describe('who may talk to it', () => {
  const hosts: [string, number][] = [
    ['localhost:4318', 200],
    ['127.0.0.1', 200],
    ['[::1]:4318', 200],
    ['app.localhost:1', 200],
    ['host.docker.internal:4318', 200],
    ['attacker.example', 403],
    ['localhost.attacker.example', 403],
    ['localhost@attacker.example', 403],
  ];
  for (const [host, status] of hosts) {
    it(`Host "${host}" is answered with ${status}`, async () => {
      assert.equal((await post('/v1/traces', spansJson, { ...JSON_TYPE, host })).status, status);
      assert.equal(viewer.spans().length, status === 200 ? 1 : 0);
    });
  }

  it('a page of this machine may send, after asking', async () => {
    const origin = 'http://localhost:5173';
    const asked = await send('OPTIONS', '/v1/traces', undefined, {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-team',
    });
    assert.equal(asked.status, 204);
    assert.equal(asked.headers['access-control-allow-origin'], origin);
    assert.equal(asked.headers['access-control-allow-headers'], 'content-type,x-team');
    const sent = await post('/v1/traces', spansJson, { ...JSON_TYPE, origin });
    assert.equal(sent.status, 200);
    assert.equal(sent.headers['access-control-allow-origin'], origin);
  });

  it('a page of another site may not', async () => {
    const origin = 'https://attacker.example';
    const asked = await send('OPTIONS', '/v1/traces', undefined, { origin });
    assert.equal(asked.headers['access-control-allow-origin'], undefined);
    assert.equal((await post('/v1/traces', spansJson, { ...JSON_TYPE, origin })).status, 403);
    assert.equal(viewer.spans().length, 0);
  });

  it('only POST is taken, other paths are unknown', async () => {
    const got = await send('GET', '/v1/traces');
    assert.equal(got.status, 405);
    assert.match(got.headers.allow ?? '', /POST/);
    assert.equal((await post('/v1/nothing', spansJson, JSON_TYPE)).status, 404);
  });
});

interface Answer {
  status: number;
  headers: Record<string, string | undefined>;
  body: Buffer;
}

function post(path: string, body: Buffer, headers: Record<string, string>): Promise<Answer> {
  return send('POST', path, body, headers);
}

/** `fetch` does not let one choose `Host` and `Origin`. */
function send(method: string, path: string, body?: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  const options: RequestOptions = { host: '127.0.0.1', port: viewer.port, method, path, headers, agent: false };
  return new Promise((resolve, reject) => {
    const req = httpRequest(options, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk) => chunks.push(chunk));
      res.on('end', () =>
        resolve({ status: res.statusCode!, headers: res.headers as Answer['headers'], body: Buffer.concat(chunks) }),
      );
    });
    req.on('error', reject);
    req.end(body);
  });
}
