'use strict';

const winston = require('winston');
const serve = require('./server.cjs');

const logger = winston.createLogger({ transports: [new winston.transports.Console()] });

serve(() => {
  logger.info('by default', { way: 'default' });
  logger.child({ way: 'child' }).warn('by child');
});
