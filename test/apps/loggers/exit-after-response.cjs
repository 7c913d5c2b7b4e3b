'use strict';

const http = require('node:http');

// Ends the process in the very turn in which the response is finished.
const server = http.createServer((_req, res) => {
  res.on('finish', () => process.nextTick(() => process.exit(7)));
  res.end('done');
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`LISTEN ${server.address().port}\n`));
