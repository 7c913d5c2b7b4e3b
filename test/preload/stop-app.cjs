// Starts and stops the kit twice, with requests in between, and prints what it has left behind on Node's own objects.
const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');
const channels = require('node:diagnostics_channel');

const PROTOTYPES = {
  'net.Server': net.Server.prototype,
  'http.Server': http.Server.prototype,
  IncomingMessage: http.IncomingMessage.prototype,
  ServerResponse: http.ServerResponse.prototype,
  ClientRequest: http.ClientRequest.prototype,
  process,
  console,
  Module: require('node:module'),
};
const CHANNELS = ['http.client.request.created', 'undici:request:create', 'undici:request:error', 'fastify.initialization'];

function picture() {
  const own = Object.entries(PROTOTYPES).map(([name, object]) => {
    const functions = Object.getOwnPropertyNames(object).filter(
      (key) => typeof Object.getOwnPropertyDescriptor(object, key).value === 'function',
    );
    return [name, functions.map((key) => `${key}:${object[key].length}:${object[key].toString().length}`).sort()];
  });
  const listeners = process
    .eventNames()
    .map((event) => [String(event), process.listenerCount(event)])
    .sort();
  const subscribed = CHANNELS.filter((name) => channels.channel(name).hasSubscribers);
  return { own: Object.fromEntries(own), listeners, subscribed, api: globalThis[Symbol.for('o11y-kit.api')] !== undefined };
}

async function request() {
  const server = http.createServer((_, res) => res.end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const [response] = await once(http.get({ port: server.address().port, host: '127.0.0.1', agent: false }), 'response');
  await once(response.resume(), 'close');
  server.close();
  await once(server, 'close');
  return response.headers['x-correlation-id'];
}

(async () => {
  // What Node does with the first request and the first thread is no trace of ours.
  await request();
  await once(new (require('node:worker_threads').Worker)('', { eval: true }), 'exit');
  const before = picture();
  const { start } = require(process.env.KIT);
  const ids = [];
  for (let i = 0; i < 2; i++) {
    const stop = start();
    ids.push(await request());
    await stop();
  }
  ids.push(await request());
  console.log(JSON.stringify({ before, after: picture(), ids }));
})();
