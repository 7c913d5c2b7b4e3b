import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { Server } from 'node:net';
import { test } from 'node:test';
import { loadConfig } from '../../instrumentation/config.ts';
import { watchListening } from '../../instrumentation/health/listening.ts';
import { startLifecycle } from '../../instrumentation/lifecycle/lifecycle.ts';
import { healthOf, messages } from '../health/support.ts';

function state() {
  const events = process.eventNames();
  return {
    emit: process.emit,
    ownEmit: Object.hasOwn(process, 'emit'),
    listen: Server.prototype.listen,
    listeners: new Map(events.map((event) => [event, process.rawListeners(event as 'exit')])),
  };
}

function start(): () => void {
  const { health } = healthOf();
  const listening = watchListening();
  const stop = startLifecycle({
    config: loadConfig({}).config,
    diagnostics: messages(),
    health,
    listening,
    flush: async () => {},
    flushSync: () => {},
    countUnhandled: () => {},
  });
  return () => {
    stop();
    listening.stop();
  };
}

test('start, stop, start, stop: no listener, timer or wrapper is left', async () => {
  const timers = new Set<number>();
  const hook = createHook({
    init: (id, type) => void (type === 'Timeout' && timers.add(id)),
    destroy: (id) => void timers.delete(id),
  }).enable();
  const before = state();
  for (let round = 0; round < 2; round++) {
    const stop = start();
    assert.ok(process.listenerCount('SIGTERM') > 0);
    assert.notEqual(process.emit, before.emit);
    await new Promise((resolve) => setImmediate(resolve));
    stop();
    assert.deepEqual(state(), before);
  }
  await new Promise((resolve) => setImmediate(resolve));
  hook.disable();
  assert.equal(timers.size, 0);
});

test('who wrapped process.emit and listen after the kit keeps a wrapper that works', () => {
  const stop = start();
  const ours = process.emit;
  const theirs = function (this: NodeJS.Process, ...args: unknown[]) {
    return Reflect.apply(ours, this, args);
  } as typeof process.emit;
  process.emit = theirs;
  stop();
  assert.equal(process.emit, theirs, 'not taken away');
  let heard = 0;
  process.once('warning', () => heard++);
  process.emit('warning', new Error('test'));
  assert.equal(heard, 1);
  Reflect.deleteProperty(process, 'emit');
});
