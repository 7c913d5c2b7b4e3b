import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { test } from 'node:test';
import { isTracingSuppressed } from '@opentelemetry/core';
import { active, KitContext, storage } from '../../instrumentation/context.ts';
import { healthOf } from './support.ts';

const FAST = { interval: 100, timeout: 50 };

test('a check passes by returning, and fails by throwing, rejecting or returning false', async (t) => {
  const { health, next } = healthOf();
  t.after(health.start());
  const rows: [string, () => unknown, string, string | undefined][] = [
    ['nothing', () => undefined, 'pass', undefined],
    ['true', () => true, 'pass', undefined],
    ['a result of a database', async () => ({ rows: [1], status: 200 }), 'pass', undefined],
    ['false', () => false, 'fail', 'the check returned false'],
    [
      'throws',
      () => {
        throw new Error('no disk');
      },
      'fail',
      'no disk',
    ],
    [
      'rejects',
      async () => {
        throw new Error('no cache');
      },
      'fail',
      'no cache',
    ],
    [
      'throws nothing',
      () => {
        throw undefined;
      },
      'fail',
      'undefined',
    ],
    ['warns', () => ({ status: 'warn', output: 'slow' }), 'warn', 'slow'],
  ];
  for (const [name, check, status, output] of rows) {
    const run = next(name);
    health.register(name, check);
    assert.equal((await run).status, status, name);
    const [entry] = health.report().checks[name];
    assert.equal(entry.status, status, name);
    assert.equal(entry.output, output, name);
  }
});

test('a check that hangs fails with a reason, is not run a second time meanwhile, and recovers when it settles', async (t) => {
  const { health, next } = healthOf();
  t.after(health.start());
  let running = 0;
  let most = 0;
  let runs = 0;
  let release = () => {};
  let aborted = false;
  const failed = next('database', 'fail');
  health.register(
    'database',
    async (signal) => {
      runs++;
      most = Math.max(most, ++running);
      if (runs === 1) {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      }
      running--;
    },
    FAST,
  );
  await failed;
  assert.deepEqual(health.report().checks.database[0].output, 'no answer within 50 ms');
  assert.ok(aborted, 'the signal tells the check');
  // Another check shows that time goes on: many intervals later the hanging one has still not been started again.
  health.register('clock', () => {}, FAST);
  for (let i = 0; i < 4; i++) await next('clock');
  assert.equal(runs, 1);
  const passed = next('database', 'pass');
  release();
  await passed;
  assert.equal(most, 1);
});

test('no answer waits for a check', (t) => {
  const { health } = healthOf();
  t.after(health.start());
  health.setPhase('ready');
  health.register('stuck', () => new Promise(() => {}));
  assert.deepEqual(health.ready(), { ready: false, reason: 'the check "stuck" has not run yet' });
  assert.equal(health.live(), true);
  assert.equal(health.report().checks.stuck[0].output, 'has not run yet');
});

test('readiness follows the phase and the required checks, and says why', async (t) => {
  const { health, next } = healthOf();
  t.after(health.start());
  assert.deepEqual(health.ready(), { ready: false, reason: 'starting' });
  health.setPhase('ready');
  assert.deepEqual(health.ready(), { ready: true });

  let broken = true;
  const check = () => {
    if (broken) throw new Error('connection refused');
  };
  const [optional, required] = [next('cache'), next('database')];
  health.register('cache', check, { ...FAST, required: false });
  const unregister = health.register('database', check, FAST);
  await Promise.all([optional, required]);
  assert.deepEqual(health.ready(), { ready: false, reason: 'the check "database" failed: connection refused' });
  assert.equal(health.report().status, 'fail');

  broken = false;
  await next('database', 'pass');
  assert.deepEqual(health.ready(), { ready: true });
  broken = true;
  await next('database', 'fail');
  unregister();
  assert.deepEqual(health.ready(), { ready: true });
  await next('cache', 'fail');
  assert.equal(health.report().status, 'warn', 'what is not required only warns');

  health.setPhase('draining');
  assert.deepEqual(health.ready(), { ready: false, reason: 'draining' });
});

