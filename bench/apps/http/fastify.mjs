import fastify from 'fastify';
import { counted, start } from './control.cjs';

const app = fastify();
app.get('/users/:id', async (request) => {
  counted();
  return { id: request.params.id, name: 'Ada', plan: 'free' };
});

start(app.server);
app.listen({ port: 0, host: '127.0.0.1' });
