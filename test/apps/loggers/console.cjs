'use strict';

const serve = require('./server.cjs');

console.log('before it listens');
serve(() => {
  console.log('sold %d', 17, { to: 'ann' });
  console.error(new TypeError('broken'));
  console.log('{"level":"warn","message":"structured"}');
});
