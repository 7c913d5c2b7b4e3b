// An HTTP/2 server whose paths answer in every way that a stream can be answered.
const { createServer } = require('node:http2');
const { openSync } = require('node:fs');
const { correlation } = require('o11y-kit');

const PATHS = {
  '/respond': (stream) => {
    stream.respond({ ':status': 200, 'x-a': '1' });
    stream.end(correlation.id());
  },
  '/nothing': (stream) => {
    stream.respond();
    stream.end('ok');
  },
  '/own': (stream) => {
    stream.respond({ ':status': 200, 'X-Correlation-ID': 'mine' });
    stream.end('ok');
  },
  '/list': (stream) => {
    stream.respond([':status', '200', 'x-a', '1']);
    stream.end('ok');
  },
  '/sensitive': (stream) => {
    stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'], [require('node:http2').sensitiveHeaders]: ['set-cookie'] });
    stream.end('ok');
  },
  '/file': (stream) => stream.respondWithFile(__filename, { 'x-a': '1' }),
  '/fd': (stream) => stream.respondWithFD(openSync(__filename), { 'x-a': '1' }),
  '/push': (stream) => {
    stream.pushStream({ ':path': '/pushed.css' }, (error, pushed) => {
      if (error) throw error;
      pushed.respond({ ':status': 200 });
      pushed.end('css');
      stream.respond({ ':status': 200 });
      stream.end(correlation.id());
    });
  },
  '/informed': (stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a>' });
    stream.respond({ ':status': 200 });
    stream.end('ok');
  },
  '/trailers': (stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
    stream.end('ok');
  },
  '/500': (stream) => {
    stream.respond({ ':status': 500 });
    stream.end('no');
  },
  '/reset': (stream) => stream.close(2),
  '/half': (stream) => {
    stream.respond({ ':status': 200 });
    stream.write('half', () => stream.close(2));
  },
  '/never': () => {},
  '/sse': (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
    stream.write('data: 1\n\n');
  },
};

const server = createServer();
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  PATHS[headers[':path'].split('?', 1)[0]](stream);
});
server.listen(0, '127.0.0.1', () => console.log(`LISTEN ${server.address().port}`));
