'use strict';

// What the bench needs of an app, the same in every variant: when it listens, how many requests its handler saw, and an end
// that closes what is open and then lets the process end by itself.
let requests = 0;

exports.counted = () => {
  requests++;
};

exports.start = (server, close = () => {}) => {
  const announce = () => process.send({ port: server.address().port, at: performance.timeOrigin + performance.now() });
  if (server.listening) announce();
  else server.once('listening', announce);
  process.on('message', () => process.send({ requests }));
  process.once('SIGTERM', () => {
    server.close();
    close();
    process.disconnect();
  });
};
