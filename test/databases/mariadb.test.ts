import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { needsMariadb, startMariadb } from '../support/servers/mariadb.ts';
import { startApp } from './app.ts';

describe('MariaDB', { skip: needsMariadb, timeout: 60_000 }, () => {
  for (const library of ['mysql2', 'mysql20'])
    it(`calls back where the query was made, whoever opened the connection: ${library}`, async () => {
      await using server = await startMariadb();
      await using app = await startApp('mysql2', server.url, { env: { LIBRARY: library } });
      assert.equal((await app.ask('many?times=1')).status, 200);
      assert.equal((await app.ask('job')).body, 'none');
    });
});
