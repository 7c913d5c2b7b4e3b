import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { until } from '../support/until.ts';

const fixtures = join(import.meta.dirname, '../apps/fixtures');

for (const file of ['ws80.cjs', 'ws80.mjs', 'ws8.cjs', 'ws8.mjs']) {
  suite(`ws: ${file}`, () => {
    let viewer: TestViewer;
    let app: App;

    before(async () => {
      viewer = await startViewer();
      app = await spawnApp({ args: [join(fixtures, file)], endpoint: viewer.url, env: { OTEL_SERVICE_NAME: 'chat' } });
    });

    after(async () => {
      await app?.kill();
      await viewer?.close();
    });

    async function connect(): Promise<WebSocket> {
      const socket = new WebSocket(`ws://127.0.0.1:${app.port}/chat`);
      await once(socket, 'open');
      return socket;
    }

    /** Sends a message and waits until the one behind it has come back. */
    async function say(socket: WebSocket, text: string): Promise<void> {
      socket.send(text);
      socket.send('echo');
      await once(socket, 'message');
    }

    test('the span of a connection ends when it is open; it counts as an open stream until it is closed', async () => {
      const socket = await connect();
      const [upgrade] = await viewer.waitForSpans({ name: 'GET /chat', kind: 'server' });
      assert.equal(upgrade.attributes['http.response.status_code'], 101);
      const open = 'http_server_open_streams{http_route="/chat",network_protocol_name="websocket"}';
      assert.ok((await app.metrics()).includes(`${open} 1\n`));
      socket.close();
      await until('the closed stream', async () => (await app.metrics()).includes(`${open} 0\n`));
      assert.doesNotMatch(await app.metrics(), /http_server_request_duration_seconds_count\{[^}]*http_route="\/chat"/);
      const [closed] = await viewer.waitForLogs({ body: 'closed' });
      assert.equal(closed.traceId, upgrade.traceId);
    });

    test('a message that leaves a trace has one of its own, linked to that of its connection; others have none', async () => {
      viewer.clear();
      const socket = await connect();
      const [upgrade] = await viewer.waitForSpans({ name: 'GET /chat', kind: 'server' });
      for (const text of ['quiet', 'log', 'later']) await say(socket, text);
      const spans = [];
      for (const body of ['message logged', 'message logged later']) {
        const [line] = await viewer.waitForLogs({ body });
        assert.equal(line.attributes.correlation_id, upgrade.attributes['correlation.id'], body);
        const [span] = await viewer.waitForSpans({ spanId: line.spanId });
        assert.notEqual(span.traceId, upgrade.traceId);
        assert.deepEqual([span.name, span.kind, span.parentSpanId], ['process /chat', 'consumer', '']);
        assert.deepEqual(
          span.links.map((link) => [link.traceId, link.spanId]),
          [[upgrade.traceId, upgrade.spanId]],
        );
        assert.equal(span.attributes['messaging.system'], 'websocket');
        assert.equal(span.attributes['correlation.id'], upgrade.attributes['correlation.id']);
        spans.push(span);
      }
      assert.equal(viewer.spans({ kind: 'consumer' }).length, spans.length, 'none of `quiet` and of what is sent back');
      socket.close();
    });

    test('messages are counted by route, those of a client by its server', async () => {
      const response = await fetch(`http://127.0.0.1:${app.port}/`, { headers: { 'x-correlation-id': 'as-client' } });
      assert.equal(await response.text(), 'hello');
      const [line] = await viewer.waitForLogs({ body: 'client got hello' });
      assert.equal(line.attributes.correlation_id, 'as-client');
      const server = `127.0.0.1:${app.port}`;
      const page = await app.metrics();
      const value = (name: string, destination: string) => {
        const labels = `messaging_system="websocket",messaging_destination_name="${destination}",error_type=""`;
        return Number(page.split(`\n${name}{${labels}} `)[1]?.split('\n', 1)[0]);
      };
      // quiet, log, later, each with an echo behind it, and hello
      assert.equal(value('messaging_process_duration_seconds_count', '/chat'), 7, page);
      assert.equal(value('messaging_client_sent_messages_total', '/chat'), 4);
      assert.equal(value('messaging_process_duration_seconds_count', server), 1);
      assert.equal(value('messaging_client_sent_messages_total', server), 1);
      // GET /
      //   GET         the client's handshake
      //     GET /chat
      const trace = await viewer.waitForTrace((one) => one.root?.attributes['correlation.id'] === 'as-client', { spans: 3 });
      assert.deepEqual(
        trace.spans.map(({ name, kind }) => `${name} ${kind}`),
        ['GET server', 'GET client', 'GET /chat server'],
      );
      assert.doesNotMatch(app.stderr(), /o11y-kit: warn/);
    });
  });
}
