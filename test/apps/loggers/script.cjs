'use strict';

// A script whose stdout is read by another program.
console.log(JSON.stringify({ total: 3 }));
console.log('plain %s', 'text');
console.error('to stderr');
console.table([{ a: 1 }]);
