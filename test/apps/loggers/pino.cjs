'use strict';

const pino = require(process.argv[2]);
const serve = require('./server.cjs');
const ways = require('./pino-ways.cjs')(pino);

ways.default.info({ way: 'start' }, 'outside of a request');
serve(() => {
  for (const [way, logger] of Object.entries(ways)) logger.info({ way }, `by ${way}`);
});
