// Handles requests of every kind and asks at each point for the ids of the context. Prints one JSON object: place → the
// answers there, true or what was wrong. The client lives in the same process, outside of any request.
const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');
const { pipeline, Transform } = require('node:stream');
const { setTimeout: sleep } = require('node:timers/promises');
const { trace } = require('@opentelemetry/api');
const { correlation } = require('o11y-kit');

const seen = {};
const traceOf = (id) => Buffer.from(id).toString('hex').padStart(32, 'a');
const headersOf = (id) => ({ 'x-correlation-id': id, traceparent: `00-${traceOf(id)}-00000000000000b7-01` });

function note(place, id) {
  const problems = [];
  if (correlation.id() !== id) problems.push(`correlation id ${correlation.id()} instead of ${id}`);
  const found = trace.getActiveSpan()?.spanContext().traceId;
  if (found !== traceOf(id)) problems.push(`trace ${found} instead of ${traceOf(id)}`);
  (seen[place] ??= []).push(problems.length === 0 || problems.join(', '));
}

function noteOutside(place) {
  const id = correlation.id() ?? trace.getActiveSpan()?.spanContext().traceId;
  (seen[place] ??= []).push(id === undefined || `the context of ${id}`);
}

// Bodies come in three pieces, each in a turn of its own: the next is sent when the last was received.
const pieces = new net.Server();

async function handle(prefix, req, res) {
  const id = req.headers['x-correlation-id'];
  const here = (place) => note(prefix + place, id);
  here('sync');
  setTimeout(() => here('timer'), 2);
  setImmediate(() => here('immediate'));
  process.nextTick(() => here('tick'));
  queueMicrotask(() => here('microtask'));
  res.on('finish', () => here('res.finish'));
  res.on('close', () => here('res.close'));
  req.on('close', () => here('req.close'));
  const received = () => pieces.emit('piece');
  switch (req.headers['x-mode']) {
    case 'data':
      req.on('data', () => {
        here('data');
        received();
      });
      req.on('end', () => {
        here('end');
        setTimeout(() => {
          here('end.timer');
          res.end('ok');
        }, 2);
      });
      break;
    case 'forawait':
      for await (const _ of req) {
        here('forawait');
        received();
      }
      here('forawait.after');
      res.end('ok');
      break;
    case 'readable':
      req.on('readable', () => {
        here('readable');
        while (req.read() !== null) received();
      });
      req.on('end', () => {
        here('readable.end');
        res.end('ok');
      });
      break;
    case 'pipeline': {
      const transform = new Transform({
        transform(chunk, _, done) {
          here('pipe.transform');
          received();
          done(null, chunk);
        },
      });
      pipeline(req, transform, res, () => here('pipe.callback'));
      break;
    }
    case 'abort':
      req.on('aborted', () => here('aborted'));
      req.on('error', () => here('req.error'));
      req.on('data', received);
      break;
    default:
      await sleep(Number(req.headers['x-delay'] ?? 1));
      here('await');
      await Promise.resolve();
      here('await.again');
      res.write('a', () => here('write.callback'));
      await sleep(1);
      res.end('ok', () => here('end.callback'));
  }
}

const listen = async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
};

