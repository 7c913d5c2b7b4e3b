// A server of plain node:http whose paths do what servers do. KIND chooses what listens.
const http = require('node:http');
const { correlation } = require('o11y-kit');

const ID = 'x-correlation-id';

const PATHS = {
  '/plain': (_, res) => res.end('plain'),
  '/set-header': (_, res) => res.setHeader('x-a', '1').end('ok'),
  '/write-head-object': (_, res) => res.writeHead(200, { 'x-a': '1' }).end('ok'),
  '/write-head-message': (_, res) => res.writeHead(201, 'Made', { 'x-a': '1' }).end('ok'),
  '/write-head-list': (_, res) => res.writeHead(200, ['x-a', '1', 'content-type', 'text/plain']).end('ok'),
  '/write-head-both': (_, res) => res.setHeader('x-b', '2').writeHead(200, { 'x-a': '1' }).end('ok'),
  '/flush-headers': (_, res) => {
    res.flushHeaders();
    res.end('ok');
  },
  '/own/set-header': (_, res) => res.setHeader('X-Correlation-Id', 'mine').end('ok'),
  '/own/write-head-object': (_, res) => res.writeHead(200, { 'X-CORRELATION-ID': 'mine' }).end('ok'),
  '/own/write-head-list': (_, res) => res.writeHead(200, ['X-Correlation-ID', 'mine', 'x-a', '1']).end('ok'),
  '/own/write-head-both': (_, res) =>
    res
      .setHeader('x-b', '2')
      .writeHead(200, { [ID]: 'mine' })
      .end('ok'),
  '/204': (_, res) => res.writeHead(204).end(),
  '/304': (_, res) => res.writeHead(304, { etag: '"a"' }).end(),
  '/404': (_, res) => res.writeHead(404).end('none'),
  '/500': (_, res) => res.writeHead(500).end('broken'),
  '/trailers': (_, res) => {
    res.writeHead(200, { trailer: 'x-sum' });
    res.write('ok');
    res.addTrailers({ 'x-sum': '7' });
    res.end();
  },
  '/early-hints': (_, res) => res.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => res.end('ok')),
  '/processing': (_, res) => {
    res.writeProcessing();
    res.end('ok');
  },
  '/echo': (req, res) => req.pipe(res),
  '/never': (_, res) => res.on('close', () => console.log('CLOSED /never')),
  '/late': (_, res) =>
    res.on('close', () => {
      res.end('too late');
      setImmediate(() => console.log('CLOSED /late'));
    }),
  '/half': (_, res) => {
    res.writeHead(200, { 'content-length': '100' });
    res.write('half', () => res.destroy());
  },
  '/destroyed': (_, res) => res.destroy(new Error('the app gave up')),
  '/sse': (_, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\n\n');
  },
  '/id': (_, res) => res.end(correlation.id()),
  '/log': (_, res) => {
    require('pino')().info('hello');
    res.end('ok');
  },
  '/by-hand': (_, res) => {
    // As test tools do: an event with objects that no socket has seen.
    const req = { url: '/fake', method: 'GET', headers: undefined };
    const handled = new http.Server((_req, response) => response.end('fake'));
    let body = '';
    handled.emit('request', req, { end: (text) => (body = text) });
    const real = new http.IncomingMessage(null);
    real.url = '/inner';
    real.method = 'GET';
    handled.emit('request', real, new http.ServerResponse(real));
    res.end(body);
  },
};

function handle(req, res) {
  const path = req.url.split('?', 1)[0];
  (PATHS[path] ?? PATHS['/plain'])(req, res);
}

function listen(server) {
  server.on('clientError', (_, socket) => socket.destroy());
  server.listen(0, '127.0.0.1', () => console.log(`LISTEN ${server.address().port}`));
  return server;
}

class Own extends http.Server {}

const KINDS = {
  http: () => http.createServer({ maxHeaderSize: 2 ** 21 }, handle),
  subclass: () => new Own(handle),
  https: () => require('node:https').createServer(require('../../apps/fixtures/certificate.cjs'), handle),
  http2: () =>
    require('node:http2').createSecureServer({ ...require('../../apps/fixtures/certificate.cjs'), allowHTTP1: true }, handle),
};

const server = listen(KINDS[process.env.KIND ?? 'http']());

server.on('upgrade', (req, socket) => {
  socket.on('error', () => {});
  switch (req.url) {
    case '/ws':
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
      );
      socket.once('data', () => socket.end());
      break;
    case '/ws-later':
      // As an app does that asks who it is first.
      setTimeout(() => socket.end(Buffer.from('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n')), 5);
      break;
    default:
      socket.destroy();
  }
});
server.on('connect', (_, socket) => {
  socket.on('error', () => {});
  socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  socket.once('data', () => socket.end());
});
