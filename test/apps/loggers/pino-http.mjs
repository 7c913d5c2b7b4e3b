import makeLogger from 'pino-http';
import pino from 'pino10';
import serve from './server.cjs';

const log = makeLogger({ logger: pino(), customAttributeKeys: { responseTime: 'took', res: 'answer' } });

serve((req, res) => {
  log(req, res);
  req.log.info({ way: 'request' }, 'in the handler');
});
