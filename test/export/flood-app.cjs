// Records far more than can leave, in several rounds, and says how large the heap is after each.
const { operation, logger } = require('o11y-kit');

const ROUND = 20_000;

(async () => {
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < ROUND; i++) {
      operation(`round ${round}`, () => logger.info({ i, text: 'x'.repeat(200) }, 'flood'));
      // Others have their turn now and then, as in an app.
      if (i % 1000 === 0) await new Promise(setImmediate);
    }
    global.gc();
    process.stderr.write(`HEAP ${process.memoryUsage().heapUsed}\n`);
  }
  process.on('SIGHUP', () => operation('afterwards', () => logger.info('afterwards')));
  process.stdout.write('LISTEN 1\n');
  setInterval(() => {}, 1000);
})();
