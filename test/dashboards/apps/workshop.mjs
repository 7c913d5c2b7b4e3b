// A service that leans on everything: PostgreSQL by a small pool, Redis, a queue with its worker, a model, an upstream service
// behind a breaker, retries and a time limit, a rate limit, WebSockets. What goes wrong comes from the other side.
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { bulkhead, ConstantBackoff, handleAll, retry, TaskCancelledError, TimeoutStrategy, timeout, wrap } from 'cockatiel4';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';

import OpenAI from 'openai7';
import CircuitBreaker from 'opossum';
import pg from 'pg';
import { Pool } from 'undici7';
import { WebSocketServer } from 'ws';
import { cache, operation } from '../../../dist/index.mjs';

const { UPSTREAM_URL, DATABASE_URL, REDIS_PORT, KAFKA_BROKER } = process.env;
const connection = { host: '127.0.0.1', port: Number(REDIS_PORT), maxRetriesPerRequest: null };

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 3, connectionTimeoutMillis: 400 });
// Not in the way of what is read.
const writes = new pg.Pool({ connectionString: DATABASE_URL, max: 1 });
// By another name of the host, to be shown beside those who call it without a limit.
const depot = new Pool(UPSTREAM_URL.replace('127.0.0.1', 'localhost'), { connections: 2 });
const redis = new Redis(connection);
const prices = cache('prices');
const model = new OpenAI({ apiKey: 'none', baseURL: `${UPSTREAM_URL}/v1`, maxRetries: 0 });

const letters = new Queue('letters', { connection });
const worker = new Worker(
  'letters',
  async ({ data }) => {
    await sleep(10);
    const answer = await fetch(`${UPSTREAM_URL}/post/${data.to}`);
    if (!answer.ok) throw Object.assign(new TypeError('no such address'), { status: answer.status });
  },
  { connection, concurrency: 2 },
);
worker.on('error', () => {});

async function callUpstream() {
  const answer = await fetch(`${UPSTREAM_URL}/stock`, { signal: AbortSignal.timeout(2000) });
  if (!answer.ok) throw new Error(`upstream said ${answer.status}`);
  return answer.json();
}

const breaker = new CircuitBreaker(callUpstream, { name: 'stock', timeout: 500, resetTimeout: 1500, volumeThreshold: 4 });
breaker.fallback(() => ({ stock: 'unknown' }));
const steady = wrap(
  retry(handleAll, { maxAttempts: 2, backoff: new ConstantBackoff(10) }),
  timeout(300, TimeoutStrategy.Aggressive),
);
const oneAtATime = bulkhead(1, 0);

const app = express();

app.get('/orders', async (_req, res) => {
  const { rows } = await pool.query('select id, total from orders order by id limit 20');
  res.json(rows);
});

app.get('/report', async (_req, res) => {
  await pool.query('select pg_sleep(0.7), count(*) from orders');
  res.json({ ok: true });
});

app.get('/duplicate', async (_req, res) => {
  await writes.query('insert into orders values (1, 0)');
  res.json({ ok: true });
});

app.get('/price/:sku', async (req, res) => {
  const known = await redis.get(req.params.sku);
  if (known) prices.hit();
  else {
    prices.miss();
    await redis.set(req.params.sku, '1', 'EX', 60);
  }
  res.json({ known });
});

app.get('/letter/:to', async (req, res) => {
  await letters.add('letter', { to: req.params.to }, { attempts: 2, removeOnComplete: true });
  res.status(202).json({ ok: true });
});

app.get('/depot', async (_req, res) => {
  const answer = await depot.request({ path: '/stock', method: 'GET' });
  res.status(answer.statusCode).json(await answer.body.json());
});

app.get('/event', async (_req, res) => {
  await redis.xadd('events', 'MAXLEN', '~', 1000, '*', 'kind', 'tick');
  res.status(202).json({ ok: true });
});

app.get('/stock', async (_req, res) => res.json(await breaker.fire()));

const readStock = () => steady.execute(callUpstream);

app.get('/steady', async (_req, res) => {
  try {
    res.json(await operation('stock.read', readStock, { component: 'stock' }));
  } catch (error) {
    res.status(error instanceof TaskCancelledError ? 504 : 502).json({ error: error.message });
  }
});

app.get('/alone', async (_req, res) => {
  try {
    await oneAtATime.execute(() => sleep(50));
    res.json({ ok: true });
  } catch (error) {
    res.status(503).json({ error: error.message });
  }
});

app.get('/limited', rateLimit({ windowMs: 1000, limit: 5, validate: false }), (_req, res) => res.json({ ok: true }));

app.get('/ask', async (_req, res) => {
  const answer = await model.chat.completions.create({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] });
  res.json({ text: answer.choices[0].message.content });
});

app.get('/ask/stream', async (_req, res) => {
  const stream = await model.chat.completions.create({
    model: 'gpt-4o-mini',
    messages: [{ role: 'user', content: 'hello' }],
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? '';
  res.json({ text });
});

// As many services do, for better or worse: what nobody caught is no reason to end.
process.on('uncaughtException', (error) => console.error('uncaught', error));

const server = app.listen(0, '127.0.0.1', () => console.log(`LISTEN ${server.address().port}`));
const sockets = new WebSocketServer({ server, path: '/chat' });
sockets.on('connection', (socket) => {
  socket.on('message', (data) => {
    if (String(data) === 'nonsense') throw new SyntaxError('not understood');
    socket.send(String(data));
  });
  socket.on('error', () => {});
});

// A consumer that reads its group of the event log, as long as somebody has not stopped reading.
const reader = new Redis(connection);
await redis.xgroup('CREATE', 'events', 'auditors', '$', 'MKSTREAM').catch(() => {});
(async () => {
  for (;;) {
    const stopped = await redis.get('auditors-stopped');
    if (stopped) await sleep(200);
    else {
      const found = await reader.xreadgroup('GROUP', 'auditors', 'one', 'COUNT', 10, 'BLOCK', 500, 'STREAMS', 'events', '>');
      for (const [, entries] of found ?? []) for (const [id] of entries) await redis.xack('events', 'auditors', id);
    }
  }
})().catch(() => {});

// The same by Kafka, where there is one: parcels come in, and whoever packs them stops as well.
async function packParcels() {
  const kafka = new Kafka({ clientId: 'workshop', brokers: [KAFKA_BROKER], logLevel: logLevel.NOTHING });
  const [producer, consumer] = [kafka.producer(), kafka.consumer({ groupId: 'packers' })];
  await producer.connect();
  await producer.send({ topic: 'parcels', messages: [{ value: 'first' }] });
  await consumer.connect();
  await consumer.subscribe({ topic: 'parcels', fromBeginning: true });
  await consumer.run({
    eachMessage: async () => {
      if (await redis.get('auditors-stopped')) await sleep(1000);
    },
  });
  for (;;) {
    await producer.send({ topic: 'parcels', messages: [{ value: 'a' }, { value: 'b' }] });
    await sleep(100);
  }
}
if (KAFKA_BROKER) packParcels().catch((error) => console.error('parcels', error));
