import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { needsKafka, startKafka } from '../support/servers/kafka.ts';
import { needsMariadb, startMariadb } from '../support/servers/mariadb.ts';
import { startMongoWire } from '../support/servers/mongo-wire.ts';
import { needsPostgres, startPostgres } from '../support/servers/postgres.ts';
import { accepts, type Server, serverFolder, startProgram } from '../support/servers/program.ts';
import { needsRabbitmq, startRabbitmq } from '../support/servers/rabbitmq.ts';
import { needsRedis, startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';
import { type DatabaseApp, startApp } from './app.ts';

interface Row {
  readonly library: string;
  /** File in test/apps/libraries; that of the library's name if absent. */
  readonly app?: string;
  /** How its health check begins; absent where it has none. */
  readonly check?: string;
  /** An action that succeeds whenever the server is there. */
  readonly action: string;
  readonly skip: string | false;
  start(): Promise<Server & { readonly url: string }>;
}

const ROWS: readonly Row[] = [
  { library: 'pg', check: 'postgresql ', action: 'slow?seconds=0', skip: needsPostgres, start: startPostgres },
  { library: 'mysql2', check: 'mysql ', action: 'slow?seconds=0', skip: needsMariadb, start: startMariadb },
  { library: 'mongodb', check: 'mongodb ', action: 'find', skip: false, start: startMongoWire },
  { library: 'ioredis', check: 'redis ', action: 'get', skip: needsRedis, start: startRedis },
  { library: 'redis', check: 'redis ', action: 'get', skip: needsRedis, start: startRedis },
  { library: 'kafkajs', app: 'kafkajs-outage', check: 'kafka ', action: 'send', skip: needsKafka, start: startKafka },
  { library: 'amqplib', app: 'amqplib-outage', check: 'rabbitmq ', action: 'send', skip: needsRabbitmq, start: startRabbitmq },
  { library: '@grpc/grpc-js', app: 'grpc-outage', action: 'send', skip: false, start: startGrpc },
];

/** A gRPC server in a process of its own, without the kit. */
async function startGrpc(): Promise<Server & { readonly url: string }> {
  const port = await freePort();
  const server = await startProgram({
    command: process.execPath,
    args: [join(import.meta.dirname, '../apps/libraries/grpc-outage.cjs')],
    cwd: serverFolder('grpc'),
    port,
    env: { ...process.env, PORT: String(port) },
    answers: () => accepts(port),
  });
  return { ...server, url: `127.0.0.1:${port}` };
}

for (const { library, app: file = library, check, action, skip, start } of ROWS) {
  const env = { LIBRARY: library };
  describe(`${library} and a server that dies under load`, { skip, timeout: 120_000 }, () => {
    it('answers as without the kit; its check fails, and passes again; readiness stays', async () => {
      await using server = await start();
      await using kit = await startApp(file, server.url, { env });
      await using bare = await startApp(file, server.url, { env, preload: false });
      const both = [kit, bare];
      const load = new AbortController();
      const running = both.map((app) => call(app, action, load.signal));
      const turns = (app: DatabaseApp, status: number) =>
        until(`${library} to answer ${status}`, async () => (await app.ask(action)).status === status, { timeoutMs: 60_000 });
      const works = (app: DatabaseApp) => turns(app, 200);
      const fails = (app: DatabaseApp) => turns(app, 500);
      await Promise.all(both.map(works));
      if (check) await kit.turns(check, 'pass');

      await server.kill();
      await Promise.all(both.map(fails));
      if (check) {
        const { required, output } = await kit.turns(check, 'fail');
        assert.equal(required, false);
        assert.match(output ?? '', /; last success .*, last failure /);
      }
      assert.equal((await fetch(`${await kit.adminUrl()}/health/ready`)).status, 200);

      await server.restart();
      await Promise.all(both.map(works));
      if (check) await kit.turns(check, 'pass');
      load.abort();
      const [withKit, without] = await Promise.all(running);
      // Not which of them a call meets, which is a matter of luck, but no answer that the app does not give by itself.
      const strange = [...withKit].filter((answer) => !without.has(answer) && !EXPECTED.test(answer));
      assert.deepEqual(strange, []);
      for (const app of both) assert.equal(app.child.exitCode, null);
    });

    it('keeps nothing of ten thousand calls', async () => {
      await using server = await start();
      await using app = await startApp(file, server.url, { args: ['--expose-gc'], env: { ...env, O11Y_SLOW_QUERY_MS: '0' } });
      // What drivers keep for good, they keep from the first thousands on.
      await app.ask('many?times=10000');
      const before = (await app.ask('inspect')).body;
      await app.ask('many?times=10000');
      // The last spans are still on their way.
      await until('the heap to be what it was', async () => (await app.ask('inspect')).body.heap < before.heap + 2e6);
      const { listeners, resources } = (await app.ask('inspect')).body;
      assert.equal(listeners, before.listeners);
      assert.ok(resources <= before.resources + 2, `${before.resources} resources became ${resources}`);
    });
  });
}

/** What drivers say of a server that is gone, is starting, or has cut them off. */
const EXPECTED =
  /ECONN|EPIPE|terminat|timeout|closed|Closed|shutting down|starting up|in recovery|the database system|Connection lost|max retries|Socket|LOADING|UNAVAILABLE: Connection dropped/i;

/** Calls an action without a pause until it is told to stop; what was answered, each once. */
async function call(app: DatabaseApp, action: string, signal: AbortSignal): Promise<Set<string>> {
  const answers = new Set<string>();
  while (!signal.aborted) {
    const { status, body } = await app.ask(action);
    answers.add(status === 200 ? '200' : `${status} ${String(body?.message).replace(/\d{4,}/g, 'PORT')}`);
  }
  return answers;
}
