import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startViewer } from '../../viewer/testing.ts';
import { parseSamples } from '../frameworks/samples.ts';
import { needsRedis, type RedisServer, startRedis } from '../support/servers/redis.ts';
import { startApp } from './app.ts';

describe('Redis', { skip: needsRedis, timeout: 60_000 }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server?.stop());

  for (const library of ['ioredis', 'ioredis4']) {
    it(`sees a command that ${library} refuses because there is no connection`, async () => {
      await using viewer = await startViewer();
      await using app = await startApp('ioredis', server.url, { endpoint: viewer.url, env: { LIBRARY: library } });
      const { status, body } = await app.ask('refused');
      assert.equal(status, 500);
      assert.match(body.message, /^Stream isn't writeable/);
      const [span] = await viewer.waitForSpans({ name: 'GET', kind: 'client' });
      assert.equal(span.status.code, 'error');
      const counts = parseSamples(await app.metrics(), 'db_client_operation_duration_seconds_count');
      const failed = counts.filter(({ labels }) => labels.error_type !== '');
      assert.deepEqual(
        failed.map(({ labels, value }) => [labels.db_operation_name, value]),
        [['GET', 1]],
      );
      const { output } = await app.turns('redis ', 'fail');
      assert.match(output ?? '', /last failure 20/);
    });
  }
});
