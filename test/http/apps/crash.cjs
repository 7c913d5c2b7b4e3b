// A server whose request is its end. MODE says how.
const http = require('node:http');

class PaymentError extends Error {
  name = 'PaymentError';
}

const MODES = {
  handler: () => {
    throw new PaymentError('thrown in a handler');
  },
  timer: () =>
    setTimeout(() => {
      throw new PaymentError('thrown in a timer');
    }, 1),
  body: (req) =>
    req.on('data', () => {
      throw new PaymentError('thrown in a data listener');
    }),
  promise: async () => {
    await null;
    throw new PaymentError('rejected');
  },
  number: () => {
    throw 42;
  },
};

if (process.env.MODE === 'stream') {
  const { createServer } = require('node:http2');
  const server = createServer().on('stream', () => {
    throw new PaymentError('thrown in a stream');
  });
  server.listen(0, '127.0.0.1', () => console.log(`LISTEN ${server.address().port}`));
} else {
  const server = http.createServer((req, res) => MODES[process.env.MODE](req, res));
  server.listen(0, '127.0.0.1', () => console.log(`LISTEN ${server.address().port}`));
}
