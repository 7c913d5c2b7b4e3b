import assert from 'node:assert/strict';
import { it } from 'node:test';
import { appRequire, callAll, observe, summary, versionOf } from './harness.ts';

for (const name of ['hapi20', '@hapi/hapi']) {
  it(`${name}: routes of plugins, wildcards, authentication and validation, and errors whoever answers them`, async () => {
    const { seen, wired, stop } = observe();
    const server = await makeServer(appRequire(name));
    await server.start();
    await callAll(server.listener, [
      { path: '/u/1?q=2' },
      { path: '/u/1', method: 'HEAD' },
      { path: '/api/acme/items/2' },
      { path: '/wild/a/b' },
      { path: '/two/1/x.json' },
      { path: '/any/1', method: 'PUT' },
      { path: '/thrown/1' },
      { path: '/boom/1' },
      { path: '/refused/1' },
      { path: '/page/1' },
      { path: '/odd/1' },
      { path: '/denied/1' },
      { path: '/checked/x' },
      { path: '/u/%', method: 'GET' },
      { path: '/u/1', method: 'DELETE' },
      { path: '/nope' },
    ]);
    await server.stop();
    stop();
    assert.deepEqual(summary(seen), [
      'GET 200 /u/{id}',
      'HEAD 200 /u/{id}',
      'GET 200 /api/{org}/items/{item}',
      'GET 200 /wild/{rest*}',
      'GET 200 /two/{a}/{file}.{type}',
      'PUT 200 /any/{id}',
      'GET 500 /thrown/{id}: thrown',
      'GET 503 /boom/{id}: later',
      'GET 409 /refused/{id}: taken',
      'GET 500 /page/{id}: hidden',
      'GET 500 /odd/{id}: Cannot throw non-error object',
      'GET 401 /denied/{id}: no',
      'GET 400 /checked/{id}: Invalid request params input',
      'GET 400 ',
      'DELETE 404 ',
      'GET 404 ',
    ]);
    assert.ok(wired().includes(`@hapi/hapi ${versionOf(name)}`), `${wired()}`);
  });
}

async function makeServer(Hapi: any): Promise<any> {
  const server = Hapi.server({ host: '127.0.0.1', port: 0, debug: false });
  const failing = (message: string, statusCode?: number) => () => {
    const error = new Error(message);
    // What @hapi/boom makes of an error, which is no dependency of these tests.
    if (statusCode === undefined) throw error;
    throw Object.assign(error, {
      isBoom: true,
      isServer: statusCode >= 500,
      data: null,
      output: { statusCode, payload: { statusCode, error: message, message }, headers: {} },
      reformat() {},
    });
  };
  const ok = () => ({ ok: true });
  server.auth.scheme('never', () => ({ authenticate: failing('no', 401) }));
  server.auth.strategy('never', 'never');
  server.route([
    { method: 'GET', path: '/u/{id}', handler: ok },
    { method: 'GET', path: '/wild/{rest*}', handler: ok },
    { method: 'GET', path: '/two/{a}/{file}.{type}', handler: ok },
    { method: '*', path: '/any/{id}', handler: ok },
    { method: 'GET', path: '/thrown/{id}', handler: failing('thrown') },
    { method: 'GET', path: '/boom/{id}', handler: failing('later', 503) },
    { method: 'GET', path: '/refused/{id}', handler: failing('taken', 409) },
    { method: 'GET', path: '/page/{id}', handler: failing('hidden') },
    { method: 'GET', path: '/odd/{id}', handler: () => Promise.reject('text') },
    { method: 'GET', path: '/denied/{id}', handler: ok, options: { auth: 'never' } },
    {
      method: 'GET',
      path: '/checked/{id}',
      handler: ok,
      options: { validate: { params: failing('Invalid request params input') } },
    },
  ]);
  // An app's own page in place of the error.
  server.ext('onPreResponse', (request: any, h: any) =>
    request.path.startsWith('/page/') ? h.response('sorry').code(500) : h.continue,
  );
  await server.register(
    {
      name: 'org',
      register: (plugin: any) => plugin.route({ method: 'GET', path: '/items/{item}', handler: ok }),
    },
    { routes: { prefix: '/api/{org}' } },
  );
  return server;
}
