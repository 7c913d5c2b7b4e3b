import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { parseSamples } from '../frameworks/samples.ts';
import { type App, spawnApp } from '../support/app.ts';
import { until } from '../support/until.ts';

const fixtures = join(import.meta.dirname, '../apps/fixtures');
const require = createRequire(join(fixtures, 'x.cjs'));

const SYSTEM = 'socket.io';
const RECEIVED = 'messaging_process_duration_seconds_count';
const SENT = 'messaging_client_sent_messages_total';

// The lowest and the highest supported version, whose clients differ too.
for (const [file, client] of [
  ['socket-io40.cjs', 'socket.io-client40'],
  ['socket-io40.mjs', 'socket.io-client40'],
  ['socket-io4.cjs', 'socket.io-client'],
  ['socket-io4.mjs', 'socket.io-client'],
]) {
  for (const transport of ['websocket', 'polling']) {
    suite(`socket.io: ${file}, ${transport}`, { concurrency: 1 }, () => observed(file, client, transport));
  }
}

function isPoll(attributes: Readonly<Record<string, unknown>>): boolean {
  return attributes['http.request.method'] === 'GET' && /sid=/.test(`${attributes['url.query']}`);
}

function observed(file: string, client: string, transport: string): void {
  const { io } = require(client);
  let viewer: TestViewer;
  let app: App;
  let connections = 0;

  before(async () => {
    viewer = await startViewer();
    app = await spawnApp({ args: [join(fixtures, file)], endpoint: viewer.url, env: { OTEL_SERVICE_NAME: 'chat' } });
  });

  after(async () => {
    await app?.kill();
    await viewer?.close();
  });

  /** A client with a connection and a correlation id of its own. */
  async function connect(namespace = '/chat'): Promise<{ socket: any; id: string } & Disposable> {
    const id = `connection-${++connections}`;
    const socket = io(`http://127.0.0.1:${app.port}${namespace}`, {
      transports: [transport],
      forceNew: true,
      reconnection: false,
      extraHeaders: { 'x-correlation-id': id },
    });
    await once(socket, 'connect');
    return { socket, id, [Symbol.dispose]: () => socket.disconnect() };
  }

  /** Sends an event and waits until the one behind it has been acknowledged. */
  async function say(socket: any, event: string): Promise<void> {
    socket.emit(event, 'secret-value');
    await new Promise((resolve) => socket.emit('echo', 'secret-value', resolve));
  }

  /** The first request of a connection. */
  async function opener(id: string) {
    const [span] = await viewer.waitForSpans(
      (each) =>
        each.kind === 'server' && each.attributes['correlation.id'] === id && !/sid=/.test(`${each.attributes['url.query']}`),
    );
    return span;
  }

  async function value(name: string, labels: Record<string, string>): Promise<number> {
    return parseSamples(await app.metrics(), name)
      .filter((sample) => Object.entries(labels).every(([key, wanted]) => sample.labels[key] === wanted))
      .reduce((sum, sample) => sum + sample.value, 0);
  }

  const inNamespace = (namespace: string, error = '') => ({
    messaging_system: SYSTEM,
    messaging_destination_name: namespace,
    error_type: error,
  });

  test('what belongs to a connection carries the ids of its first request', async () => {
    const connection = await connect();
    const first = await opener(connection.id);
    assert.equal(first.name, 'GET /socket.io/');
    connection.socket.disconnect();
    for (const body of ['admitted', 'connected', 'disconnected']) {
      const [line] = await viewer.waitForLogs({ body });
      assert.equal(line.attributes.correlation_id, connection.id, body);
      assert.equal(line.traceId, first.traceId, body);
    }
  });

  test('an event that leaves a trace has one of its own, linked to that of its connection; others have none', async () => {
    viewer.clear();
    using connection = await connect();
    const first = await opener(connection.id);
    for (const event of ['quiet', 'log', 'later', 'checked']) await say(connection.socket, event);
    for (const [body, event] of [
      ['event logged', 'log'],
      ['event logged later', 'later'],
      ['middleware logged', 'checked'],
      ['checked event logged', 'checked'],
    ]) {
      const [line] = await viewer.waitForLogs({ body });
      assert.equal(line.attributes.correlation_id, connection.id, body);
      const [span] = await viewer.waitForSpans({ spanId: line.spanId });
      assert.deepEqual([span.name, span.kind, span.parentSpanId], [`process /chat ${event}`, 'consumer', '']);
      assert.deepEqual(
        span.links.map((link) => [link.traceId, link.spanId]),
        [[first.traceId, first.spanId]],
      );
      assert.equal(span.attributes['messaging.system'], SYSTEM);
      assert.equal(span.attributes['messaging.destination.name'], '/chat');
      assert.equal(span.attributes['messaging.operation.name'], event);
      assert.equal(span.attributes['correlation.id'], connection.id);
    }
    // log, later, and one for middleware and handler of checked
    assert.equal(viewer.spans({ kind: 'consumer' }).length, 3);
  });

  test('names that a client makes up are told nowhere', async () => {
    using connection = await connect();
    await say(connection.socket, 'strange-name-of-a-client');
    const [line] = await viewer.waitForLogs({ body: 'something strange' });
    const [span] = await viewer.waitForSpans({ spanId: line.spanId });
    assert.equal(span.name, 'process /chat');
    assert.equal(span.attributes['messaging.operation.name'], 'message');
    assert.doesNotMatch(JSON.stringify(span.attributes) + (await app.metrics()), /strange-name|secret-value/);
  });

  test('an event that middleware turns down is one that failed', async () => {
    using connection = await connect();
    await say(connection.socket, 'forbidden');
    const [line] = await viewer.waitForLogs({ body: 'refused' });
    const [span] = await viewer.waitForSpans({ spanId: line.spanId });
    assert.deepEqual([span.name, span.status.code, span.attributes['error.type']], ['process /chat forbidden', 'error', 'Error']);
    assert.equal(await value(RECEIVED, inNamespace('/chat', 'Error')), 1);
  });

  test('an acknowledgement comes back to the request that asked for it', async () => {
    using connection = await connect();
    connection.socket.on('question', (answer: (text: string) => void) => answer('forty-two'));
    const response = await fetch(`http://127.0.0.1:${app.port}/ask`, { headers: { 'x-correlation-id': 'asks' } });
    assert.equal(await response.text(), 'forty-two');
    const [line] = await viewer.waitForLogs({ body: 'acknowledged' });
    assert.equal(line.attributes.correlation_id, 'asks');
  });

  test('events are counted by namespace, those of a broadcast for each receiver, frames and polls not at all', async () => {
    const received = await value(RECEIVED, inNamespace('/chat'));
    const sent = await value(SENT, inNamespace('/chat'));
    using one = await connect();
    using two = await connect();
    const said = [one, two].map(({ socket }) => once(socket, 'said'));
    await fetch(`http://127.0.0.1:${app.port}/say`);
    await Promise.all(said);
    await say(one.socket, 'quiet');
    assert.equal(await value(RECEIVED, inNamespace('/chat')), received + 2, 'quiet and echo');
    assert.equal(await value(SENT, inNamespace('/chat')), sent + 2, 'acknowledgements are none');

    for (const name of ['/room-1', '/room-2']) {
      using room = await connect(name);
      await say(room.socket, 'quiet');
    }
    assert.equal(await value(RECEIVED, inNamespace('/^\\/room-\\d+$/')), 4, 'a namespace by pattern');

    const plain = new WebSocket(`ws://127.0.0.1:${app.port}/plain`);
    await once(plain, 'open');
    plain.send('text');
    await once(plain, 'message');
    plain.close();
    assert.equal(await value(RECEIVED, { messaging_system: 'websocket' }), 1, 'the plain WebSocket beside it');
    assert.equal(await value(SENT, { messaging_system: 'websocket' }), 1);
  });

  test('a connection is an open stream, and its polls stay out of the latency histogram', async () => {
    const streams = { http_route: '/socket.io/', network_protocol_name: transport };
    const requests = () => value('http_server_request_duration_seconds_count', { http_route: '/socket.io/' });
    await until('no open streams', async () => (await value('http_server_open_streams', streams)) === 0);
    const before = await requests();
    const connection = await connect();
    await until('the open stream', async () => (await value('http_server_open_streams', streams)) === 1);
    assert.equal(await value('http_server_active_requests', { http_request_method: 'GET' }), 0);
    for (const _ of Array(3)) await say(connection.socket, 'quiet');
    connection.socket.disconnect();
    await until('the closed stream', async () => (await value('http_server_open_streams', streams)) === 0);
    if (transport === 'websocket') return assert.equal(await requests(), before);
    // Spans come in batches: asked for anew each time.
    await until('as many in the histogram as there are requests but polls', async () => {
      const mine = viewer.spans({ kind: 'server', attributes: { 'correlation.id': connection.id } });
      const polls = mine.filter(({ attributes }) => isPoll(attributes));
      return polls.length > 0 && (await requests()) - before === mine.length - polls.length;
    });
  });

  test('a poll that is turned down is a request that failed', async () => {
    const response = await fetch(`http://127.0.0.1:${app.port}/socket.io/?EIO=4&transport=polling&sid=gone`);
    assert.equal(response.status, 400);
    const refused = { http_route: '/socket.io/', http_response_status_code: '400' };
    assert.equal(await value('http_server_request_duration_seconds_count', refused), 1);
  });

  for (const event of ['throws', 'rejects']) {
    test(`an app whose handler ${event} ends as it does without the kit`, async () => {
      const ends = await Promise.all(
        ([false, 'import'] as const).map(async (preload) => {
          await using other = await spawnApp({ args: [join(fixtures, file)], preload, endpoint: viewer.url });
          const socket = io(`http://127.0.0.1:${other.port}/chat`, {
            transports: [transport],
            forceNew: true,
            reconnection: false,
          });
          await once(socket, 'connect');
          socket.emit(event);
          const exit = await other.exited;
          socket.disconnect();
          return { exit, message: /Error: \w+ by a handler/.exec(other.stderr())?.[0] };
        }),
      );
      assert.deepEqual(ends[1], ends[0]);
      assert.equal(ends[0].exit.code, 1);
    });
  }

  test('nothing is warned of', () => assert.doesNotMatch(app.stderr(), /o11y-kit: warn|MaxListeners/));
}
