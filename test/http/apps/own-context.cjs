'use strict';

// Which store of its own an app finds in what comes after a handler; ends by itself, and prints it by the way of answering.
const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');

const store = new AsyncLocalStorage();

const HANDLERS = {
  plain: (_, res) => res.end('ok'),
  'listening to finish': (_, res, see) => res.on('finish', see('response finish')).end('ok'),
  'called back': (_, res, see) => res.end('ok', see('end callback')),
  'from a timer': (_, res) => setTimeout(() => res.end('ok'), 5),
  'after the body': (req, res, see) =>
    req
      .on('end', see('request end'))
      .on('end', () => res.end('ok'))
      .resume(),
  'closing the connection': (_, res) => res.setHeader('connection', 'close').end('ok'),
};

async function run(handle) {
  const seen = [];
  const see = (event) => () => seen.push(`${event}: ${store.getStore()}`);
  const server = http.createServer((req, res) =>
    store.run('the request', () => {
      req.on('close', see('request close'));
      res.on('prefinish', see('prefinish')).on('close', see('response close'));
      req.socket.on('finish', see('socket finish'));
      handle(req, res, see);
    }),
  );
  server.keepAliveTimeout = 50;
  server.keepAliveTimeoutBuffer = 0;
  server.on('timeout', (socket) => {
    see('timeout')();
    socket.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = net.connect(server.address().port, '127.0.0.1');
  socket.resume().write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
  await once(socket, 'close');
  await new Promise((resolve) => server.close(resolve));
  return seen;
}

async function main() {
  const result = {};
  for (const [name, handle] of Object.entries(HANDLERS)) result[name] = await run(handle);
  console.log(JSON.stringify(result));
}

main();
