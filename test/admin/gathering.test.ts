import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { clusterReadiness, clusterReport } from '../../instrumentation/admin/cluster-health.ts';
import { gatherWorkers, type Worker } from '../../instrumentation/admin/cluster-primary.ts';
import { joinPrimary, type WorkerDeps } from '../../instrumentation/admin/cluster-worker.ts';
import { PROTOCOL, send } from '../../instrumentation/admin/protocol.ts';
import type { Snapshot } from '../../instrumentation/metrics/metrics.ts';
import { healthOf, messages } from '../health/support.ts';
import { until } from '../support/until.ts';

let paths = 0;
const newPath = () => `\0o11y-kit-test/${process.pid}/${++paths}`;
const skip = process.platform === 'linux' ? false : 'local sockets without a file are Linux’s';

const counter = (value: number): Snapshot => ({
  families: [{ name: 'served_total', help: 'Served', type: 'counter', aggregation: 'sum', samples: [{ labels: '', value }] }],
});
const total = ({ families }: Snapshot) =>
  families
    .find(({ name }) => name === 'served_total')
    ?.samples.reduce((sum, sample) => sum + Number((sample as { value: number }).value), 0);

function primary({ job = 'shop', address = { host: '127.0.0.1', port: 9464 } as { host: string; port: number } | null } = {}) {
  const path = newPath();
  const diagnostics = messages();
  const gathering = gatherWorkers({ job, diagnostics, address: () => address ?? undefined }, path);
  return { path, diagnostics, gathering };
}

async function worker(path: string, values: { served: number }, given: Partial<WorkerDeps> = {}) {
  const { health } = healthOf();
  const lost = { count: 0 };
  const membership = await joinPrimary(
    { job: 'shop', metrics: { snapshot: async () => counter(values.served) }, health, onLost: () => lost.count++, ...given },
    path,
  );
  return { membership, health, lost };
}

test('the sum holds every process once, and what is gone stays in it', { skip }, async (t) => {
  const { path, gathering } = primary();
  t.after(gathering.stop);
  assert.equal(gathering.active(), false);
  const values = [{ served: 3 }, { served: 4 }];
  const [one, two] = [await worker(path, values[0]), await worker(path, values[1])];
  assert.deepEqual([one.membership?.host, one.membership?.port], ['127.0.0.1', 9464]);
  assert.equal(gathering.active(), true);
  assert.equal(total(await gathering.snapshot(counter(1))), 8);

  values[0].served = 10;
  await one.membership?.handOver(5000);
  one.membership?.leave();
  await until('one is gone', () => gathering.workers().length === 1, { everyMs: 5 });
  assert.equal(total(await gathering.snapshot(counter(1))), 15, 'with its last numbers, handed over');
  const three = await worker(path, { served: 100 });
  assert.deepEqual(
    gathering
      .workers()
      .map(({ slot }) => slot)
      .sort(),
    [1, 2],
    'in the place of the one that has gone',
  );
  assert.equal(total(await gathering.snapshot(counter(1))), 115);
  two.membership?.leave();
  three.membership?.leave();
  await until('all are gone', () => gathering.workers().length === 0, { everyMs: 5 });
  assert.equal(total(await gathering.snapshot(counter(2))), 116);
  assert.equal(gathering.active(), true);
});

test('a worker that does not answer in time is shown as it last was, and said', { skip }, async (t) => {
  const { path, gathering, diagnostics } = primary();
  t.after(gathering.stop);
  let answers = true;
  const snapshot = () => (answers ? Promise.resolve(counter(5)) : new Promise<Snapshot>(() => {}));
  const { membership } = await worker(path, { served: 0 }, { metrics: { snapshot } });
  t.after(() => membership?.leave());
  assert.equal(total(await gathering.snapshot(counter(0))), 5);
  answers = false;
  assert.equal(total(await gathering.snapshot(counter(0))), 5);
  assert.match(
    diagnostics.said[0],
    /^worker 1 \(process \d+\) did not give its metrics within 2000 ms; the last ones are shown\.$/,
  );
});

