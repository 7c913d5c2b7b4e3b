import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startLibraries } from '../../instrumentation/libraries/index.ts';
import { appRequire, type Call, callAll, kitForLibraries, listen, type Seen, watchRequests } from './harness.ts';

interface Row extends Call {
  readonly route: string;
  readonly status?: number;
  readonly error?: string;
}

const ROWS: readonly Row[] = [
  { path: '/', route: '/' },
  { path: '/u/1?q=2', route: '/u/:id' },
  { path: '/async/1', route: '/async/:id' },
  { path: '/api/acme/items/9', route: '/api/:org/items/:item' },
  { path: '/api/acme', route: '/api/:org' },
  { path: '/api/acme/', route: '/api/:org' },
  { path: '/api/acme/two/s2/deep/3', route: '/api/:org/:two/s2/deep/:d' },
  { path: '/api/acme/two/s2/err/3', route: '/api/:org/:two/s2/err/:e', status: 500, error: 'thrown in a nested router' },
  { path: '/api/acme/two/s2/next/3', route: '', status: 404 },
  { path: '/twice-a/v/1', route: '/twice-a/v/:id' },
  { path: '/twice-b/v/1', route: '/twice-b/v/:id' },
  { path: '/one/v/1', route: '/one/v/:id' },
  { path: '/other/v/1', route: '/other/v/:id' },
  { path: '/subapp/1/in/2', route: '/subapp/:v/in/:sa' },
  { path: '/subapp/1/err/2', route: '/subapp/:v/err/:sa', status: 500, error: 'thrown in a mounted app' },
  { path: '/subapp/1/none', route: '', status: 404 },
  { path: '/routed/app/in/2', route: '/routed/app/in/:x' },
  { path: '/static/foo.css', route: '' },
  { path: '/re/12', route: '/^\\/re\\/(\\d+)$/' },
  { path: '/arr1/z', route: '/arr1/:x' },
  { path: '/arr2/z', route: '/arr2/:x' },
  { path: '/pass/1', route: '', status: 404 },
  { path: '/r/5', route: '/r/:q' },
  { path: '/r/5', method: 'POST', route: '/r/:q' },
  { path: '/r/5', method: 'OPTIONS', route: '' },
  { path: '/u/5', method: 'HEAD', route: '/u/:id' },
  { path: '/param/bad', route: '/param/:pp', status: 403 },
  { path: '/param/ok', route: '/param/:pp' },
  { path: '/early/1', route: '/early/:x', status: 401 },
  { path: '/handled/1', route: '/handled/:x', status: 418, error: 'teapot' },
  { path: '/rejected/1', route: '/rejected/:x', status: 500, error: 'rejected' },
  { path: '/nope/1', route: '', status: 404 },
  { path: '/api/acme/nope', route: '', status: 404 },
  { path: '/u/%zz', route: '', status: 400, error: "Failed to decode param '%zz'" },
];

function makeApp(express: any): any {
  const app = express();
  app.set('env', 'test');
  const send = (_req: any, res: any) => res.send('ok');
  app.use((_req: any, _res: any, next: any) => next());
  app.get('/', send);
  app.get('/u/:id', send);
  app.get('/async/:id', async (_req: any, res: any) => {
    await new Promise((resolve) => setImmediate(resolve));
    res.json({});
  });

  const outer = express.Router({ mergeParams: true });
  const inner = express.Router();
  outer.get('/items/:item', send);
  outer.get('/', send);
  inner.get('/deep/:d', send);
  inner.get('/err/:e', () => {
    throw new Error('thrown in a nested router');
  });
  inner.get('/next/:e', (_req: any, _res: any, next: any) => next());
  outer.use('/:two/s2', inner);
  app.use('/api/:org', outer);

  const twice = express.Router();
  twice.get('/v/:id', send);
  app.use('/twice-a', twice);
  app.use('/twice-b', twice);
  const several = express.Router();
  several.get('/v/:id', send);
  app.use(['/one', '/other'], several);

  const subapp = express();
  subapp.set('env', 'test');
  subapp.get('/in/:sa', send);
  subapp.get('/err/:sa', () => {
    throw new Error('thrown in a mounted app');
  });
  app.use('/subapp/:v', subapp);
  const inRouter = express();
  inRouter.get('/in/:x', send);
  const holder = express.Router();
  holder.use('/app', inRouter);
  app.use('/routed', holder);

  app.use('/static', (_req: any, res: any) => res.send('static'));
  app.get(/^\/re\/(\d+)$/, send);
  app.get(['/arr1/:x', '/arr2/:x'], send);
  app.get('/pass/:id', (_req: any, _res: any, next: any) => next('route'));
  app.route('/r/:q').get(send).post(send);
  app.param('pp', (_req: any, res: any, next: any, value: string) => (value === 'bad' ? res.status(403).end() : next()));
  app.get('/param/:pp', send);
  app.get('/early/:x', (_req: any, res: any) => res.status(401).end(), send);
  app.get('/rejected/:x', (_req: any, _res: any, next: any) => {
    Promise.reject(new Error('rejected')).catch(next);
  });
  const guarded = express.Router();
  guarded.get('/:x', () => {
    throw new Error('teapot');
  });
  guarded.use((_error: any, _req: any, res: any, _next: any) => res.status(418).send('short and stout'));
  app.use('/handled', guarded);
  return app;
}

for (const name of ['express4', 'express5']) {
  describe(`routes of ${name}`, () => {
    const { kit, messages } = kitForLibraries();
    let stop: () => void;
    let seen: Seen[];
    before(async () => {
      const libraries = startLibraries(kit, undefined, { entry: appRequire.resolve('./package.json') });
      const requests = watchRequests();
      seen = requests.seen;
      stop = () => {
        requests.stop();
        libraries.stop();
      };
      const server = await listen(makeApp(appRequire(name)));
      await callAll(server, ROWS);
      server.close();
      assert.deepEqual(messages.warn, []);
      const { version } = appRequire(`${name}/package.json`);
      assert.ok(libraries.wired().some((wired) => wired.name === 'express' && wired.version === version));
    });
    after(() => stop());

    for (const [index, { method = 'GET', path, route, status = 200, error }] of ROWS.entries()) {
      it(`${method} ${path} is ${route === '' ? 'no route' : route}`, () => {
        assert.equal(seen[index].route, route);
        assert.equal(seen[index].status, status);
        assert.equal((seen[index].error as Error | undefined)?.message, error);
      });
    }
  });
}
