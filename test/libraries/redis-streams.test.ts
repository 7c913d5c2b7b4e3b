import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { needsRedis, type RedisServer, startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';

const fixtures = join(import.meta.dirname, '../apps/fixtures');

/** Fixture and the key of its stream on the server. */
const CASES = [
  ['ioredis4-streams.cjs', 'orders'],
  ['ioredis5-streams.cjs', 'orders'],
  ['ioredis6-streams.mjs', 'shop:orders'],
  ['redis5-streams.cjs', 'orders'],
  ['redis6-streams.mjs', 'orders'],
] as const;

suite('Redis Streams', { skip: needsRedis, concurrency: true }, () => {
  for (const [file, stream] of CASES) suiteOf(file, stream);
});

function suiteOf(file: string, stream: string): void {
  suite(file, { concurrency: 1 }, () => {
    let redis: RedisServer;
    let viewer: TestViewer;
    let app: App;

    before(async () => {
      redis = await startRedis();
      viewer = await startViewer();
      app = await spawnApp({
        args: [join(fixtures, file)],
        endpoint: viewer.url,
        env: { REDIS_PORT: String(redis.port), OTEL_SERVICE_NAME: 'kitchen' },
      });
    });

    after(async () => {
      await app?.kill();
      await viewer?.close();
      await redis?.stop();
    });

    async function call(path: string, id: string): Promise<any> {
      const response = await fetch(`http://127.0.0.1:${app.port}${path}`, { headers: { 'x-correlation-id': id } });
      assert.equal(response.status, 200, app.stderr());
      return response.json();
    }

    test('an entry carries the trace and the correlation id; a reader with the kit sees what was written', async () => {
      const id = await call('/write', 'an-order');
      const [request] = await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': 'an-order' } });
      const raw = await rawEntries(redis.port, stream);
      assert.match(
        raw,
        new RegExp(`traceparent\\b[\\s\\S]*00-${request.traceId}-[0-9a-f]{16}-01[\\s\\S]*x-correlation-id\\b[\\s\\S]*an-order`),
      );
      assert.deepEqual(await call('/range', 'look'), [{ id, fields: { item: 'tea' } }]);
      assert.deepEqual(await call('/read', 'cook'), [{ id, fields: { item: 'tea' } }]);
      // GET /read
      //   receive orders   with a link to the request that wrote the entry
      const [receive] = await viewer.waitForSpans({ name: `receive ${stream}` });
      const [reader] = await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': 'cook' } });
      assert.equal(receive.traceId, reader.traceId);
      assert.equal(receive.attributes['messaging.operation.type'], 'receive');
      assert.deepEqual(
        receive.links.map(({ traceId }) => traceId),
        [request.traceId],
      );
      assert.equal(viewer.spans({ name: `receive ${stream}` }).length, 1, 'looking through a stream receives nothing');
    });

    test('a traceparent of the app’s own is left to it', async () => {
      const id = await call('/write-own', 'own');
      assert.deepEqual(await call('/read', 'read-own'), [{ id, fields: { item: 'tea', traceparent: 'mine' } }]);
    });

    test('a blocking read is no different', async () => {
      const waited = call('/wait', 'waits');
      await until('the blocking read', async () => (await send(redis.port, 'INFO clients')).includes('blocked_clients:1'));
      const id = await call('/write', 'wakes');
      assert.deepEqual(await waited, [{ id, fields: { item: 'tea' } }]);
    });

    test('length, lag and pending entries of the stream and its groups are metrics', async () => {
      const page = await until(
        'length and lag',
        async () => {
          const text = await app.metrics();
          return text.includes(`redis_stream_length{stream="${stream}"} 3\n`) && text;
        },
        { everyMs: 500 },
      );
      const streams = [...page.matchAll(/^redis_stream_length\{stream="([^"]*)"/gm)].map(([, name]) => name);
      assert.deepEqual(streams, [stream], 'no word of a command is taken for a stream');
      assert.ok(page.includes(`redis_stream_group_lag{stream="${stream}",group="kitchen"} 1\n`), page);
      assert.ok(page.includes(`redis_stream_group_pending{stream="${stream}",group="kitchen"} 2\n`));
      assert.match(page, /messaging_client_sent_messages_total\{messaging_system="redis_streams"[^}]*\} 3\n/);
      assert.match(page, /o11y_collector_success\{collector="redis_streams"\} 1\n/);
      assert.doesNotMatch(app.stderr(), /o11y-kit: warn/);
      assert.deepEqual(await app.kill('SIGTERM'), { code: 0, signal: null });
    });
  });
}

test('switched off, entries are what the app writes', { skip: needsRedis }, async () => {
  await using redis = await startRedis();
  await using app = await spawnApp({
    args: [join(fixtures, 'ioredis5-streams.cjs')],
    env: { REDIS_PORT: String(redis.port), OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'redis-streams' },
  });
  await fetch(`http://127.0.0.1:${app.port}/write`);
  const raw = await rawEntries(redis.port, 'orders');
  assert.ok(raw.includes('tea') && !raw.includes('traceparent'), raw);
  assert.doesNotMatch(await app.metrics(), /redis_stream_length\{/);
});

function rawEntries(port: number, stream: string): Promise<string> {
  return send(port, `XRANGE ${stream} - +`);
}

/** Sends an inline command and returns the answer as RESP writes it. */
async function send(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  // The server ends the connection behind the answer.
  socket.write(`${command}\r\nQUIT\r\n`);
  await once(socket, 'close');
  return answer;
}
