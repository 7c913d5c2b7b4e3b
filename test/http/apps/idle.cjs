// Answers one request on each of some connections, which stay open, and asks whether the requests' spans are still held.
// Prints one JSON object: kind of handler → how many are, and in how many requests the app's own listener was called. Run
// with --expose-gc.
const http = require('node:http');
const { channel } = require('node:diagnostics_channel');
const { setTimeout: sleep } = require('node:timers/promises');
const { trace } = require('@opentelemetry/api');

const CONNECTIONS = 5;
/** Node caches the date that it answers with, and the timer that ends this holds what it was armed in for up to a second. */
const PATIENCE_MS = 10_000;
/** By its id: the span itself would be held here. */
const told = new Set();
const seen = () => told.add(trace.getActiveSpan()?.spanContext().spanId);
const HANDLERS = {
  'that listens to nothing': (res) => res.end(),
  'that listens to finish': (res) => res.on('finish', seen).end(),
  'that is called back': (res) => res.end('done', seen),
  'beside a subscriber to the end of responses': (res) => {
    channel('http.server.response.finish').subscribe(seen);
    res.on('close', () => channel('http.server.response.finish').unsubscribe(seen));
    res.end();
  },
};

async function held(handler) {
  const spans = [];
  told.clear();
  const server = http.createServer((_, res) => {
    spans.push(new WeakRef(trace.getActiveSpan()));
    handler(res);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const agent = new http.Agent({ keepAlive: true });
  const { port } = server.address();
  const get = () =>
    new Promise((resolve, reject) => {
      http.get({ port, agent }, (res) => res.resume().on('close', resolve)).on('error', reject);
    });
  await Promise.all(Array.from({ length: CONNECTIONS }, get));
  let alive = CONNECTIONS;
  for (const deadline = Date.now() + PATIENCE_MS; alive > 0 && Date.now() < deadline; ) {
    await sleep(50);
    gc();
    alive = spans.filter((span) => span.deref() !== undefined).length;
  }
  const open = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
  agent.destroy();
  server.close();
  return { open, requests: spans.length, alive, told: told.has(undefined) ? 'outside' : told.size };
}

(async () => {
  const answers = {};
  for (const [name, handler] of Object.entries(HANDLERS)) answers[name] = await held(handler);
  console.log(JSON.stringify(answers));
  process.exit();
})();
