import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { active, KitContext, storage } from '../../instrumentation/context.ts';
import { Collectors } from '../../instrumentation/metrics/collectors.ts';
import { METRICS } from '../../instrumentation/names.ts';
import { recorder, setup } from './setup.ts';

test('one broken collector costs its own metrics only', async () => {
  const { metrics, read, warnings } = setup();
  const stop = metrics.start();
  const gauge = metrics.gauge(METRICS.bullmqJobCount);
  metrics.onScrape('queues', () => gauge.set({ queue: 'mail', state: 'waiting' }, 5));
  metrics.onScrape('throws', () => {
    throw new Error('no such thing');
  });
  metrics.onScrape('rejects', () => Promise.reject(new Error('later')));
  const page = await read();
  stop();
  assert.equal(page.value('bullmq_job_count', { queue: 'mail', state: 'waiting' }), 5);
  assert.equal(page.value('o11y_collector_success', { collector: 'queues' }), 1);
  assert.equal(page.value('o11y_collector_success', { collector: 'throws' }), 0);
  assert.equal(page.value('o11y_collector_success', { collector: 'rejects' }), 0);
  assert.equal(page.value('o11y_collector_success', { collector: 'heap' }), 1);
  assert.ok(page.value('nodejs_heap_size_used_bytes')! > 0);
  assert.equal(warnings.filter((line) => line.includes('"throws" failed: no such thing')).length, 1);
});

test('a collector that hangs is given up, and not called again until it has answered', async () => {
  const diagnostics = recorder();
  const collectors = new Collectors(diagnostics, 20);
  let calls = 0;
  let answer = () => {};
  collectors.add('slow', () => {
    calls++;
    return new Promise<void>((resolve) => {
      answer = resolve;
    });
  });
  collectors.add('quick', () => {});
  assert.deepEqual(Object.fromEntries(await collectors.run()), { slow: false, quick: true });
  assert.deepEqual(Object.fromEntries(await collectors.run()), { slow: false, quick: true });
  assert.equal(calls, 1);
  assert.match(diagnostics.lines[0], /"slow" failed: no answer within 20 ms/);
  answer();
  await new Promise((resolve) => setImmediate(resolve));
  collectors.add('answers', () => answer());
  const last = collectors.run();
  answer();
  await last;
  assert.equal(calls, 2);
});

test('collectors of one name are one, and one that is taken back is gone', async () => {
  const collectors = new Collectors(recorder());
  collectors.add('pool', () => {});
  const remove = collectors.add('pool', () => {
    throw new Error('broken');
  });
  assert.deepEqual([...(await collectors.run())], [['pool', false]]);
  remove();
  assert.deepEqual([...(await collectors.run())], [['pool', true]]);
});

test('a collector runs outside of any trace', async () => {
  const collectors = new Collectors(recorder());
  const seen: boolean[] = [];
  collectors.add('queue', async () => {
    await Promise.resolve();
    seen.push(trace.getSpan(active()) === undefined, isTracingSuppressed(active()));
  });
  const span = trace.wrapSpanContext({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 });
  await storage.run(new KitContext(span, 'id', undefined), () => collectors.run());
  assert.deepEqual(seen, [true, true]);
});
