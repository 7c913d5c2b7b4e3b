'use strict';

const http = require('node:http');

/** A server that runs `handle` for each request, after a turn of the event loop, and answers. It listens on a free port. */
module.exports = (handle) => {
  const server = http.createServer((req, res) => {
    setImmediate(() => {
      handle(req, res);
      res.end('done');
    });
  });
  server.listen(0, '127.0.0.1', () => process.stdout.write(`LISTEN ${server.address().port}\n`));
};
