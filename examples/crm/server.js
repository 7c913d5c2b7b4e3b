import express from 'express';
import pino from 'pino';
import { summarize } from './assistant.js';
import { cached, closeCache, forget } from './cache.js';
import { activity, addCustomer, addNote, closeDatabase, createSchema, findCustomer, latestNotes } from './database.js';
import { settings } from './settings.js';

const log = pino();
const app = express().use(express.json());

app.param('id', (_req, res, next, id) => {
  if (/^\d{1,9}$/.test(id)) next();
  else res.status(400).json({ error: 'an id is a whole number' });
});

app.post('/customers', async (req, res) => {
  const { name, email } = req.body ?? {};
  if (typeof name !== 'string' || typeof email !== 'string') {
    res.status(400).json({ error: 'a customer has a name and an email' });
    return;
  }
  const customer = await addCustomer({ name, email });
  log.info({ customer: customer.id }, 'customer added');
  res.status(201).json(customer);
});

app.get('/customers/:id', async (req, res) => {
  const { id } = req.params;
  const customer = await cached(`customer:${id}`, () => findCustomer(id));
  if (customer === undefined) res.status(404).json({ error: 'no such customer' });
  else res.json(customer);
});

app.post('/customers/:id/notes', async (req, res) => {
  const { body } = req.body ?? {};
  if (typeof body !== 'string' || body === '') {
    res.status(400).json({ error: 'a note has a body' });
    return;
  }
  const note = await addNote(req.params.id, body);
  if (note === undefined) {
    res.status(404).json({ error: 'no such customer' });
    return;
  }
  await forget(`summary:${req.params.id}`);
  res.status(201).json(note);
});

app.get('/customers/:id/summary', async (req, res) => {
  const { id } = req.params;
  const customer = await cached(`customer:${id}`, () => findCustomer(id));
  if (customer === undefined) {
    res.status(404).json({ error: 'no such customer' });
    return;
  }
  const summary = await cached(`summary:${id}`, async () => summarize(customer, await latestNotes(id)));
  log.info({ customer: customer.id }, 'customer summarized');
  res.json({ customer: customer.name, summary });
});

app.get('/activity', async (req, res) => {
  res.json(await activity(Math.min(Number(req.query.days) || 30, 365)));
});

app.use((error, req, res, _next) => {
  // Of a unique index: somebody has this email already.
  if (error.code === '23505') {
    res.status(409).json({ error: 'this email is taken' });
    return;
  }
  log.error(error, `${req.method} ${req.path} failed`);
  const overloaded = /timeout exceeded when trying to connect/.test(error.message) || error.code === 'ECONNREFUSED';
  res.status(overloaded ? 503 : (error.status ?? 500)).json({ error: overloaded ? 'try again later' : 'something went wrong' });
});

await createSchema();
const server = app.listen(settings.port, '127.0.0.1', () => {
  log.info(`LISTEN ${server.address().port}`);
});

process.once('SIGTERM', () => {
  server.close(async () => {
    closeCache();
    await closeDatabase();
  });
});
