import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setup } from './setup.ts';

test('what was exported and dropped is on the page, every reason from the start', async () => {
  const { metrics, stats, read } = setup();
  const stop = metrics.start();
  const first = await read();
  for (const signal of ['traces', 'logs']) {
    assert.equal(first.value('o11y_exported_total', { signal }), 0);
    for (const reason of Object.keys(stats.traces.dropped))
      assert.equal(first.value('o11y_dropped_total', { signal, reason }), 0);
  }
  stats.traces.exported = 100;
  stats.logs.dropped.queue_full = 7;
  const second = await read();
  stop();
  assert.equal(second.value('o11y_exported_total', { signal: 'traces' }), 100);
  assert.equal(second.value('o11y_dropped_total', { signal: 'logs', reason: 'queue_full' }), 7);
});

test('the resource is target_info, with names that Prometheus takes', async () => {
  const { read } = setup({}, { 'service.name': 'shop', 'deployment.environment.name': 'prod', '1st': true, __x: 1, ünï: 'y' });
  const [{ labels, value }] = (await read()).all('target_info');
  assert.equal(value, 1);
  assert.deepEqual(labels, { service_name: 'shop', deployment_environment_name: 'prod', _1st: 'true', _x: '1', _n_: 'y' });
});
