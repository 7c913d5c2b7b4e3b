// A server that sends a request of its own for each that it gets, in the way that the path names, and answers with what its
// code saw: the result, and the ids of the context inside the callbacks.
const http = require('node:http');
const https = require('node:https');
const { once } = require('node:events');
const { context, propagation } = require('@opentelemetry/api');
const { suppressTracing } = require('@opentelemetry/core');
const { correlation } = require('o11y-kit');

const HOST = '127.0.0.1';
const CERTIFICATE = require('../../apps/fixtures/certificate.cjs').cert;
const resolveTo = (address) => (_, options, done) =>
  options.all ? done(null, [{ address, family: 4 }]) : done(null, address, 4);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

/** Resolves when the request has ended, however it did. */
function done(request, { read = true } = {}) {
  const ids = new Set();
  const note = () => ids.add(correlation.id());
  return new Promise((resolve) => {
    const result = { status: undefined, error: undefined, body: '' };
    const finish = () => resolve({ ...result, ids: [...ids] });
    request.on('response', (response) => {
      note();
      result.status = response.statusCode;
      if (!read) return setTimeout(finish, 5);
      response.on('data', (chunk) => {
        note();
        result.body += chunk;
      });
      response.on('error', (error) => {
        note();
        result.error = error.code ?? error.message;
      });
      response.on('close', () => {
        note();
        finish();
      });
    });
    request.on('error', (error) => {
      note();
      result.error = error.code ?? error.message;
      finish();
    });
    request.end();
  });
}

async function read(response) {
  return {
    status: response.status ?? response.statusCode,
    body: await (response.text?.() ?? response.body.text()),
    ids: [correlation.id()],
  };
}

const caught = (error) => {
  // A DOMException has a code too, a number.
  const code = [error.cause?.code, error.code].find((each) => typeof each === 'string');
  return { error: code ?? error.name, ids: [correlation.id()] };
};

