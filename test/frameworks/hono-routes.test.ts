import assert from 'node:assert/strict';
import { it } from 'node:test';
import { appRequire, callAll, observe, summary, versionOf } from './harness.ts';

const VARIANTS: readonly [specifier: string, router?: string][] = [
  ['hono'],
  ['hono/tiny'],
  ['hono/quick'],
  ['hono', 'TrieRouter'],
  ['hono', 'LinearRouter'],
];

for (const [specifier, router] of VARIANTS) {
  it(`${specifier}${router ? ` with ${router}` : ''}: routes of sub-apps, base paths, overlaps and middleware, and errors`, async () => {
    const { seen, wired, stop } = observe();
    const { Hono } = appRequire(specifier);
    const classes = router ? appRequire(`hono/router/${router === 'TrieRouter' ? 'trie-router' : 'linear-router'}`) : {};
    const make = () => new Hono(router ? { router: new classes[router]() } : {});
    const server = await serve(makeApp(make));
    await callAll(server, [
      { path: '/u/1?q=2' },
      { path: '/u/me' },
      { path: '/u/1', method: 'HEAD' },
      { path: '/api/x/deep/2' },
      { path: '/api/x' },
      { path: '/v1/b/3' },
      { path: '/files/a/b.txt' },
      { path: '/any/1', method: 'PUT' },
      { path: '/thrown' },
      { path: '/rejected' },
      { path: '/own/handled' },
      { path: '/nope' },
    ]);
    server.close();
    stop();
    assert.deepEqual(summary(seen), [
      'GET 200 /u/:id',
      'GET 200 /u/me',
      'HEAD 200 /u/:id',
      'GET 200 /api/:org/deep/:d',
      'GET 200 /api/:org',
      'GET 200 /v1/b/:c',
      'GET 200 /files/*',
      'PUT 200 /any/:id',
      'GET 500 /thrown: thrown',
      'GET 500 /rejected: rejected',
      'GET 418 /own/handled: handled',
      'GET 404 ',
    ]);
    assert.ok(wired().includes(`hono ${versionOf('hono')}`));
  });
}

it('hono: a single handler without middleware, and its error', async () => {
  const { seen, stop } = observe();
  const app = new (appRequire('hono').Hono)();
  app.get('/only/:id', async (c: any) => {
    if (c.req.param('id') === 'bad') throw new Error('bad');
    return c.text('ok');
  });
  app.onError((_error: unknown, c: any) => c.text('no', 500));
  const server = await serve(app);
  await callAll(server, [{ path: '/only/1' }, { path: '/only/bad' }]);
  server.close();
  stop();
  assert.deepEqual(summary(seen), ['GET 200 /only/:id', 'GET 500 /only/:id: bad']);
});

it('hono: what an app can see of its routes is what it registered', () => {
  const { stop } = observe();
  const app = new (appRequire('hono').Hono)();
  const handler = (c: any) => c.text('ok');
  app.get('/u/:id', handler);
  stop();
  assert.equal(app.routes[0].handler, handler);
  assert.equal(app.routes[0].path, '/u/:id');
});

function serve(app: any): Promise<any> {
  return new Promise((resolve) => {
    const server = appRequire('@hono/node-server').serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
      resolve(server),
    );
  });
}

function makeApp(make: () => any): any {
  const app = make();
  app.onError((_error: unknown, c: any) => c.text('internal', 500));
  app.use('*', async (_c: unknown, next: () => Promise<void>) => next());
  app.get('/u/me', (c: any) => c.text('me'));
  app.get('/u/:id', (c: any) => c.text('u'));
  const sub = make();
  sub.get('/deep/:d', (c: any) => c.text('d'));
  sub.get('/', (c: any) => c.text('root'));
  app.route('/api/:org', sub);
  app.basePath('/v1').get('/b/:c', (c: any) => c.text('b'));
  app.get('/files/*', (c: any) => c.text('file'));
  app.all('/any/:id', (c: any) => c.text('any'));
  app.get('/thrown', () => {
    throw new Error('thrown');
  });
  app.get('/rejected', async () => {
    throw new Error('rejected');
  });
  const own = make();
  own.onError((_error: unknown, c: any) => c.text('teapot', 418));
  own.get('/handled', () => {
    throw new Error('handled');
  });
  app.route('/own', own);
  return app;
}
