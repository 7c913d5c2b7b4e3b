'use strict';
// Outgoing requests are made in a handler, but sent by a timer that knows nothing of it.
const { createServer, request } = require('node:http');

const waiting = [];
setInterval(() => {
  for (const outgoing of waiting.splice(0)) outgoing.end();
}, 10);

const server = createServer((incoming, response) => {
  if (incoming.url === '/target') return response.end();
  const { port } = server.address();
  waiting.push(request({ port, host: '127.0.0.1', path: '/target' }, (answer) => answer.pipe(response)));
}).listen(0, '127.0.0.1', () => console.log(`LISTEN ${server.address().port}`));