const CASES = {
  get: (to) => done(http.get({ host: HOST, port: to.port, path: '/ok?token=s3cret&a=1' })),
  url: (to) => done(http.get(new URL(`${to.url}/ok`))),
  text: (to) => done(http.get(`http://ann:secret@${HOST}:${to.port}/ok`)),
  post: (to) => {
    const request = http.request(`${to.url}/echo`, { method: 'POST', headers: { 'content-type': 'text/plain' } });
    request.write('hello');
    return done(request);
  },
  'headers as a list': (to) => done(http.request(`${to.url}/ok`, { headers: ['host', `${HOST}:${to.port}`, 'x-a', '1'] })),
  'headers as pairs': (to) =>
    done(
      http.request(`${to.url}/ok`, {
        headers: [
          ['host', `${HOST}:${to.port}`],
          ['x-a', '1'],
        ],
      }),
    ),
  'setHeader afterwards': (to) => {
    const request = http.request(`${to.url}/ok`);
    request.setHeader('x-a', '1');
    return done(request);
  },
  'flushed headers': (to) => {
    const request = http.request(`${to.url}/echo`, { method: 'POST' });
    request.flushHeaders();
    return done(request);
  },
  'expect 100': (to) => {
    const request = http.request(`${to.url}/echo`, { method: 'POST', headers: { expect: '100-continue', 'content-length': 2 } });
    request.once('continue', () => request.end('ok'));
    return done(Object.assign(Object.create(request), { end() {} }));
  },
  head: (to) => done(http.request(`${to.url}/ok`, { method: 'HEAD' })),
  https: (to) => done(https.get(`https://localhost:${to.securePort}/ok`, { ca: CERTIFICATE, lookup: resolveTo(HOST) })),
  'kept alive': async (to) => {
    await done(http.get(`${to.url}/ok`, { agent }));
    return done(http.get(`${to.url}/ok`, { agent }));
  },
  404: (to) => done(http.get(`${to.url}/404`)),
  500: (to) => done(http.get(`${to.url}/500`)),
  204: (to) => done(http.get(`${to.url}/204`)),
  redirect: (to) => done(http.get(`${to.url}/redirect`)),
  refused: (to) => done(http.get({ host: HOST, port: to.closedPort, path: '/' })),
  'no such host': () =>
    done(http.get({ host: 'nowhere.invalid', lookup: (_, __, cb) => cb(Object.assign(new Error('no'), { code: 'ENOTFOUND' })) })),
  reset: (to) => done(http.get(`${to.url}/reset`)),
  half: (to) => done(http.get(`${to.url}/half`)),
  aborted: (to) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 5);
    return done(http.get(`${to.url}/hang`, { signal: controller.signal }));
  },
  destroyed: (to) => {
    const request = http.get(`${to.url}/hang`);
    setTimeout(() => request.destroy(), 5);
    return new Promise((resolve) =>
      request.on('error', () => {}).on('close', () => resolve({ error: 'closed', ids: [correlation.id()] })),
    );
  },
  timeout: (to) => {
    const request = http.get(`${to.url}/hang`, { timeout: 10 });
    request.on('timeout', () => request.destroy(Object.assign(new Error('too slow'), { code: 'ETIMEDOUT' })));
    return done(request);
  },
  'never read': (to) => done(http.get(`${to.url}/ok`, { agent: false }), { read: false }),
  upgrade: async (to) => {
    const request = http.request(`${to.url}/up`, { headers: { connection: 'upgrade', upgrade: 'x' } }).end();
    const [response, socket] = await once(request, 'upgrade');
    socket.destroy();
    return { status: response.statusCode, ids: [correlation.id()] };
  },
  tunnel: async (to) => {
    const request = http.request({ host: HOST, port: to.port, method: 'CONNECT', path: 'db.example:5432' }).end();
    const [response, socket] = await once(request, 'connect');
    socket.destroy();
    return { status: response.statusCode, ids: [correlation.id()] };
  },
  'through a proxy': (to) =>
    done(
      http.request({
        host: HOST,
        port: to.port,
        path: 'http://api.example.com/v1?token=s3cret',
        headers: { host: 'api.example.com' },
      }),
    ),
  public: (to) => done(http.get({ host: 'api.example.com', port: to.port, path: '/ok', lookup: resolveTo(HOST) })),
  'own headers': (to) =>
    done(http.get(`${to.url}/ok`, { headers: { Traceparent: 'mine', 'X-Correlation-ID': 'mine', Baggage: 'mine=1' } })),
  'own headers later': (to) => {
    const request = http.request(`${to.url}/ok`);
    request.setHeader('TraceParent', 'mine');
    return done(request);
  },
  suppressed: (to) => context.with(suppressTracing(context.active()), () => done(http.get(`${to.url}/ok`))),
  baggage: (to) =>
    context.with(
      propagation.setBaggage(
        context.active(),
        propagation.createBaggage({
          tenant: { value: 'a b,c' },
          evil: { value: '1', metadata: { toString: () => 'x\r\nx-evil: 1' } },
        }),
      ),
      () => done(http.get(`${to.url}/ok`)),
    ),
  'a lone surrogate in baggage': (to) =>
    context.with(propagation.setBaggage(context.active(), propagation.createBaggage({ a: { value: '\ud800' } })), () =>
      done(http.get(`${to.url}/ok`)),
    ),
  'elsewhere made': async (to) => {
    // Made here, sent from a timer that knows nothing of this request.
    const request = http.request(`${to.url}/ok`);
    await new Promise((resolve) => outside.push(() => resolve()));
    return done(request);
  },
  fetch: async (to) => read(await fetch(`${to.url}/ok?token=s3cret`)),
  'fetch post': async (to) => read(await fetch(`${to.url}/echo`, { method: 'POST', body: 'hello' })),
  'fetch 500': async (to) => read(await fetch(`${to.url}/500`)),
  'fetch refused': (to) => fetch(`http://${HOST}:${to.closedPort}/`).catch(caught),
  'fetch reset': (to) => fetch(`${to.url}/reset`).catch(caught),
  'fetch aborted': (to) => fetch(`${to.url}/hang`, { signal: AbortSignal.timeout(100) }).catch(caught),
  'fetch half': async (to) => read(await fetch(`${to.url}/half`)).catch(caught),
  'fetch redirect': async (to) => read(await fetch(`${to.url}/redirect`)),
  'fetch own headers': async (to) => read(await fetch(`${to.url}/ok`, { headers: { traceparent: 'mine' } })),
  'fetch suppressed': (to) => context.with(suppressTracing(context.active()), async () => read(await fetch(`${to.url}/ok`))),
  'fetch never read': async (to) => ({ status: (await fetch(`${to.url}/ok`)).status, ids: [correlation.id()] }),
  'undici 6': async (to) => read(await require('undici6').request(`${to.url}/ok`, { headers: { 'x-a': '1' } })),
  'undici 7': async (to) => read(await require('undici7').request(`${to.url}/ok`, { headers: ['x-a', '1'] })),
  'undici pool': async (to) => {
    const pool = new (require('undici7').Pool)(to.url, { connections: 1 });
    const [answer] = await Promise.all([1, 2, 3].map(() => pool.request({ path: '/ok', method: 'GET' }).then(read)));
    await pool.close();
    return answer;
  },
  two: async (to) => {
    const answers = await Promise.all([done(http.get(`${to.url}/ok`, { agent })), done(http.get(`${to.url}/ok`, { agent }))]);
    return { ...answers[0], ids: [...new Set(answers.flatMap(({ ids }) => ids))] };
  },
};

const outside = [];
setInterval(() => {
  for (const run of outside.splice(0)) run();
}, 5).unref();

const server = http.createServer(async (req, res) => {
  const name = decodeURIComponent(req.url.slice(1));
  try {
    res.end(JSON.stringify(await CASES[name](JSON.parse(req.headers['x-to']))));
  } catch (error) {
    res.writeHead(500).end(String(error.stack));
  }
});
server.listen(0, '127.0.0.1', () => console.log(`LISTEN ${server.address().port}`));
