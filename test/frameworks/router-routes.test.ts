import assert from 'node:assert/strict';
import { it } from 'node:test';
import { appRequire, callAll, listen, observe, summary, versionOf } from './harness.ts';

// 2.2 keeps neither the paths of its layers nor the errors of a request; 2.3 keeps both.
for (const name of ['router22', 'router']) {
  it(`${name} without Express: routes of nested routers, and errors with and without a handler`, async () => {
    const { seen, wired, stop } = observe();
    const router = makeRouter(appRequire(name));
    const server = await listen((req, res) => {
      router(req, res, (error: any) => {
        res.statusCode = error ? 500 : 404;
        res.end();
      });
    });
    await callAll(server, [
      { path: '/' },
      { path: '/api/acme/items/9' },
      { path: '/api/acme' },
      { path: '/one/v/1' },
      { path: '/other/v/1' },
      { path: '/api/acme/failing' },
      { path: '/answered/1' },
      { path: '/passed/1' },
      { path: '/nope' },
    ]);
    server.close();
    stop();
    assert.deepEqual(summary(seen), [
      'GET 200 /',
      'GET 200 /api/:org/items/:item',
      'GET 200 /api/:org',
      'GET 200 /one/v/:id',
      'GET 200 /other/v/:id',
      'GET 500 /api/:org/failing: failing',
      'GET 418 /answered/:id: answered',
      'GET 404 ',
      'GET 404 ',
    ]);
    assert.ok(wired().includes(`router ${versionOf(name)}`), `${wired()}`);
  });
}

function makeRouter(Router: any): any {
  const send = (_req: any, res: any) => res.end('ok');
  const root = new Router();
  root.use((_req: any, _res: any, next: any) => next());
  root.get('/', send);
  const api = new Router({ mergeParams: true });
  api.get('/items/:item', send);
  api.get('/', send);
  api.get('/failing', async () => {
    throw new Error('failing');
  });
  root.use('/api/:org', api);
  const several = new Router();
  several.get('/v/:id', send);
  root.use(['/one', '/other'], several);
  const answered = new Router();
  answered.get('/:id', () => {
    throw new Error('answered');
  });
  answered.use((_error: any, _req: any, res: any, _next: any) => {
    res.statusCode = 418;
    res.end();
  });
  root.use('/answered', [answered]);
  root.get('/passed/:id', (_req: any, _res: any, next: any) => next());
  return root;
}
