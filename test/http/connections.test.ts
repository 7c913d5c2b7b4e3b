import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { targetOf } from '../../instrumentation/http/agents.ts';
import { parseSamples } from '../frameworks/samples.ts';
import { type App, spawnApp } from '../support/app.ts';
import { until } from '../support/until.ts';

const apps = join(import.meta.dirname, '../apps/libraries');

interface Upstream extends AsyncDisposable {
  readonly url: string;
  readonly port: string;
  /** What waits for an answer under `/hold`. */
  readonly held: readonly IncomingMessage[];
  /** Answers all that waits, and all that comes from now on. */
  release(): void;
  drop(): void;
}

/** On all addresses of the loopback network. `/hold` is answered when the test wants, `/close` closes its connection. */
async function startUpstream(): Promise<Upstream> {
  const held: IncomingMessage[] = [];
  const answers: ServerResponse[] = [];
  let holds = true;
  const server = createServer((request, response) => {
    if (request.url === '/close') response.setHeader('connection', 'close');
    if (!request.url?.startsWith('/hold')) return response.end('ok');
    held.push(request);
    if (!holds) return response.end('ok');
    answers.push(response);
  });
  server.keepAliveTimeout = 60_000;
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n');
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port: String(port),
    held,
    release() {
      holds = false;
      for (const response of answers.splice(0)) response.end('ok');
    },
    drop: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface Seen {
  readonly active: number;
  readonly idle: number;
  readonly waiting: number;
  readonly max?: number;
}

function start(upstream: Upstream, library: string, kind = 'cjs', env = {}, args: string[] = []): Promise<App> {
  return spawnApp({
    args: [...args, join(apps, `run.${kind}`)],
    cwd: apps,
    env: { APP: 'undici', LIBRARY: library, SERVER_URL: upstream.url, ...env },
  });
}

async function ask(app: App, path: string, headers: Record<string, string> = {}): Promise<any> {
  const answer = await fetch(`http://127.0.0.1:${app.port}/${path}`, { headers });
  const body: any = await answer.json();
  assert.equal(answer.status, 200, body?.message);
  return body;
}

/** The connections to a server as the page shows them. */
async function seen(app: App, port: string, address = '127.0.0.1'): Promise<Seen> {
  const page = await app.metrics();
  const of = (name: string, state?: string) =>
    parseSamples(page, name).find(
      ({ labels }) =>
        labels.server_address === address &&
        labels.server_port === port &&
        (state === undefined || labels.http_connection_state === state),
    )?.value;
  const max = of('o11y_http_client_connections_max');
  return {
    active: of('http_client_open_connections', 'active')!,
    idle: of('http_client_open_connections', 'idle')!,
    waiting: of('o11y_http_client_pending_requests')!,
    ...(max !== undefined && { max }),
  };
}

async function shows(app: App, upstream: Upstream, expected: Seen): Promise<void> {
  let last: Seen | undefined;
  const right = async () => {
    last = await seen(app, upstream.port);
    return JSON.stringify(last) === JSON.stringify(expected) || undefined;
  };
  await until(JSON.stringify(expected), right, { timeoutMs: 10_000 }).catch(() => {});
  assert.deepEqual(last, expected);
}

/** The waits of a server's requests: how many, and the seconds of all. */
async function waits(app: App, port: string): Promise<{ count: number; sum: number }> {
  const page = await app.metrics();
  const [count, sum] = ['count', 'sum'].map(
    (part) =>
      parseSamples(page, `http_client_request_time_in_queue_seconds_${part}`).find(({ labels }) => labels.server_port === port)
        ?.value ?? 0,
  );
  return { count, sum };
}

const LIBRARIES = ['undici50', 'undici6', 'undici7', 'undici8'];

for (const library of LIBRARIES) {
  for (const kind of ['cjs', 'mjs']) {
    describe(`connections of ${library}, ${kind}`, { timeout: 60_000 }, () => {
      for (const way of ['pool', 'agent']) {
        it(`are used, waited for, idle and closed: ${way}`, async () => {
          await using upstream = await startUpstream();
          await using app = await start(upstream, library, kind);
          await ask(app, `start?way=${way}&path=/hold&calls=6`);
          await shows(app, upstream, { active: 2, idle: 0, waiting: 4, max: 2 });
          upstream.release();
          assert.deepEqual(await ask(app, 'done'), [2, 2, 2, 2, 2, 2]);
          await shows(app, upstream, { active: 0, idle: 2, waiting: 0, max: 2 });
          const { count, sum } = await waits(app, upstream.port);
          assert.equal(count, 6);
          // Four of them at least for as long as the page was looked at.
          assert.ok(sum > 0.01 && sum < 60, String(sum));
          upstream.drop();
          // An agent may give up a pool without connections by itself.
          if (way === 'pool') await shows(app, upstream, { active: 0, idle: 0, waiting: 0, max: 2 });
          await ask(app, 'end');
          await shows(app, upstream, { active: 0, idle: 0, waiting: 0 });
        });
      }
    });
  }

  describe(`a queue of ${library}`, { timeout: 60_000 }, () => {
    it('is no way into the trace of somebody else', async () => {
      await using upstream = await startUpstream();
      await using app = await start(upstream, library);
      const names = ['ada', 'bob', 'eve', 'kim', 'lea'];
      for (const name of names) await ask(app, `start?way=single&path=/hold/${name}`, { 'x-correlation-id': name });
      await until('the first to arrive', async () => upstream.held.length > 0 || undefined);
      upstream.release();
      await ask(app, 'done');
      assert.deepEqual(
        upstream.held.map(({ url, headers }) => [url, headers['x-correlation-id']]),
        names.map((name) => [`/hold/${name}`, name]),
      );
    });

    it('has no maximum where fetch, which has none, goes to the same server', async () => {
      await using upstream = await startUpstream();
      await using app = await start(upstream, library);
      await ask(app, 'start?way=fetch&path=/hold&calls=3');
      await ask(app, 'start?way=pool&path=/hold&calls=3');
      await shows(app, upstream, { active: 5, idle: 0, waiting: 1 });
      upstream.release();
      await ask(app, 'done');
    });

    it('of a single client is seen too', async () => {
      await using upstream = await startUpstream();
      await using app = await start(upstream, library);
      await ask(app, 'start?way=client&path=/hold&calls=4');
      await shows(app, upstream, { active: 1, idle: 0, waiting: 3 });
      upstream.release();
      await ask(app, 'done');
      await shows(app, upstream, { active: 0, idle: 1, waiting: 0 });
    });

    it('that is lost leaves nobody waiting', async () => {
      await using upstream = await startUpstream();
      await using app = await start(upstream, library);
      await ask(app, 'start?way=client&path=/hold&calls=3');
      await ask(app, 'start?way=pool&path=/hold&calls=5');
      await shows(app, upstream, { active: 3, idle: 0, waiting: 5 });
      await ask(app, 'end');
      assert.equal((await ask(app, 'done')).length, 8);
      await shows(app, upstream, { active: 0, idle: 0, waiting: 0 });
    });

    it('leaves a connection that was handed over in use', async () => {
      await using upstream = await startUpstream();
      await using app = await start(upstream, library);
      await ask(app, 'call?way=tunnel&path=/chat');
      await shows(app, upstream, { active: 1, idle: 0, waiting: 0 });
      await ask(app, 'end');
    });
  });
}

describe('connections of fetch', { timeout: 120_000 }, () => {
  for (const kind of ['cjs', 'mjs']) {
    it(`are used, idle and closed, ${kind}`, async () => {
      await using upstream = await startUpstream();
      await using app = await start(upstream, 'node:util', kind);
      await ask(app, 'start?way=fetch&path=/hold&calls=3');
      await shows(app, upstream, { active: 3, idle: 0, waiting: 0 });
      upstream.release();
      await ask(app, 'done');
      await shows(app, upstream, { active: 0, idle: 3, waiting: 0 });
      assert.equal((await waits(app, upstream.port)).count, 3);
      upstream.drop();
      await shows(app, upstream, { active: 0, idle: 0, waiting: 0 });
    });
  }

  it('leave nothing behind when each is closed after its answer', async () => {
    await using upstream = await startUpstream();
    await using app = await start(upstream, 'node:util', 'cjs', { OTEL_TRACES_SAMPLER: 'always_off' }, ['--expose-gc']);
    await ask(app, 'call?way=fetch&path=/close&calls=3000');
    const { heap } = await ask(app, 'inspect');
    await ask(app, 'call?way=fetch&path=/close&calls=10000');
    await shows(app, upstream, { active: 0, idle: 0, waiting: 0 });
    assert.equal((await waits(app, upstream.port)).count, 13_000);
    const grown = (await ask(app, 'inspect')).heap - heap;
    // A record of each would be more, the smallest too.
    assert.ok(grown < 600_000, `${grown} bytes more`);
  });

  it('that no server takes leave nobody waiting', async () => {
    await using upstream = await startUpstream();
    await using app = await start(upstream, 'node:util');
    await upstream[Symbol.asyncDispose]();
    await ask(app, 'start?way=fetch&path=/&calls=3');
    await ask(app, 'done');
    await shows(app, upstream, { active: 0, idle: 0, waiting: 0 });
  });

  it('to more servers than are shown are one sum, until there is room', async () => {
    await using upstream = await startUpstream();
    await using app = await start(upstream, 'node:util', 'cjs', { O11Y_MAX_SERIES: '24' });
    await ask(app, 'start?way=host&path=/hold&calls=30');
    await until('all to arrive', async () => upstream.held.length === 30 || undefined);
    const active = async () =>
      parseSamples(await app.metrics(), 'http_client_open_connections').filter(
        ({ labels }) => labels.http_connection_state === 'active',
      );
    const found = await active();
    assert.equal(found.length, 12);
    assert.equal(found.find(({ labels }) => labels.server_address === '__overflow__')?.value, 19);
    assert.equal(
      found.reduce((sum, { value }) => sum + value, 0),
      30,
    );
    upstream.release();
    await ask(app, 'done');
    upstream.drop();
    await until('all to be closed', async () => (await active()).every(({ value }) => value === 0) || undefined);
    await ask(app, 'call?way=host&path=/close&calls=40');
    const after = await active();
    assert.equal(after.length, 12);
    assert.ok(after.some(({ labels }) => labels.server_address === '127.0.0.40'));
  });
});

describe('connections of an agent of node:http', { timeout: 60_000 }, () => {
  it('are used, waited for and idle', async () => {
    await using upstream = await startUpstream();
    await using app = await start(upstream, 'node:util');
    await ask(app, 'start?way=http&path=/hold&calls=5');
    await shows(app, upstream, { active: 2, idle: 0, waiting: 3, max: 2 });
    upstream.release();
    await ask(app, 'done');
    await shows(app, upstream, { active: 0, idle: 2, waiting: 0, max: 2 });
    upstream.drop();
    await shows(app, upstream, { active: 0, idle: 0, waiting: 0 });
  });

  const NAMES = [
    ['localhost:8080:', { address: 'localhost', port: 8080 }],
    ['api.example.com:443:::::::::::::::::::::', { address: 'api.example.com', port: 443 }],
    ['127.0.0.1:80:10.0.0.1:4', { address: '127.0.0.1', port: 80 }],
    ['::1:8080:', { address: '::1', port: 8080 }],
    ['2001:db8:1:2:3:4:5:6:443:', { address: '2001:db8:1:2:3:4:5:6', port: 443 }],
    [`${'a'.repeat(60)}.example:80:`, { address: `${'a'.repeat(60)}.example`, port: 80 }],
    ['localhost:::/run/app.sock', undefined],
    ['', undefined],
    ['somebody else’s', undefined],
  ] as const;
  for (const [name, expected] of NAMES) {
    it(`${name.slice(0, 40) || 'no name'} is ${expected?.address.slice(0, 40) ?? 'nobody'}`, () => {
      assert.deepEqual(targetOf(name), expected);
    });
  }
});
