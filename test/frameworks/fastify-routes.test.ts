import assert from 'node:assert/strict';
import type http from 'node:http';
import { it } from 'node:test';
import { appRequire, callAll, observe, summary } from './harness.ts';

for (const name of ['fastify4', 'fastify5']) {
  it(`${name}: routes of prefixes, hooks, schemas, wildcards, HEAD, and errors before any handler of the app`, async () => {
    const { seen, wired, stop } = observe();
    const app = makeApp(appRequire(name));
    await app.listen({ port: 0, host: '127.0.0.1' });
    await callAll(app.server as http.Server, [
      { path: '/u/1?q=2' },
      { path: '/u/1', method: 'HEAD' },
      { path: '/api/acme/items/2' },
      { path: '/api/acme/two/b/deep/3' },
      { path: '/api/acme/failing/3' },
      { path: '/api/acme/answered/3' },
      { path: '/u/denied' },
      { path: '/wild/a/b' },
      { path: '/validated/1', method: 'POST', body: {} },
      { path: '/two' },
      { path: '/nope/1' },
    ]);
    await app.close();
    stop();
    assert.deepEqual(summary(seen), [
      'GET 200 /u/:id',
      'HEAD 200 /u/:id',
      'GET 200 /api/:org/items/:item',
      'GET 200 /api/:org/two/:b/deep/:d',
      'GET 500 /api/:org/failing/:e: failing',
      'GET 418 /api/:org/answered/:e: answered',
      'GET 401 /u/:id',
      'GET 200 /wild/*',
      "POST 400 /validated/:id: body must have required property 'a'",
      'GET 404 ',
      'GET 404 ',
    ]);
    assert.ok(wired().includes(`fastify ${app.version}`), `${wired()}`);
  });
}

function makeApp(fastify: any): any {
  const app = fastify();
  app.get('/u/:id', async () => ({ ok: true }));
  app.register(
    async (org: any) => {
      org.get('/items/:item', (_request: unknown, reply: any) => reply.send('x'));
      org.get('/failing/:e', async () => {
        throw new Error('failing');
      });
      org.register(async (two: any) => two.get('/deep/:d', async () => 'd'), { prefix: '/two/:b' });
      org.register(async (own: any) => {
        own.setErrorHandler((_error: unknown, _request: unknown, reply: any) => reply.code(418).send({ teapot: true }));
        own.get('/answered/:e', async () => {
          throw new Error('answered');
        });
      });
    },
    { prefix: '/api/:org' },
  );
  app.addHook('preHandler', (request: any, reply: any, done: () => void) => {
    if (request.url.includes('denied')) reply.code(401).send('no');
    else done();
  });
  app.get('/wild/*', async () => 'w');
  app.post('/validated/:id', { schema: { body: { type: 'object', required: ['a'] } } }, async () => 'v');
  return app;
}
