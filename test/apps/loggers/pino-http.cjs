'use strict';

const pinoHttp = require('pino-http')({ quietReqLogger: true });
const serve = require('./server.cjs');

serve((req, res) => {
  pinoHttp(req, res);
  req.log.info({ way: 'request' }, 'in the handler');
});
