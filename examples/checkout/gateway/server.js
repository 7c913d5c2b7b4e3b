'use strict';

const express = require('express');
const pino = require('pino');
const { products } = require('./catalog.js');
const { orders } = require('./orders-client.js');

const log = pino({ level: process.env.LOG_LEVEL ?? 'info' });
const app = express();
app.use(express.json({ limit: '32kb' }));

const catalog = express.Router();

catalog.get('/', (_req, res) => {
  res.json([...products.values()]);
});

catalog.get('/:sku', (req, res) => {
  const product = products.get(req.params.sku);
  if (!product) return res.status(404).json({ error: `no product "${req.params.sku}"` });
  res.json(product);
});

app.use('/products', catalog);

app.post('/checkout', async (req, res) => {
  const lines = Array.isArray(req.body?.items) ? req.body.items : [];
  const items = lines.map(({ sku, quantity }) => ({ sku, quantity, price: products.get(sku)?.price }));
  if (items.length === 0 || items.some((item) => item.price === undefined)) {
    log.warn({ items: lines.length }, 'cart rejected');
    return res.status(400).json({ error: 'the cart is empty or holds an unknown product' });
  }
  const { status, body } = await orders('/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ customer: req.body.customer, items }),
  });
  log.info({ orderId: body.id, status }, status === 201 ? 'checkout done' : 'checkout failed');
  res.status(status).json(body);
});

app.get('/orders/:id', async (req, res) => {
  const { status, body } = await orders(`/orders/${encodeURIComponent(req.params.id)}`);
  res.status(status).json(body);
});

app.get('/recommendations', () => {
  // A bug that somebody shipped on Friday: there is no such table.
  throw new TypeError("Cannot read properties of undefined (reading 'rank')");
});

app.use((_req, res) => {
  res.status(404).json({ error: 'not found' });
});

app.use((error, _req, res, _next) => {
  const status = error.status ?? 500;
  log.error({ err: error }, 'request failed');
  res.status(status).json({ error: status < 500 ? error.message : 'internal error' });
});

const server = app.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1', (error) => {
  if (error) throw error;
  log.info(`gateway listening on http://127.0.0.1:${server.address().port}`);
});

process.once('SIGTERM', () => {
  log.info('gateway stops');
  server.close();
});
