/** The service that leans on databases, queues, a model and an upstream, with real servers behind it. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type App, spawnApp } from '../support/app.ts';
import { needsKafka, startKafka } from '../support/servers/kafka.ts';
import { needsPostgres, startPostgres } from '../support/servers/postgres.ts';
import { needsRedis, startRedis } from '../support/servers/redis.ts';

/** For a test's `skip` option. */
export const needsWorkshop = needsPostgres || needsRedis;

export interface Workshop extends AsyncDisposable {
  /** From now on the upstream fails and is asked too much, the model is overloaded, reports hold the pool's connections, nobody reads the log. */
  breakDown(): Promise<void>;
}

/** Starts it under steady load. */
export async function startWorkshop(env: Readonly<Record<string, string>>, endpoint: string): Promise<Workshop> {
  await using started = new AsyncDisposableStack();
  const postgres = started.use(await startPostgres());
  postgres.sql(
    'create table orders (id integer primary key, total numeric); insert into orders select i, i from generate_series(1, 500) i',
  );
  const redis = started.use(await startRedis());
  const kafka = needsKafka ? undefined : started.use(await startKafka());
  const upstream = started.use(await startUpstream());
  const app: App = started.use(
    await spawnApp({
      args: ['workshop.mjs'],
      cwd: join(import.meta.dirname, 'apps'),
      endpoint,
      env: {
        OTEL_SERVICE_NAME: 'workshop',
        OTEL_RESOURCE_ATTRIBUTES: 'service.version=0.9.0,deployment.environment.name=test',
        UPSTREAM_URL: upstream.url,
        DATABASE_URL: postgres.url,
        REDIS_PORT: String(redis.port),
        ...(kafka && { KAFKA_BROKER: kafka.url }),
        ...env,
      },
    }),
  );
  const ask = (path: string) =>
    fetch(`http://127.0.0.1:${app.port}${path}`)
      .then((answer) => answer.text())
      .catch(() => '');
  const ending = new AbortController();
  const every = async (ms: number, ...paths: readonly string[]) => {
    while (!ending.signal.aborted) {
      await Promise.all(paths.map(ask));
      await sleep(ms, undefined, { signal: ending.signal }).catch(() => {});
    }
  };
  const usual = [
    '/orders',
    '/price/tea',
    '/letter/ada',
    '/event',
    '/depot',
    '/stock',
    '/steady',
    '/alone',
    '/limited',
    '/ask',
    '/ask/stream',
  ];
  const load = [every(250, ...usual), every(250, '/ask', '/ask/stream')];
  const socket = new WebSocket(`ws://127.0.0.1:${app.port}/chat`);
  const timers = [setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('hello'), 200)];
  started.defer(async () => {
    for (const timer of timers) clearInterval(timer);
    socket.close();
    ending.abort();
    await Promise.allSettled(load);
  });

  const all = started.move();
  return {
    async breakDown() {
      upstream.fail();
      timers.push(setInterval(() => sendNonsense(app.port), 300));
      load.push(every(50, '/report', '/report', '/report', '/report'), every(50, '/report', '/report', '/report'));
      // The usual letters wait for an answer of the model between them, longer than a rate looks back.
      load.push(every(300, '/duplicate', '/letter/nobody', '/letter/nobody', '/letter/ada', `/price/${Math.random()}`));
      load.push(every(100, ...Array(20).fill('/depot')));
      load.push(every(200, ...Array(6).fill('/limited'), '/alone', '/alone', '/stock', '/stock', '/steady'));
      // The model takes longer than a rate looks back: asked by all at once, it would have ended no call in most moments.
      for (const wait of [1000, 2000, 3000, 4000]) {
        load.push(sleep(wait, undefined, { signal: ending.signal }).then(() => every(50, '/ask', '/ask/stream')));
      }
      load.push(misses(ending.signal, ask));
      const stop = await redisCommand(redis.port, 'SET', 'auditors-stopped', '1');
      if (!stop.startsWith('+OK')) throw new Error(`Redis said ${stop}`);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** On a connection of its own, which does not survive it. */
function sendNonsense(port: number): void {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`);
  socket.addEventListener('open', () => {
    socket.send('nonsense');
    socket.close();
  });
  socket.addEventListener('error', () => {});
}

async function misses(signal: AbortSignal, ask: (path: string) => Promise<string>): Promise<void> {
  for (let n = 0; !signal.aborted; n += 1) {
    await ask(`/price/rare-${n}`);
    await sleep(50, undefined, { signal }).catch(() => {});
  }
}

async function redisCommand(port: number, ...words: readonly string[]): Promise<string> {
  const { connect } = await import('node:net');
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${words.join(' ')}\r\n`))
      .once('data', (data) => {
        resolve(data.toString());
        socket.destroy();
      })
      .once('error', reject);
  });
}

interface Upstream extends AsyncDisposable {
  readonly url: string;
  fail(): void;
}

/** The service next door: stock, letters, and a model by the wire format of OpenAI's chat completions. */
async function startUpstream(): Promise<Upstream> {
  let failing = false;
  const server: Server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    if (failing && request.url?.startsWith('/post/')) await sleep(500);
    if (request.url?.startsWith('/post/')) return answer(response, request.url.endsWith('/nobody') ? 404 : 200, { ok: true });
    if (failing) {
      await sleep(request.url === '/stock' ? 400 : 5200);
      return answer(response, request.url === '/stock' ? 500 : 429, { error: { message: 'too much', type: 'rate_limit' } });
    }
    if (request.url === '/stock') return answer(response, 200, { stock: 3 });
    await sleep(20);
    completion(response, JSON.parse(body).stream === true);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fail: () => (failing = true),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function completion(response: ServerResponse, streamed: boolean): void {
  const usage = { prompt_tokens: 120, completion_tokens: 30, total_tokens: 150, prompt_tokens_details: { cached_tokens: 64 } };
  const common = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'gpt-4o-mini-2024-07-18' };
  if (!streamed) {
    const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }];
    answer(response, 200, { ...common, object: 'chat.completion', choices, usage });
    return;
  }
  const chunk = (choices: unknown[], rest = {}) =>
    `data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', choices, ...rest })}\n\n`;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(chunk([{ index: 0, delta: { role: 'assistant', content: 'hi' }, finish_reason: null }]));
  response.write(chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]));
  response.end(`${chunk([], { usage })}data: [DONE]\n\n`);
}
