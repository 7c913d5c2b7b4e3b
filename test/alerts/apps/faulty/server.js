// A service with the mistakes that alerts are for, each made on request.
import http from 'node:http';
import { getHeapStatistics } from 'node:v8';
import { health } from '../../../../dist/index.mjs';

const kept = [];

/** Holds on to memory until the heap has this share of what V8 allows. */
function leak(share) {
  const limit = Number(process.env.HEAP_MB) * 2 ** 20;
  while (getHeapStatistics().used_heap_size < share * limit) kept.push(Array.from({ length: 10_000 }, (_, n) => ({ n })));
}

function block(ms) {
  for (const end = performance.now() + ms; performance.now() < end; );
}

if (process.env.PARTNER) {
  const answers = async () => {
    const { ok, status } = await fetch(process.env.PARTNER);
    if (!ok) throw new Error(`the partner answers ${status}`);
  };
  health.register('partner', answers, { interval: 500 });
}

// Somebody did this to keep the process alive.
process.on('unhandledRejection', () => {});

const server = http.createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  if (pathname === '/leak') leak(Number(searchParams.get('share')));
  if (pathname === '/block') block(Number(searchParams.get('ms')));
  if (pathname === '/reject') Promise.reject(new TypeError('nobody waits for this'));
  if (pathname === '/call') {
    try {
      await fetch(searchParams.get('url'));
    } catch {
      response.statusCode = 502;
    }
  }
  response.end('done\n');
});

server.listen(0, '127.0.0.1', () => console.log(`LISTEN ${server.address().port}`));
