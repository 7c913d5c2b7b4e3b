import winston, { createLogger, format, transports } from 'winston';
import serve from './server.cjs';

const logger = createLogger({ format: format.json(), transports: [new transports.Console()] });
winston.add(new transports.Console());

serve(() => {
  logger.info('by default', { way: 'default' });
  winston.warn('by child', { way: 'child' });
});
