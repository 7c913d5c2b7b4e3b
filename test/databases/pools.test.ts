import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSamples } from '../frameworks/samples.ts';
import { needsMariadb, startMariadb } from '../support/servers/mariadb.ts';
import { startMongoWire } from '../support/servers/mongo-wire.ts';
import { needsPostgres, startPostgres } from '../support/servers/postgres.ts';
import { until } from '../support/until.ts';
import { type DatabaseApp, startApp } from './app.ts';

const LABEL = 'db_client_connection_pool_name';

function open(app: DatabaseApp, max: number, count = 1) {
  return app.ask(`open?max=${max}&count=${count}`);
}

/** A gauge by what follows the target in the names of pools: nothing for the first, `#2`. */
async function gauge(app: DatabaseApp, name: string, state?: string): Promise<Record<string, number>> {
  const samples = parseSamples(await app.metrics(), name);
  const wanted = samples.filter(({ labels }) => state === undefined || labels.db_client_connection_state === state);
  return Object.fromEntries(wanted.map(({ labels, value }) => [labels[LABEL].replace(/^[^#]*/, ''), value]));
}

describe('pools of one database', { skip: needsPostgres, timeout: 60_000 }, () => {
  it('are shown each by itself: one that is exhausted is seen to be, beside one that is idle', async () => {
    await using server = await startPostgres();
    await using app = await startApp('pools', server.url, { env: { LIBRARY: 'pg', KIND: 'pg' } });
    await open(app, 3);
    await open(app, 1);
    await app.ask('use?pool=0&callers=5&seconds=30');
    const used = await until('the connections to be used', async () => {
      const found = await gauge(app, 'db_client_connection_count', 'used');
      return found[''] === 3 ? found : undefined;
    });
    assert.deepEqual(used, { '': 3, '#2': 0 });
    assert.deepEqual(await gauge(app, 'db_client_connection_max'), { '': 3, '#2': 1 });
    assert.deepEqual(await gauge(app, 'db_client_connection_pending_requests'), { '': 2, '#2': 0 });
    const { output } = await app.turns('postgresql ', 'warn');
    assert.match(output ?? '', /^2 waiting for a connection, 3 of 3 in use;/);
  });

  it('are added up from the fifth on', async () => {
    await using server = await startPostgres();
    await using app = await startApp('pools', server.url, { env: { LIBRARY: 'pg', KIND: 'pg' } });
    await open(app, 2, 20);
    assert.deepEqual(await gauge(app, 'db_client_connection_max'), { '': 2, '#2': 2, '#3': 2, '#4': 2, '#5': 32 });
    assert.deepEqual(await gauge(app, 'db_client_connection_wait_time_seconds_count'), {
      '': 1,
      '#2': 1,
      '#3': 1,
      '#4': 1,
      '#5': 16,
    });
    await app.ask('end');
    assert.deepEqual(await gauge(app, 'db_client_connection_max'), {});
  });
});

const ROWS = [
  { library: 'pg', kind: 'pg', skip: needsPostgres, start: startPostgres },
  { library: 'pg80', kind: 'pg', skip: needsPostgres, start: startPostgres },
  { library: 'mysql2', kind: 'mysql2', skip: needsMariadb, start: startMariadb },
  { library: 'mysql20', kind: 'mysql2', skip: needsMariadb, start: startMariadb },
  { library: 'knex', kind: 'knex', skip: needsPostgres, start: startPostgres },
  { library: 'knex095', kind: 'knex', skip: needsPostgres, start: startPostgres },
  { library: 'mongodb', kind: 'mongodb', skip: false, start: startMongoWire },
  { library: 'mongodb4', kind: 'mongodb', skip: false, start: startMongoWire },
] as const;

for (const { library, kind, skip, start } of ROWS) {
  describe(`a pool of ${library} that is ended`, { skip, timeout: 60_000 }, () => {
    it('is shown no longer and leaves its name to the next', async () => {
      await using server = await start();
      await using app = await startApp('pools', server.url, { env: { LIBRARY: library, KIND: kind } });
      for (let n = 0; n < 7; n++) {
        await open(app, 2);
        assert.deepEqual(await gauge(app, 'db_client_connection_max'), { '': 2 });
        await app.ask('end');
      }
      assert.deepEqual(await gauge(app, 'db_client_connection_max'), {});
      assert.deepEqual(await gauge(app, 'db_client_connection_count'), {});
      assert.deepEqual(Object.keys(await gauge(app, 'db_client_connection_wait_time_seconds_count')), ['']);
    });
  });
}
