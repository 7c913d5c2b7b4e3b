import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { test } from 'node:test';
import type { Outcome } from '../../instrumentation/health/check.ts';
import { disk } from '../../instrumentation/health/checks/disk.ts';
import { eventLoop } from '../../instrumentation/health/checks/event-loop.ts';
import { memory } from '../../instrumentation/health/checks/memory.ts';
import { heapLimit } from '../../instrumentation/heap-limit.ts';
import { healthOf } from './support.ts';

const signal = new AbortController().signal;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

test('memory compares the heap with the size at which V8 gives up', () => {
  const status = (used: number) => (memory(1000 * MIB, () => used * MIB).check(signal) as Outcome).status;
  assert.deepEqual([status(100), status(849), status(851), status(951)], ['pass', 'pass', 'warn', 'fail']);
  const full = memory(1000 * MIB, () => 960 * MIB).check(signal) as Outcome;
  assert.equal(full.output, 'heap 960 MiB of at most 1000 MiB');
  assert.equal(full.observedValue, 0.96);
});

test('the heap limit is the old generation’s: the flag of the process where there is one', () => {
  const reported = 4288 * MIB;
  assert.equal(heapLimit([], reported), reported * 0.955);
  assert.equal(heapLimit(['--max-old-space-size=200'], 392 * MIB), 200 * MIB);
  assert.equal(heapLimit(['--max_old_space_size', '200'], 392 * MIB), 200 * MIB);
  assert.equal(heapLimit(['--max-old-space-size=100', '--max-old-space-size=300'], 492 * MIB), 300 * MIB);
  assert.equal(heapLimit(['--max-old-space-size-percentage=50'], 700 * MIB, 1000 * MIB), 500 * MIB);
  assert.equal(heapLimit(['--max-old-space-size=junk'], reported), reported * 0.955);
  assert.ok(heapLimit(['--max-old-space-size-percentage=100']) <= totalmem());
});

test('disk warns by share and by amount, and bears a file system without a size', async () => {
  const status = async (blocks: number, bavail: number) =>
    ((await disk('.', async () => ({ blocks, bavail, bsize: GIB / 100 })).check(signal)) as Outcome).status;
  assert.equal(await status(100_000, 50_000), 'pass');
  assert.equal(await status(1_000_000, 90_000), 'pass', '900 GiB free of 10 TiB');
  assert.equal(await status(1000, 90), 'warn', '0.9 GiB free of 10');
  assert.equal(await status(10_000, 30), 'fail', '0.3 GiB free of 100');
  const sizeless = (await disk('.', async () => ({ blocks: 0, bavail: 0, bsize: 4096 })).check(signal)) as Outcome;
  assert.deepEqual(sizeless, { status: 'pass', observedValue: 'unknown' });
  const real = (await disk().check(signal)) as Outcome;
  assert.equal(real.observedUnit, 'bytes');
});

test('the event loop warns when it is always busy, but not while an app loads', (t) => {
  const readings: [idle: number, active: number][] = [
    [0, 500],
    [0, 10_500],
    [9000, 11_500],
  ];
  const original = performance.eventLoopUtilization.bind(performance);
  let at = { idle: 0, active: 0, utilization: 0 };
  t.mock.method(performance, 'eventLoopUtilization', (...given: Parameters<typeof original>) =>
    given.length > 0 ? original(...given) : at,
  );
  const { check } = eventLoop();
  const statuses = readings.map(([idle, active]) => {
    at = { idle, active, utilization: active / (idle + active) };
    return (check(signal) as Outcome).status;
  });
  assert.deepEqual(statuses, ['pass', 'warn', 'pass']);
});

test('a missing variable that is required makes the process not ready; only its name shows', async (t) => {
  const { health, next } = healthOf({ O11Y_REQUIRED_ENV: 'DATABASE_URL,API_KEY', API_KEY: 'k-123' });
  const run = next('environment');
  t.after(health.start());
  await run;
  health.setPhase('ready');
  assert.deepEqual(health.ready(), { ready: false, reason: 'the check "environment" failed: not set: DATABASE_URL' });
  assert.doesNotMatch(JSON.stringify(health.report()), /k-123/);
});

test('an export that fails is a warning and does not decide about readiness', async (t) => {
  const { health, stats, next } = healthOf();
  stats.healthy = false;
  stats.lastError = 'connect ECONNREFUSED 127.0.0.1:4318';
  const run = next('exporter');
  t.after(health.start());
  assert.equal((await run).status, 'warn');
  health.setPhase('ready');
  assert.equal(health.ready().ready, true);
  assert.match(health.report().output ?? '', /exporter: the last export failed: connect ECONNREFUSED/);
});
