import { randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import { charge } from './payments-client.js';
import { find, missing, save } from './store.js';

const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'info' } });

const item = {
  type: 'object',
  required: ['sku', 'quantity', 'price'],
  properties: {
    sku: { type: 'string', maxLength: 64 },
    quantity: { type: 'integer', minimum: 1, maximum: 100 },
    price: { type: 'integer', minimum: 0 },
  },
};

const order = {
  type: 'object',
  required: ['customer', 'items'],
  properties: {
    customer: { type: 'string', minLength: 1, maxLength: 64 },
    items: { type: 'array', minItems: 1, maxItems: 50, items: item },
  },
};

app.post('/orders', { schema: { body: order } }, async (request, reply) => {
  const { customer, items } = request.body;
  const lacking = missing(items);
  if (lacking) {
    request.log.warn({ sku: lacking.sku }, 'out of stock');
    return reply.code(409).send({ error: `${lacking.sku} is out of stock` });
  }

  const id = randomUUID();
  const amount = items.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
  const payment = await charge({ orderId: id, customer, amount });
  if (payment.status === 402) {
    request.log.warn({ orderId: id, amount }, 'payment declined');
    return reply.code(402).send({ error: payment.body.error });
  }
  if (payment.status !== 201) {
    request.log.error({ orderId: id, amount, status: payment.status }, 'payment failed');
    return reply.code(502).send({ error: 'payments are not available, try again' });
  }

  save({ id, customer, items, amount, chargeId: payment.body.id });
  request.log.info({ orderId: id, amount }, 'order placed');
  return reply.code(201).send({ id, amount });
});

app.get('/orders/:id', async (request, reply) => {
  const found = find(request.params.id);
  if (!found) return reply.code(404).send({ error: `no order "${request.params.id}"` });
  return found;
});

await app.listen({ port: Number(process.env.PORT ?? 3001), host: process.env.HOST ?? '127.0.0.1' });

process.once('SIGTERM', () => app.close());