async function http1() {
  const server = http.createServer((req, res) => handle('', req, res));
  server.on('connection', () => noteOutside('no leak into a connection'));
  server.on('checkContinue', (req, res) => {
    note('checkContinue', req.headers['x-correlation-id']);
    res.writeContinue();
    server.emit('request', req, res);
  });
  server.on('upgrade', (req, socket) => {
    const id = req.headers['x-correlation-id'];
    note('upgrade', id);
    setTimeout(() => note('upgrade.timer', id), 2);
    socket.once('data', () => socket.end());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  });
  const port = await listen(server);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let count = 0;

  async function send(mode, { body = false, abort = false, headers = {} } = {}) {
    const id = `one-${++count}`;
    const all = { ...headersOf(id), 'x-mode': mode, ...headers };
    const req = http.request({ host: '127.0.0.1', port, agent, method: body ? 'POST' : 'GET', headers: all });
    const closed = new Promise((resolve) => {
      req.on('error', () => {});
      req.on('close', resolve);
      req.on('response', (res) => res.resume());
    });
    if (body) {
      for (let i = 0; i < 3; i++) {
        const received = once(pieces, 'piece');
        req.write(`piece ${i}`);
        await received;
      }
      if (abort) req.destroy();
      else req.end();
    } else req.end();
    await closed;
    noteOutside('no leak into the client');
  }

  await send('plain');
  await send('plain');
  await send('data', { body: true });
  await send('forawait', { body: true });
  await send('readable', { body: true });
  await send('pipeline', { body: true });
  await send('data', { body: true, headers: { expect: '100-continue' } });
  await send('plain');
  await send('abort', { body: true, abort: true });

  // Two requests in one write; the answer to the first takes longer.
  const lines = (id, extra) =>
    Object.entries({ host: 'x', ...headersOf(id), ...extra })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
  const pipelined = net.connect(port, '127.0.0.1');
  const requests = ['pipelined-1', 'pipelined-2'].map(
    (id, i) => `GET /${id} HTTP/1.1\r\n${lines(id, i === 0 ? { 'x-delay': '30' } : { connection: 'close' })}\r\n`,
  );
  pipelined.write(requests.join(''));
  await once(pipelined.resume(), 'close');

  const upgraded = net.connect(port, '127.0.0.1');
  upgraded.write(`GET /up HTTP/1.1\r\n${lines('upgrade-1', { connection: 'upgrade', upgrade: 'x' })}\r\n`);
  await once(upgraded, 'data');
  upgraded.write('hello');
  await once(upgraded, 'close');

  agent.destroy();
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

async function request2(client, mode, id, body) {
  const stream = client.request({ ':path': '/x', ':method': body ? 'POST' : 'GET', 'x-mode': mode, ...headersOf(id) });
  stream.resume();
  const closed = once(stream, 'close');
  for (let i = 0; body && i < 3; i++) {
    const received = once(pieces, 'piece');
    stream.write(`piece ${i}`);
    await received;
  }
  stream.end();
  await closed;
}

async function http2() {
  const { createServer, connect } = require('node:http2');
  const compat = createServer((req, res) => handle('h2.', req, res));
  compat.on('session', (session) => {
    noteOutside('h2.no leak into a session');
    session.on('close', () => noteOutside('h2.no leak into a session'));
  });
  const client = connect(`http://127.0.0.1:${await listen(compat)}`);
  await Promise.all([request2(client, 'plain', 'two-1'), request2(client, 'plain', 'two-2')]);
  await request2(client, 'data', 'two-3', true);
  await request2(client, 'forawait', 'two-4', true);
  await request2(client, 'readable', 'two-5', true);
  client.close();
  compat.close();
  await once(compat, 'close');

  const streams = createServer();
  streams.on('stream', (stream, headers) => {
    const here = (place) => note(`h2s.${place}`, headers['x-correlation-id']);
    here('sync');
    stream.on('data', () => {
      here('data');
      pieces.emit('piece');
    });
    stream.on('end', () => {
      here('end');
      stream.respond({ ':status': 200 });
      stream.end('x');
    });
    setTimeout(() => {
      here('timer');
      pieces.emit('timer');
    }, 2);
    stream.on('close', () => here('close'));
  });
  const timer = once(pieces, 'timer');
  const other = connect(`http://127.0.0.1:${await listen(streams)}`);
  await request2(other, 'data', 'stream-1', true);
  await timer;
  other.close();
  streams.close();
  await once(streams, 'close');
}

(async () => {
  const interval = setInterval(() => noteOutside('no leak into a timer'), 2);
  await http1();
  await http2();
  clearInterval(interval);
  console.log(JSON.stringify(seen));
})();
