import assert from 'node:assert/strict';
import { it } from 'node:test';
import { appRequire, callAll, listen, observe, summary, versionOf } from './harness.ts';

it('koa: routes of prefixes, nested routers, patterns and middleware, and errors whoever answers them', async () => {
  const { seen, wired, stop } = observe();
  const server = await listen(makeApp(appRequire('koa'), appRequire('@koa/router').default).callback());
  await callAll(server, [
    { path: '/p/1/i/2?q=2' },
    { path: '/p/1/i/2', method: 'HEAD' },
    { path: '/p/1/nest/2/deep/3' },
    { path: '/p/1/thrown' },
    { path: '/p/1/answered' },
    { path: '/p/1/refused' },
    { path: '/first/1' },
    { path: '/second/1' },
    { path: '/digits/12' },
    { path: '/early' },
    { path: '/p/1/i/2', method: 'PUT' },
    { path: '/nope' },
  ]);
  server.close();
  stop();
  assert.deepEqual(summary(seen), [
    'GET 200 /p/:x/i/:id',
    'HEAD 200 /p/:x/i/:id',
    'GET 200 /p/:x/nest/:n/deep/:d',
    'GET 500 /p/:x/thrown: thrown',
    'GET 503 /p/:x/answered: answered',
    'GET 409 /p/:x/refused: taken',
    'GET 200 /first/:a',
    'GET 200 /second/:a',
    'GET 200 /^\\/digits\\/(\\d+)$/',
    'GET 401 ',
    'PUT 405 ',
    'GET 404 ',
  ]);
  assert.ok(wired().includes(`koa ${versionOf('koa')}`));
});

function makeApp(Koa: any, Router: any): any {
  const app = new Koa();
  app.silent = true;
  const nested = new Router();
  nested.get('/deep/:d', (ctx: any) => {
    ctx.body = 'deep';
  });
  const router = new Router({ prefix: '/p/:x' });
  router.get('/i/:id', async (ctx: any) => {
    await new Promise((resolve) => setImmediate(resolve));
    ctx.body = 'i';
  });
  router.use('/nest/:n', nested.routes());
  router.get('/thrown', () => {
    throw new Error('thrown');
  });
  router.get('/answered', () => {
    throw new Error('answered');
  });
  router.get('/refused', (ctx: any) => ctx.throw(409, 'taken'));
  const plain = new Router();
  plain.get(['/first/:a', '/second/:a'], (ctx: any) => {
    ctx.body = 'ok';
  });
  plain.get(/^\/digits\/(\d+)$/, (ctx: any) => {
    ctx.body = 'ok';
  });

  app.use(async (ctx: any, next: () => Promise<void>) => {
    if (ctx.path === '/early') {
      ctx.status = 401;
      return;
    }
    try {
      await next();
    } catch (error) {
      if (ctx.path !== '/p/1/answered') throw error;
      ctx.status = 503;
      ctx.app.emit('error', error, ctx);
    }
  });
  app.use(router.routes()).use(router.allowedMethods()).use(plain.routes());
  return app;
}