test('a process of another service, or of another version, is sent away; so is one that comes before there is a page', {
  skip,
}, async (t) => {
  const { path, gathering } = primary();
  t.after(gathering.stop);
  assert.equal((await worker(path, { served: 1 }, { job: 'mail' })).membership, undefined);
  const closed = primary({ address: null });
  t.after(closed.gathering.stop);
  assert.equal((await worker(closed.path, { served: 1 })).membership, undefined);
  assert.equal((await worker(newPath(), { served: 1 })).membership, undefined, 'where nobody listens');
  assert.equal(gathering.active(), false);
});

test('a worker is told when its primary has gone', { skip }, async () => {
  const { path, gathering } = primary();
  const { membership, lost } = await worker(path, { served: 1 });
  assert.ok(membership);
  gathering.stop();
  await until('it is told', () => lost.count === 1, { everyMs: 5 });
  await membership.handOver(5000);
});

test('nonsense at the socket ends the connection and nothing else', { skip }, async (t) => {
  const { path, gathering, diagnostics } = primary();
  t.after(gathering.stop);
  const hello = `${JSON.stringify({ type: 'hello', protocol: PROTOCOL, job: 'shop', pid: 1 })}\n`;
  const rows = [
    'nonsense\n',
    '{"type":"family"}\n',
    'null\n',
    `${hello}{`,
    `${hello}null\n`,
    `${hello}{"type":"end","id":1}\n{"type":"family","id":2}\nx\n`,
    'x'.repeat(9 * 1024 * 1024),
  ];
  for (const row of rows) {
    const socket = connect(path).on('error', () => {});
    socket.write(row);
    if (row.endsWith('{')) socket.end();
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
  }
  await until('all are gone', () => gathering.workers().length === 0, { everyMs: 5 });
  const { membership } = await worker(path, { served: 7 });
  t.after(() => membership?.leave());
  assert.equal(total(await gathering.snapshot(counter(0))), 7);
  assert.deepEqual(diagnostics.said, []);
});

test('a worker that sends more than a page can hold is cut off', { skip }, async (t) => {
  const { path, gathering } = primary();
  t.after(gathering.stop);
  const socket = connect(path).on('error', () => {});
  t.after(() => socket.destroy());
  send(socket, { type: 'hello', protocol: PROTOCOL, job: 'shop', pid: 1 });
  const [family] = counter(1).families;
  for (let n = 0; n < 20_002; n++) send(socket, { type: 'family', id: 1, family });
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  await until('it is gone', () => gathering.workers().length === 0, { everyMs: 5 });
});

test('a cluster is ready with its primary and at least one worker; the report holds every process', { skip }, async (t) => {
  const own = healthOf().health;
  own.setPhase('ready');
  const { path, gathering } = primary();
  t.after(gathering.stop);
  const ready = () => clusterReadiness(own.ready(), gathering.workers());
  assert.deepEqual(ready(), { ready: true }, 'without workers it speaks for itself');
  const one = await worker(path, { served: 0 });
  const two = await worker(path, { served: 0 });
  t.after(() => one.membership?.leave());
  t.after(() => two.membership?.leave());
  await until('both have reported', () => gathering.workers().every(({ health }) => health !== undefined), { everyMs: 5 });
  assert.deepEqual(ready(), { ready: false, reason: 'no worker is ready: worker 1: starting; worker 2: starting' });
  assert.equal(clusterReport(own.report(), gathering.workers()).status, 'fail');
  two.health.setPhase('ready');
  await until('one is ready', () => ready().ready, { everyMs: 20 });
  const { status, checks, output } = clusterReport(own.report(), gathering.workers());
  assert.equal(status, 'warn');
  assert.match(output ?? '', /worker 1: starting/);
  assert.deepEqual(
    checks.memory.map(({ componentId }) => componentId),
    ['primary', 'worker 1', 'worker 2'],
  );
  own.setPhase('draining');
  assert.deepEqual(ready(), { ready: false, reason: 'draining' });
});

test('a worker that has fallen silent does not count as ready', () => {
  const { health } = healthOf();
  health.setPhase('ready');
  const silent: Worker = { slot: 1, pid: 1, health: { ready: true, report: health.report() }, healthAt: 0 };
  assert.deepEqual(clusterReadiness({ ready: true }, [silent], 29_000), { ready: true });
  assert.deepEqual(clusterReadiness({ ready: true }, [silent], 31_000), {
    ready: false,
    reason: 'no worker is ready: worker 1 has said nothing for 31 s',
  });
});