test('the report is application/health+json with latency, version and uptime', async (t) => {
  const { health, next } = healthOf({ OTEL_TRACES_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' });
  t.after(health.start());
  const run = next('database');
  health.register('database', () => ({ status: 'pass', observedValue: 7, observedUnit: 'connections' }), {
    componentType: 'datastore',
  });
  const measured = next('mail');
  health.register('mail', () => {});
  const { seconds } = await run;
  await measured;
  const report = health.report();
  const { time, durationMs, ...database } = report.checks.database[0];
  assert.deepEqual(database, {
    componentType: 'datastore',
    status: 'pass',
    observedValue: 7,
    observedUnit: 'connections',
    output: undefined,
    required: true,
  });
  assert.ok(Math.abs(Date.now() - Date.parse(time ?? '')) < 60_000);
  assert.equal(durationMs, Math.round(seconds * 1e6) / 1000);
  assert.equal(report.checks.mail[0].observedUnit, 'ms');
  assert.equal(report.checks.mail[0].observedValue, report.checks.mail[0].durationMs);
  assert.deepEqual([report.version, report.serviceId, report.description, report.notes], ['1.2.3', 'i-1', 'shop', ['starting']]);
  // Written in milliseconds, so it may have been rounded up.
  assert.ok(report.uptime > 0 && report.uptime <= process.uptime() + 0.001);
  assert.deepEqual(Object.keys(report.checks).sort(), ['database', 'disk', 'event_loop', 'mail', 'memory', 'uptime']);
});

test('a name that is taken gets the new check; what cannot be a check is reported and left out', async (t) => {
  const { health, diagnostics, next } = healthOf();
  t.after(health.start());
  const first = next('cache', 'fail');
  const removeFirst = health.register('cache', () => false, FAST);
  await first;
  const second = next('cache', 'pass');
  health.register('cache', () => true, FAST);
  await second;
  removeFirst();
  assert.equal(health.report().checks.cache[0].status, 'pass', 'the old remover does not remove the new check');

  for (const bad of [
    ['', () => {}],
    ['x'.repeat(101), () => {}],
    [7, () => {}],
    ['no function', 'ping'],
  ] as any[]) {
    health.register(bad[0], bad[1])();
  }
  assert.equal(diagnostics.said.length, 4);
  assert.match(diagnostics.said[0], /it takes a name of 1 to 100 characters and a function/);
  const before = Object.keys(health.report().checks).length;
  for (let i = 0; i < 300; i++) health.register(`check ${i}`, () => {});
  assert.equal(Object.keys(health.report().checks).length, 201, `bounded; ${before} before`);
});

test('odd options are replaced by the defaults', async (t) => {
  const { health, next } = healthOf();
  t.after(health.start());
  const run = next('odd');
  health.register('odd', () => {}, { interval: Number.NaN, timeout: -5 });
  assert.equal((await run).status, 'pass');
  const again = next('odder');
  health.register('odder', () => {}, { interval: 'soon', timeout: Infinity } as any);
  assert.equal((await again).status, 'pass');
});

test('credentials in an error do not show', async (t) => {
  const { health, next } = healthOf();
  t.after(health.start());
  const run = next('database');
  health.register('database', () => {
    throw new Error('cannot reach postgres://app:hunter2@db:5432/shop?password=hunter3');
  });
  await run;
  const { output } = health.report().checks.database[0];
  assert.match(output ?? '', /cannot reach postgres:/);
  assert.doesNotMatch(JSON.stringify(health.report()), /hunter/);
});

test('a check runs in no request and makes no spans, whoever registers it', async (t) => {
  const { health, next } = healthOf();
  t.after(health.start());
  const run = next('inside');
  let context = active();
  storage.run(new KitContext(undefined, 'request-1', undefined), () =>
    health.register('inside', () => {
      context = active();
    }),
  );
  await run;
  assert.notEqual((context as KitContext).correlationId, 'request-1');
  assert.ok(isTracingSuppressed(context));
});

test('start, stop, start: no timer is left, no check runs between', async () => {
  const live = new Set<number>();
  const hook = createHook({
    init: (id, type) => void (type === 'Timeout' && live.add(id)),
    destroy: (id) => void live.delete(id),
  }).enable();
  const { health, next, runs } = healthOf();
  const first = next('disk');
  let stop = health.start();
  await first;
  stop();
  const count = runs.length;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(runs.length, count);
  const second = next('disk');
  stop = health.start();
  await second;
  stop();
  await new Promise((resolve) => setImmediate(resolve));
  hook.disable();
  assert.equal(live.size, 0);
});
