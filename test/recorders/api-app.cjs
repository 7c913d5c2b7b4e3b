// Uses everything that `o11y-kit` exports, and prints what came back. With the preload and without it the same lines.
module.exports = async (kit) => {
  const out = [];
  const say = (name, value) => out.push(`${name}: ${value}`);
  const { operation, breaker, retry, rateLimit, cache, metrics, health, logger, correlation } = kit;

  say(
    'sync',
    operation('sync', () => 7),
  );
  say('async', await operation('async', async () => 8, { component: 'jobs' }));
  const thrown = new RangeError('thrown');
  try {
    operation('throws', () => {
      throw thrown;
    });
  } catch (error) {
    say('the very error', error === thrown);
  }
  await operation('rejects', () => Promise.reject(thrown)).catch((error) => say('the very reason', error === thrown));
  await operation('rejects with nothing', () => Promise.reject()).catch((reason) => say('nothing', reason));
  await operation('rejects with a text', () => Promise.reject('text')).catch((reason) => say('text', reason));
  const silent = Object.create(null);
  await operation('rejects with an object', () => Promise.reject(silent)).catch((reason) => say('object', reason === silent));
  let executed = 0;
  const lazy = {
    // biome-ignore lint/suspicious/noThenProperty: query builders run when they are awaited, and this is one.
    then(resolve) {
      executed++;
      resolve('rows');
    },
  };
  say('thenable', await operation('thenable', () => lazy));
  say('executed', executed);
  const { Promise: Foreign } = require('node:vm').runInNewContext('globalThis');
  say('foreign promise', await operation('foreign', () => new Foreign((resolve) => setTimeout(resolve, 5, 'f'))));
  await operation('slow', () => new Promise((resolve) => setTimeout(resolve, 30)), { component: 'jobs', timeoutMs: 5 });
  operation('odd timeout', () => {}, { timeoutMs: Number.NaN });
  operation('odd options', () => {}, null);
  say(
    'nested',
    await operation('outer', async () =>
      operation('inner', async () => correlation.run('job-1', () => correlation.id() ?? 'none')),
    ),
  );

  const smtp = breaker('smtp');
  smtp.state('closed');
  smtp.request('success');
  smtp.state('open');
  smtp.state('open');
  smtp.request('rejected');
  breaker('smtp').state('half-open');
  breaker('smtp').state('half_open');
  breaker('smtp').state('__proto__');
  retry('fetch').attempt('failure');
  retry('fetch').attempt('success');
  rateLimit('api').allowed();
  rateLimit('api').limited();
  cache('users').hit();
  cache('users').miss();
  cache('users').error();

  metrics.counter('shop_orders_total', { help: 'Orders', labels: ['plan'] }).inc({ plan: 'free' }, 3);
  metrics.gauge('shop_carts').set(4);
  metrics.histogram('shop_size').startTimer()();
  metrics.counter('0 bad name').inc();
  health.register('db', () => {})();
  logger.child({ component: 'billing' }).info({ amount: 5 }, 'paid');
  say('level', typeof logger.level);
  say('active', typeof kit.isActive());
  return out;
};
