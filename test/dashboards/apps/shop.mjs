// A service that does badly what it is asked to, for dashboards to show. Nothing here knows of telemetry.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import pino from 'pino';

const log = pino();
const app = express();
const kept = [];

app.get('/work', async (req, res) => {
  await sleep(Number(req.query.ms ?? 2));
  res.json({ ok: true });
});

app.get('/block', (req, res) => {
  const end = performance.now() + Number(req.query.ms);
  while (performance.now() < end);
  res.json({ ok: true });
});

/** Keeps what it makes, as a leak does. */
app.get('/leak', (req, res) => {
  for (let n = 0; n < Number(req.query.mb); n += 1) kept.push(Array.from({ length: 32_768 }, (_, i) => ({ i })));
  res.json({ kept: kept.length });
});

/** Makes garbage. */
app.get('/garbage', (_req, res) => {
  let size = 0;
  for (let n = 0; n < 20; n += 1)
    size += JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ i, text: `row ${i}` }))).length;
  res.json({ size });
});

app.get('/events', (_req, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = setInterval(() => res.write('data: tick\n\n'), 250);
  res.on('close', () => clearInterval(timer));
});

app.get('/fail', () => {
  throw new RangeError('no such shelf');
});

/** A promise that nobody waits for. */
app.get('/forget', (_req, res) => {
  Promise.reject(new TypeError('forgotten'));
  res.json({ ok: true });
});

/** Calls itself by another address each time. */
app.get('/call', (req, res) => {
  const call = http.get({ host: req.query.host, port: req.socket.localPort, path: '/work' }, (answer) => {
    answer.resume().on('end', () => res.json({ status: answer.statusCode }));
  });
  call.on('error', (error) => {
    log.error({ err: error }, 'call failed');
    res.status(502).json({ error: error.message });
  });
});

for (let n = 0; n < 30; n += 1) app.get(`/shelf/${n}`, (_req, res) => res.json({ n }));

process.on('unhandledRejection', (error) => log.error({ err: error }, 'forgotten promise'));

const server = app.listen(0, '0.0.0.0', () => console.log(`LISTEN ${server.address().port}`));
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
