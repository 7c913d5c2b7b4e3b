import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Kit } from '../../instrumentation/kit.ts';
import { createLogger } from '../../instrumentation/logs/logger.ts';
import { resilienceOf } from '../../instrumentation/recorders/resilience.ts';
import { createRedactor } from '../../instrumentation/redaction.ts';
import { recorder, setup } from '../metrics/setup.ts';
import { until } from '../support/until.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

function start(env: Record<string, string> = {}) {
  const { metrics, read } = setup(env);
  const lines: string[] = [];
  const logger = createLogger({
    level: 'info',
    service: 'shop',
    redactor: createRedactor(),
    emit: (line) => void lines.push(JSON.parse(line).msg),
  });
  const kit = { metrics, logs: { logger }, diagnostics: recorder() } as unknown as Kit;
  const state = async (name: string) => (await read()).value('circuitbreaker_state', { name });
  return { resilience: resilienceOf(kit), state, read, lines, kit };
}

describe('breakers that share a name', () => {
  it('the gauge shows the worst among them; each has changes of its own', async () => {
    const { resilience, state, read, lines } = start();
    const [a, b] = [{}, {}].map((breaker) => resilience.breakers.instance(breaker, 'smtp', 'closed'));
    assert.equal(await state('smtp'), 0);
    a.state('open');
    b.state('closed');
    assert.equal(await state('smtp'), 1);
    b.state('half-open');
    assert.equal(await state('smtp'), 1);
    a.state('closed');
    assert.equal(await state('smtp'), 2);
    b.release();
    assert.equal(await state('smtp'), 0);
    assert.equal((await read()).value('circuitbreaker_state_changes_total', { name: 'smtp', from: 'closed', to: 'open' }), 1);
    assert.equal(lines.length, 3);
  });

  it('one that is collected while it is open is open no more', async () => {
    const { resilience, state } = start();
    (() => resilience.breakers.instance({}, 'lost', 'closed').state('open'))();
    assert.equal(await state('lost'), 1);
    await until('the collection', async () => {
      gc();
      return (await state('lost')) === 0;
    });
  });

  it('made for each request, they hold nothing and share one series beyond the limit', async () => {
    const { resilience, read, lines } = start({ O11Y_MAX_SERIES: '10' });
    const make = (count: number) => {
      for (let i = 0; i < count; i++) {
        const own = resilience.breakers.instance({}, `request ${i}`, 'closed');
        own.state('open');
        own.request('success');
        own.release();
      }
    };
    const used = async () => {
      lines.length = 0;
      // Finalizers run between turns.
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve, gc()));
      return process.memoryUsage().heapUsed;
    };
    make(10_000);
    const before = await used();
    make(10_000);
    const grown = (await used()) - before;
    assert.ok(grown < 1_000_000, `${grown} bytes`);
    const page = await read();
    assert.equal(page.value('circuitbreaker_requests_total', { name: '__overflow__', result: '__overflow__' }), 20_000 - 20);
  });
});

it('libraries and the app speak of one set of breakers', () => {
  const { kit, resilience } = start();
  assert.equal(resilienceOf(kit), resilience);
});
