// A service as small as can be: one pino line a request, and an endpoint that says how much of the heap is really in use.
import { createServer } from 'node:http';
import pino from 'pino';

const log = pino(pino.destination({ dest: process.platform === 'win32' ? 'NUL' : '/dev/null', minLength: 4096, sync: false }));

const server = createServer((request, response) => {
  if (request.url === '/heap') {
    globalThis.gc();
    response.end(String(process.memoryUsage().heapUsed));
    return;
  }
  log.info({ path: request.url }, 'handled');
  response.end('ok');
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port }));
