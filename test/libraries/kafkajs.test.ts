import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { type Span, startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type DatabaseApp, startApp } from '../databases/app.ts';
import { parseSamples } from '../frameworks/samples.ts';
import { type KafkaServer, needsKafka, startKafka } from '../support/servers/kafka.ts';

suite('kafkajs', { skip: needsKafka, timeout: 180_000 }, () => {
  let kafka: KafkaServer;
  let viewer: TestViewer;
  /** Two services with the kit, and one without. */
  let shop: DatabaseApp;
  let billing: DatabaseApp;
  let bare: DatabaseApp;
  before(async () => {
    [kafka, viewer] = await Promise.all([startKafka(), startViewer()]);
    const start = (name: string) =>
      startApp('kafkajs-topics', kafka.url, {
        endpoint: viewer.url,
        env: { LIBRARY: 'kafkajs', OTEL_SERVICE_NAME: name },
        ...(name === 'bare' && { preload: false }),
      });
    [shop, billing, bare] = await Promise.all(['shop', 'billing', 'bare'].map(start));
  });
  after(async () => {
    for (const app of [shop, billing, bare]) await app?.kill();
    await viewer?.close();
    await kafka?.stop();
  });

  /** Topics that no other test knows. */
  async function topics(...names: string[]): Promise<string[]> {
    const own = names.map((name) => `${name}-${randomBytes(4).toString('hex')}`);
    await shop.ask(`topics?names=${own.join()}`);
    return own;
  }

  /** An action as a request of a trace of its own. */
  async function ask(app: DatabaseApp, path: string) {
    const [traceId, correlationId] = [randomBytes(16).toString('hex'), `kafka:${randomBytes(4).toString('hex')}`];
    const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`, 'x-correlation-id': correlationId };
    const { status, body } = await app.ask(path, headers);
    assert.equal(status, 200, JSON.stringify(body));
    return { traceId, correlationId, body };
  }

  async function only(filter: { name: string }): Promise<Span> {
    const [span, ...others] = await viewer.waitForSpans(filter, { timeout: 20_000 });
    assert.deepEqual(others, []);
    return span;
  }

  const linked = ({ links }: Span) => links.map(({ spanId }) => spanId);

  test('a batch of messages of several traces is a trace of its own, linked to each', async () => {
    const [topic] = await topics('several');
    const sent = [];
    for (const value of ['one', 'two']) sent.push(await ask(shop, `send?topic=${topic}&value=${value}`));
    const { body } = await ask(shop, `consume?topic=${topic}&count=2&kind=batch`);
    assert.deepEqual(
      body.map(({ value }: any) => value),
      ['one', 'two'],
    );
    const span = await only({ name: `process ${topic}` });
    const sends = await viewer.waitForSpans({ name: `send ${topic}` }, { count: 2 });
    assert.equal(span.parentSpanId, '');
    assert.deepEqual(linked(span).sort(), sends.map(({ spanId }) => spanId).sort());
    for (const { traceId, correlationId } of sent) {
      assert.notEqual(span.traceId, traceId);
      assert.notEqual(span.attributes['correlation.id'], correlationId);
    }
    assert.match(String(span.attributes['correlation.id']), /^[0-9a-f-]{36}$/);
    assert.equal(span.attributes['messaging.batch.message_count'], 2);
  });

  test('a batch of messages of one trace is a part of it, linked to those that are not its parent', async () => {
    const [topic] = await topics('one');
    const { traceId, correlationId } = await ask(shop, `send?topic=${topic}&value=one,two,three`);
    await ask(shop, `consume?topic=${topic}&count=3&kind=batch`);
    const send = await only({ name: `send ${topic}` });
    const span = await only({ name: `process ${topic}` });
    assert.equal(span.traceId, traceId);
    assert.equal(span.parentSpanId, send.spanId);
    assert.equal(span.attributes['correlation.id'], correlationId);
    assert.deepEqual(linked(span), []);
  });

  test('a batch that goes to several topics is sent once, counted by topic and read in its trace', async () => {
    const [orders, audit] = await topics('orders', 'audit');
    const { traceId, correlationId, body } = await ask(shop, `batch?topics=${orders},${audit}`);
    assert.equal(body, true, 'the app’s own messages are as they were');
    for (const topic of [orders, audit]) {
      const read = await ask(shop, `consume?topic=${topic}&count=2`);
      for (const message of read.body) assert.equal(message.own, 'kept');
    }
    const trace = await viewer.waitForTrace(traceId, { spans: 6 });
    const send = trace.spans.find(({ kind }) => kind === 'producer');
    // Of several destinations none is the one.
    assert.equal(send?.name, 'send');
    assert.equal(send?.attributes['messaging.destination.name'], undefined);
    assert.equal(send?.attributes['messaging.batch.message_count'], 4);
    const processed = trace.spans.filter(({ kind }) => kind === 'consumer');
    assert.deepEqual(
      processed.map(({ name, parentSpanId }) => [name, parentSpanId]),
      [orders, orders, audit, audit].map((topic) => [`process ${topic}`, send?.spanId]),
    );
    for (const span of processed) assert.equal(span.attributes['correlation.id'], correlationId);
    const counted = parseSamples(await shop.metrics(), 'messaging_client_sent_messages_total');
    for (const topic of [orders, audit])
      assert.equal(counted.find(({ labels }) => labels.messaging_destination_name === topic)?.value, 2);
  });

  test('what a transaction sends is read in the trace of its request once it is committed', async () => {
    const [orders, audit] = await topics('orders', 'audit');
    const { traceId, body } = await ask(shop, `transaction?topics=${orders},${audit}&end=commit&id=${orders}`);
    const without = await ask(bare, `transaction?topics=${orders},${audit}&end=commit&id=${audit}`);
    assert.deepEqual(body, without.body);
    assert.equal(body.active, false);
    const read = await ask(shop, `consume?topic=${orders}&count=2`);
    assert.deepEqual(read.body[1], { value: 'commit', own: 'kept', fields: ['own'] });
    await ask(shop, `consume?topic=${audit}`);
    const trace = await viewer.waitForTrace(traceId, { spans: 6 });
    const name = (id: string) => trace.spans.find(({ spanId }) => spanId === id)?.name;
    assert.deepEqual(
      trace.spans.map((span) => [span.name, name(span.parentSpanId), span.status.code === 'error']),
      [
        ['GET', undefined, false],
        [`send ${orders}`, 'GET', false],
        [`send ${audit}`, 'GET', false],
        // After its end a transaction takes nothing any more.
        [`send ${orders}`, 'GET', true],
        [`process ${orders}`, `send ${orders}`, false],
        [`process ${audit}`, `send ${audit}`, false],
      ],
    );
  });

  test('what a transaction has sent and taken back is never processed', async () => {
    const [orders, audit] = await topics('orders', 'audit');
    const { traceId, body } = await ask(shop, `transaction?topics=${orders},${audit}&end=abort&id=${orders}`);
    assert.equal(body.active, false);
    await ask(shop, `send?topic=${orders}&value=after`);
    const read = await ask(shop, `consume?topic=${orders}`);
    assert.deepEqual(
      read.body.map(({ value }: any) => value),
      ['after'],
    );
    const processed = await only({ name: `process ${orders}` });
    assert.notEqual(processed.traceId, traceId);
    const trace = await viewer.waitForTrace(traceId, { spans: 4 });
    assert.ok(trace.spans.every(({ kind }) => kind !== 'consumer'));
  });

  test('a consumer in another process goes on with trace and correlation id', async () => {
    const [topic] = await topics('parcels');
    const { traceId, correlationId } = await ask(shop, `send?topic=${topic}`);
    await ask(billing, `consume?topic=${topic}`);
    const trace = await viewer.waitForTrace(traceId, { spans: 3 });
    assert.deepEqual(
      trace.spans.map(({ name, service }) => [name, service]),
      [
        ['GET', 'shop'],
        [`send ${topic}`, 'shop'],
        [`process ${topic}`, 'billing'],
      ],
    );
    const [line] = await viewer.waitForLogs({ body: 'read one', traceId });
    assert.equal(line.attributes.correlation_id, correlationId);
  });

  test('a producer and a consumer without the kit are served as before', async () => {
    const [topic] = await topics('mixed');
    await ask(bare, `send?topic=${topic}&value=bare`);
    await ask(shop, `send?topic=${topic}&value=watched`);
    const { body } = await ask(bare, `consume?topic=${topic}&count=2`);
    assert.deepEqual(body, [
      { value: 'bare', own: 'kept', fields: ['own'] },
      { value: 'watched', own: 'kept', fields: ['baggage', 'own', 'traceparent'] },
    ]);
    await ask(billing, `consume?topic=${topic}&count=2`);
    const spans = await viewer.waitForSpans({ name: `process ${topic}` }, { count: 2 });
    // What came without a context begins a trace of its own, with an id of its own.
    assert.equal(spans[0].parentSpanId, '');
    assert.match(String(spans[0].attributes['correlation.id']), /^[0-9a-f-]{36}$/);
    assert.notEqual(spans[1].parentSpanId, '');
  });
});

// One that dies: test/databases/outage.test.ts.
test('a broker that hangs fails its check, which passes again with the first answer', {
  skip: needsKafka,
  timeout: 120_000,
}, async () => {
  await using kafka = await startKafka();
  const env = { LIBRARY: 'kafkajs', REQUEST_TIMEOUT: '1000' };
  await using app = await startApp('kafkajs-topics', kafka.url, { env });
  const load = new AbortController();
  const sending = (async () => {
    while (!load.signal.aborted) await app.ask('send?topic=orders');
  })();
  await app.turns('kafka ', 'pass');

  kafka.pause();
  const { required, output } = await app.turns('kafka ', 'fail');
  assert.equal(required, false);
  assert.match(output ?? '', /last success .*, last failure /);
  kafka.resume();
  await app.turns('kafka ', 'pass');
  load.abort();
  await sending;
  assert.equal(app.child.exitCode, null);
});
